"""The application behind the page: it takes videos, starts and stops jobs, and hands out results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ...errors import UsageError
from ..web.static_routes import import_map, static_routes
from .clips import Clip, ClipFolder
from .job_queue import JobQueue

STATIC = Path(__file__).with_name("static")
_SPARE = 500_000_000  # bytes that stay free on the disk
_LONGEST_JSON = 10_000  # bytes of a request


def make_app(clips: ClipFolder, queue: JobQueue, *, largest: int) -> Starlette:
    """Return the application.

    Args:
        clips: Where videos and results are kept.
        queue: What runs jobs.
        largest: Bytes of a video, at most.
    """
    return _App(clips, queue, largest).starlette()


class _App:
    def __init__(self, clips: ClipFolder, queue: JobQueue, largest: int) -> None:
        self._clips, self._queue, self._largest = clips, queue, largest

    def starlette(self) -> Starlette:
        one = "/api/clips/{id}"
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/api/clips", self.listed),
                Route("/api/clips", self.upload, methods=["POST"]),
                Route(f"{one}/people", self.find_again, methods=["POST"]),
                Route(f"{one}/motion", self.make_motion, methods=["POST"]),
                Route(f"{one}/cancel", self.cancel, methods=["POST"]),
                Route(one, self.remove, methods=["DELETE"]),
                Route("/clips/{id}/{name}", self.file),
                *static_routes([STATIC]),
            ],
            exception_handlers={HTTPException: _told, UsageError: _usage},
        )

    async def page(self, request: Request) -> Response:
        text = (STATIC / "serve.html").read_text(encoding="utf-8")
        text = text.replace("{importmap}", import_map()).replace("{largest}", str(self._largest))
        return HTMLResponse(text)

    async def listed(self, request: Request) -> Response:
        return JSONResponse([self._described(clip) for clip in self._clips])

    async def upload(self, request: Request) -> Response:
        self._queue.check_room()
        announced = int(request.headers.get("content-length", "0") or 0)
        self._check_size(announced)
        self._clips.path.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._clips.path).free < announced + _SPARE:
            raise HTTPException(507, "the disk is too full for this video")
        clip = self._clips.new(request.query_params.get("name", ""))
        try:
            await self._receive(request, self._clips.video(clip))
        except BaseException:
            self._clips.remove(clip)
            raise
        self._clips.add(clip)
        self._queue.put(clip, "people")
        return JSONResponse({"id": clip.id}, 201)

    async def _receive(self, request: Request, path: Path) -> None:
        """Write the body of a request to a file."""
        size = 0
        try:
            async with await anyio.open_file(path, "wb") as file:
                async for chunk in request.stream():
                    size += len(chunk)
                    self._check_size(size)
                    await file.write(chunk)
        except ClientDisconnect as error:  # the page was closed, or the upload cancelled
            raise HTTPException(400, "the upload was broken off") from error
        except OSError as error:
            raise HTTPException(507, f"the video cannot be stored ({error.strerror})") from error
        if not size:
            raise HTTPException(400, "the file is empty")

    def _check_size(self, size: int) -> None:
        if size > self._largest:
            limit = f"{self._largest / 1e6:,.0f} MB"
            raise HTTPException(
                413, f"the video is larger than {limit}; `videopose serve --max-size` sets the limit"
            )

    async def find_again(self, request: Request) -> Response:
        clip = self._clip(request)
        self._queue.put(clip, "people")
        return JSONResponse(self._described(self._clip(request)))

    async def make_motion(self, request: Request) -> Response:
        clip = self._clip(request)
        known = {person["id"] for person in clip.people}
        body = await request.body()
        try:
            people = json.loads(body)["people"] if len(body) <= _LONGEST_JSON else None
        except (ValueError, TypeError, KeyError):
            people = None
        if (
            not isinstance(people, list)
            or not people
            or not all(type(each) is int and each in known for each in people)
        ):
            raise HTTPException(400, "choose at least one of the people who were found")
        self._queue.put(clip, "motion", sorted(set(people)))
        return JSONResponse(self._described(self._clip(request)))

    async def cancel(self, request: Request) -> Response:
        clip = self._clip(request)
        await anyio.to_thread.run_sync(self._queue.cancel, clip)
        return JSONResponse(self._described(self._clip(request)))

    async def remove(self, request: Request) -> Response:
        clip = self._clip(request)
        await anyio.to_thread.run_sync(self._queue.cancel, clip)
        await anyio.to_thread.run_sync(self._clips.remove, clip)
        return Response(status_code=204)

    async def file(self, request: Request) -> Response:
        clip, name = self._clip(request), request.path_params["name"]
        path = self._clips.file(clip, name)
        if path is None:
            raise HTTPException(404, "there is no such file")
        shown = name == self._clips.page(clip) or name.endswith(".jpg")
        return FileResponse(path, filename=name, content_disposition_type="inline" if shown else "attachment")

    def _clip(self, request: Request) -> Clip:
        clip = self._clips.get(request.path_params["id"])
        if clip is None:
            raise HTTPException(404, "this video was removed")
        return clip

    def _described(self, clip: Clip) -> dict[str, Any]:
        return {
            "id": clip.id,
            "name": clip.video,
            "state": clip.state,
            "step": clip.step,
            "message": clip.message,
            "share": clip.share,
            "before": self._queue.position(clip),
            "people": list(clip.people),
            "chosen": list(clip.chosen),
            "page": self._clips.page(clip),
            "downloads": self._clips.downloads(clip),
        }


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


async def _usage(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)
