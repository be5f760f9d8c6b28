"""Read a sequence of pictures as a video, frame by frame."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pictures
from PIL import ImageOps

from ...detectors.people import Image
from ...errors import InputError
from ...files import file_digest
from ..picture_files import find_pictures
from .damage import Damage
from .decoder import DEFAULT_RATE
from .reader import Frame, Video

_FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")  # Pillow runs an interpreter for some others (EPS)


class PictureSequence(Video):
    """A sequence of pictures that is read like a video.

    All pictures are scaled to the size of the first. One that cannot be read, or is missing in the numbers of
    the names, leaves a gap in the frames' times, and `damaged` says so.

    Args:
        path: A folder, or a path whose name has a place for a number (%04d) or a wildcard.
        rate: Pictures per second; None for 25.
    """

    def __init__(self, path: Path, rate: float | None = None) -> None:
        self.path = path
        self._found = find_pictures(path)
        self.rate = self.fps = DEFAULT_RATE if rate is None else rate
        self.rate_is_assumed = rate is None
        self.times: list[float] = []
        self.damaged: Damage | None = None
        first = next((image for image in map(_read, self._found.files) if image is not None), None)
        if first is None:
            raise InputError(f"cannot read {path}: none of its {len(self._found.files)} pictures can be read")
        self.size = (first.shape[1], first.shape[0])
        self.rotation, self.mirrored = 0, False
        self.frame_count: int | None = len(self._found.files)
        self.duration = (self._found.ticks[-1] + 1) / self.rate

    def close(self) -> None:
        """Do nothing: no file is left open."""

    def _frames(self, start: float, end: float | None, first: int) -> Generator[Frame, None, None]:
        self.times, self.damaged = [], None
        unreadable: list[str] = []
        resized, zero, found = 0, None, False
        for file, tick in zip(self._found.files, self._found.ticks, strict=True):
            zero = tick if zero is None else zero
            time = (tick - zero) / self.rate
            if end is not None and time >= end:
                break
            image = _read(file)
            if image is None:
                zero = None if not self.times else zero
                unreadable.append(file.name)
                continue
            self.times.append(time)
            if time >= start:
                found = True
                if image.shape[1::-1] != self.size:
                    resized += 1
                    image = np.asarray(cv2.resize(image, self.size, interpolation=cv2.INTER_AREA), np.uint8)
                if len(self.times) > first:
                    yield Frame(len(self.times) - 1, time, image)
        else:
            reason = self._damage(unreadable, resized)
            self.damaged = Damage((), (reason,)) if reason else None
        if not found:
            raise self._no_frame(start)

    def _damage(self, unreadable: list[str], resized: int) -> str | None:
        parts = []
        if count := self._found.missing_count:
            parts.append(f"{count} of its pictures are missing ({_listed(self._found.missing)})")
        if unreadable:
            parts.append(f"{len(unreadable)} of its pictures cannot be read ({_listed(unreadable)})")
        if resized:
            parts.append(f"{resized} of its pictures have another size than the first and are scaled to it")
        return ", and ".join(parts) or None


def digest_of(path: Path) -> str:
    """Return a sha256 over the content of all pictures of a sequence.

    Raises:
        InputError: There is no picture, or one cannot be read.
    """
    return hashlib.sha256("".join(map(file_digest, find_pictures(path).files)).encode()).hexdigest()


def _read(file: Path) -> Image | None:
    """Return a picture, upright, as (H, W, 3) RGB; None if it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF; a picture far too large raises an exception
            with Pictures.open(file, formats=_FORMATS) as picture:
                upright = ImageOps.exif_transpose(picture)
                if upright.mode.startswith("I;16") or upright.mode == "I":
                    upright = Pictures.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
                return np.asarray(upright.convert("RGB"))
    except Exception:  # Pillow raises many kinds of errors for damaged files
        return None


def _listed(names: list[str]) -> str:
    """Return up to three names, and how many more there are."""
    return ", ".join(names[:3]) + (f", and {len(names) - 3} more" if len(names) > 3 else "")
