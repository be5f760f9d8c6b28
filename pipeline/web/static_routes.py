"""Routes for the files that pages load: the pages' own modules and styles, and three.js."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ...render.page import STATIC, import_map_of_server
from .three import THREE_FILES, three_files

_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}


def static_routes(folders: Sequence[Path] = ()) -> list[Route]:
    """Return the routes `static/NAME` and `three/NAME`.

    Args:
        folders: Folders of a page's own files, beside those that all pages share.
    """
    files = {
        path.name: path for folder in (STATIC, *folders) for path in folder.iterdir() if path.suffix in _TYPES
    }

    async def static(request: Request) -> Response:
        return _file(files.get(request.path_params["name"]))

    async def three(request: Request) -> Response:
        return _file(three_files().get(request.path_params["name"]))

    return [Route("/static/{name}", static), Route("/three/{name}", three)]


def import_map() -> str:
    """Return the JSON of the import map of a page at the root of the server."""
    library = {module: f"./three/{file}" for module, file in THREE_FILES.items()}
    return json.dumps(import_map_of_server("./static/", library))


def _file(path: Path | None) -> Response:
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type=_TYPES[path.suffix])
