"""The clips of a server: one folder each, with the video, the results, and a record of what was done."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ...errors import UsageError
from ...files import replacing
from ..inputs import VIDEO_SUFFIXES

State = Literal["waiting", "working", "choose", "done", "failed", "cancelled"]
Step = Literal["people", "motion"]

_RECORD = "clip.json"
_LONGEST_NAME = 60
_DOWNLOADS = (".3d.mp4", ".bvh", ".glb", ".joints.csv", ".csv", ".npz")
_PAGE = ".html"


@dataclass(frozen=True)
class Clip:
    """One video and what was done with it.

    Attributes:
        id: The name of its folder.
        video: The name of the video's file.
        state: `waiting` and `working` belong to a step; `choose`: people are found, and the user chooses.
        step: What is done or was done last: finding people, or their motion.
        people: Those who were found: id, a picture's name, and lines of text.
        chosen: The ids of the people whose motion is wanted.
        message: What is being done, or why it failed.
        share: How much of it is done, 0–1; None if not known.
    """

    id: str
    video: str
    state: State = "waiting"
    step: Step = "people"
    people: tuple[dict[str, Any], ...] = ()
    chosen: tuple[int, ...] = ()
    message: str = ""
    share: float | None = None

    @property
    def base(self) -> str:
        """The video's name without its suffix."""
        return Path(self.video).stem


@dataclass
class ClipFolder:
    """All clips of a server, in one folder. Its methods may be called from several threads.

    Attributes:
        path: The folder.
    """

    path: Path
    _clips: dict[str, Clip] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def open(cls, path: Path) -> ClipFolder:
        """Return the clips that are in a folder. A clip whose job was cut off counts as failed."""
        clips = cls(path)
        for record in sorted(path.glob(f"*/{_RECORD}"), key=lambda each: each.stat().st_mtime):
            try:
                values = json.loads(record.read_text(encoding="utf-8"))
                clip = Clip(
                    **{**values, "people": tuple(values["people"]), "chosen": tuple(values["chosen"])}
                )
            except (OSError, ValueError, TypeError, KeyError):
                continue  # not written by this version
            if clip.id != record.parent.name:
                continue
            clips._clips[clip.id] = clip
            if clip.state in ("waiting", "working"):
                clips.change(clip.id, state="failed", message="it was not finished when the server ended")
        return clips

    def new(self, name: str) -> Clip:
        """Return a clip for a video of this name; its folder is made. It is listed once it is `add`ed.

        Raises:
            UsageError: The name's suffix is not that of a video.
        """
        clip = Clip(secrets.token_hex(6), safe_name(name))
        self.folder(clip).mkdir(parents=True)
        return clip

    def add(self, clip: Clip) -> None:
        """List a clip whose video is complete."""
        with self._lock:
            self._clips[clip.id] = clip
            self._save(clip)

    def get(self, identity: str) -> Clip | None:
        """Return a clip by its id."""
        return self._clips.get(identity)

    def __iter__(self) -> Iterator[Clip]:
        """Iterate over the clips, the newest first."""
        with self._lock:
            return iter(list(reversed(self._clips.values())))

    def change(
        self, identity: str, *, when: Callable[[Clip], bool] = lambda clip: True, **values: Any
    ) -> bool:
        """Change values of a clip and record them; return whether the clip is there and `when` held."""
        with self._lock:
            clip = self._clips.get(identity)
            if clip is None or not when(clip):
                return False
            changed = replace(clip, **values)
            self._clips[identity] = changed
            if changed.state != clip.state or changed.people != clip.people:
                self._save(changed)
            return True

    def remove(self, clip: Clip) -> None:
        """Remove a clip with all its files."""
        with self._lock:
            self._clips.pop(clip.id, None)
        shutil.rmtree(self.folder(clip), ignore_errors=True)

    def folder(self, clip: Clip) -> Path:
        """Return the folder of a clip."""
        return self.path / clip.id

    def video(self, clip: Clip) -> Path:
        """Return the path of a clip's video."""
        return self.folder(clip) / clip.video

    def page(self, clip: Clip) -> str | None:
        """Return the name of the page of the result, if it is there."""
        name = clip.base + _PAGE
        return name if clip.state == "done" and (self.folder(clip) / name).is_file() else None

    def downloads(self, clip: Clip) -> list[str]:
        """Return the names of the results, in the order of `_DOWNLOADS`."""
        if clip.state != "done":
            return []
        names = sorted(path.name for path in self.folder(clip).iterdir() if path.name.startswith(clip.base))
        found = [name for suffix in _DOWNLOADS for name in names if name.endswith(suffix)]
        return [name for name in dict.fromkeys(found) if not name.endswith(".2d.npz")]

    def file(self, clip: Clip, name: str) -> Path | None:
        """Return the path of a file that the page may load: the result's page, a download or a picture."""
        pictures = [str(person["picture"]) for person in clip.people]
        allowed = name in (*self.downloads(clip), *pictures) or name == self.page(clip)
        path = self.folder(clip) / name
        return path if allowed and path.is_file() else None

    def _save(self, clip: Clip) -> None:
        with replacing(self.folder(clip) / _RECORD) as partial:
            partial.write_text(json.dumps(asdict(clip)), encoding="utf-8")


def safe_name(name: str) -> str:
    """Return a name for the file of a video: without folders, and of characters that every system allows.

    Raises:
        UsageError: The name's suffix is not that of a video.
    """
    given = Path(name.replace("\\", "/")).name
    suffix = Path(given).suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        raise UsageError(f"expected a video ({' '.join(sorted(VIDEO_SUFFIXES))}), found {given or 'no name'}")
    stem = re.sub(r"[^\w\- ]+", "_", Path(given).stem).strip(" _.")[:_LONGEST_NAME].strip()
    return (stem or "video") + suffix
