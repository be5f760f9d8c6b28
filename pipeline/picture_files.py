"""Find the pictures of a sequence: a folder, a numbered name (frame-%04d.jpg) or a pattern (*.jpg)."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from ..errors import InputError

PICTURE_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
_PLACE = re.compile(r"%0?\d*d")
_WILDCARD = re.compile(r"[*?\[]")
_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
_MOST = 200  # a gap of more pictures than this is not listed as missing but taken as a new count


@dataclass(frozen=True)
class PictureFiles:
    """The files of a sequence of pictures, in their order.

    Attributes:
        files: The pictures.
        ticks: The place of each on an even clock: 0 for the first, and one more for each picture that follows
            or is missing.
    """

    files: tuple[Path, ...]
    ticks: tuple[int, ...]

    @cached_property
    def missing(self) -> list[str]:
        """What is missing, as the names of the pictures before and after each gap."""
        return [f"{gap} between {before.name} and {after.name}" for before, after, gap in self._gaps()]

    @property
    def missing_count(self) -> int:
        """How many pictures are missing."""
        return sum(gap for _, _, gap in self._gaps())

    def _gaps(self) -> Iterator[tuple[Path, Path, int]]:
        pairs = zip(self.files, self.files[1:], self.ticks, self.ticks[1:], strict=False)
        return ((a, b, there - here - 1) for a, b, here, there in pairs if there - here > 1)


def is_sequence(path: Path) -> bool:
    """Whether a path names a sequence of pictures and no file: a folder, frame-%04d.jpg, or *.jpg."""
    if os.path.isdir(path):
        return True
    pattern = _PLACE.search(path.name) or _WILDCARD.search(path.name)
    return pattern is not None and not os.path.lexists(path)


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, in the order of the numbers in their names."""
    return sorted(
        (
            p
            for p in folder.iterdir()
            if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith(".") and p.is_file()
        ),
        key=_natural_order,
    )


def find_pictures(path: Path) -> PictureFiles:
    """Find the pictures of a sequence.

    Args:
        path: A folder, or a path whose name has a place for a number (%04d) or a wildcard.

    Raises:
        InputError: There is no picture, the folder cannot be read, or the names belong to several sequences.
    """
    try:
        files = _matching(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    if not files:
        what = (
            "it is a folder, and no picture is in it; name a file"
            if os.path.isdir(path)
            else "there is no picture of this name"
        )
        raise InputError(f"cannot read {path}: {what} (looked for {' '.join(sorted(PICTURE_SUFFIXES))})")
    return PictureFiles(tuple(files), tuple(_ticks(path, files)))


def sequence_name(path: Path) -> str:
    """Return the name of a sequence, for its results: that of the folder, or what its pictures' names share.

    `walk/` and `walk/*.jpg` are walk, `walk/side-%04d.jpg` is side.
    """
    if os.path.isdir(path):
        return path.resolve().name or "pictures"
    place = _PLACE.search(path.name) or _WILDCARD.search(path.name)
    shared = path.name[: place.start()].rstrip(" _-.") if place else path.stem
    return shared or path.resolve().parent.name or "pictures"


def _matching(path: Path) -> list[Path]:
    if os.path.isdir(path):
        return pictures_in(path)
    if place := _PLACE.search(path.name):
        numbered = re.compile(
            f"{re.escape(path.name[: place.start()])}\\d+{re.escape(path.name[place.end() :])}"
        )
        found = [p for p in path.parent.iterdir() if numbered.fullmatch(p.name) and p.is_file()]
        return sorted(found, key=_natural_order)
    return sorted(
        (p for p in path.parent.glob(path.name) if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()),
        key=_natural_order,
    )


def _natural_order(path: Path) -> tuple[object, ...]:
    """Sort key: numbers by value, so that 2 comes before 10."""
    parts = re.split(r"(\d+)", path.name)
    return (
        tuple((part.lower(), 0) if i % 2 == 0 else ("", int(part)) for i, part in enumerate(parts)),
        path.name,
    )


def _ticks(path: Path, files: Sequence[Path]) -> list[int]:
    """Return the place of each picture on an even clock, by the last numbers in the names.

    Raises:
        InputError: Two pictures have the same number, as in a folder of several sequences.
    """
    matches = [_LAST_NUMBER.fullmatch(file.stem) for file in files]
    by_position = list(range(len(files)))
    if not all(matches):
        return by_position
    parts = [(m[1], int(m[2]), m[3]) for m in matches if m is not None]
    names = Counter((before, after) for before, _, after in parts)
    if len(names) > 1:
        counts = Counter(number for _, number, _ in parts)
        if min(names.values()) > 1 and max(counts.values()) == len(names):
            shown = ", ".join(f"{before}*{after}" for before, after in list(names)[:3])
            raise InputError(
                f"cannot read {path}: it holds several sequences of pictures ({shown}); name one of them, in "
                "quotes, such as '" + next(f"{before}*" for before, _ in names) + "'"
            )
        return by_position
    steps = [after - before for (_, before, _), (_, after, _) in pairwise(parts)]
    usual = Counter(steps).most_common(1)[0][0] if steps else 1
    if usual < 1 or any(step < 1 or step % usual or step > _MOST * usual for step in steps):
        return by_position
    numbers = [number for _, number, _ in parts]
    return [(number - numbers[0]) // usual for number in numbers]
