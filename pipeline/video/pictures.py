"""Read a sequence of pictures as a video, frame by frame."""

from __future__ import annotations

import hashlib
import warnings
from array import array
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageOps

from ...detectors.people import Image
from ...errors import InputError, is_out_of_memory, one_line
from ...files import file_digest
from ..option_types import check_turn
from ..picture_files import find_pictures
from .container import DEFAULT_RATE
from .damage import Damage
from .orientation import Orientation
from .picture_size import objection_to_size
from .reader import Frame, Video

_FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")  # Pillow runs an interpreter for some others (EPS)


class PictureSequence(Video):
    """A sequence of pictures that is read like a video.

    All pictures are scaled to the size of the first. One that cannot be read, or is missing in the numbers of
    the names, leaves a gap in the frames' times, and `damaged` says so.

    Args:
        path: A folder, or a path whose name has a place for a number (%04d) or a wildcard.
        rate: Pictures per second; None for 25.
        rotate: Degrees clockwise by which the pictures are turned.
    """

    def __init__(self, path: Path, rate: float | None = None, rotate: int = 0) -> None:
        check_turn(rotate)
        self.path = path
        self._found = find_pictures(path)
        self.rate = self.fps = DEFAULT_RATE if rate is None else rate
        self.rate_is_assumed = rate is None
        self.rotate = rotate
        self._orientation = Orientation().turned(rotate)
        self.times: array[float] = array("d")
        self.damaged: Damage | None = None
        first = self._first()
        self.size = (first.shape[1], first.shape[0])
        self.rotation, self.mirrored = rotate, False
        self.frame_count: int | None = len(self._found.files)
        self.duration = (self._found.ticks[-1] + 1) / self.rate

    def _first(self) -> Image:
        """Return the first picture that can be read."""
        errors = []
        for file in self._found.files:
            try:
                return self._orientation.apply(_read(file))
            except InputError as error:
                errors.append(str(error))
        raise InputError(
            f"cannot read {self.path}: none of its {len(errors)} pictures can be read; the first: {errors[0]}"
        )

    def close(self) -> None:
        """Do nothing: no file is left open."""

    def _frames(self, start: float, end: float | None, first: int) -> Generator[Frame, None, None]:
        self.times, self.damaged = array("d"), None
        unreadable: list[str] = []
        resized, zero, found = 0, None, False
        for file, tick in zip(self._found.files, self._found.ticks, strict=True):
            zero = tick if zero is None else zero
            time = (tick - zero) / self.rate
            if end is not None and time >= end:
                break
            try:
                image = self._orientation.apply(_read(file))
            except InputError:
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


def _read(file: Path) -> Image:
    """Return a picture, upright, as (H, W, 3) RGB.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF, and about large pictures
            with Pictures.open(file, formats=_FORMATS) as picture:
                if objection := objection_to_size(*picture.size):
                    raise InputError(f"{file.name}: {objection}")
                ImageOps.exif_transpose(picture, in_place=True)
                if picture.mode == "RGB":
                    return np.asarray(picture)
                if picture.mode.startswith("I;16") or picture.mode == "I":
                    return _of_16_bits(np.asarray(picture))
                return np.asarray(picture.convert("RGB"))
    except InputError:
        raise
    except Exception as error:  # Pillow raises many kinds of errors for damaged files
        if is_out_of_memory(error):
            raise
        raise InputError(f"{file.name}: {one_line(error)}") from error


def _of_16_bits(grey: NDArray[np.integer]) -> Image:
    return np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=-1)


def _listed(names: list[str]) -> str:
    """Return up to three names, and how many more there are."""
    return ", ".join(names[:3]) + (f", and {len(names) - 3} more" if len(names) > 3 else "")
