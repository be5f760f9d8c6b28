"""Videos that are sequences of pictures."""

from __future__ import annotations

import re
from pathlib import Path

_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


def first_still(path: Path) -> Path | None:
    """Return the first picture of a sequence, or None if `path` is not one.

    A sequence is a folder of pictures, a name such as frame-%04d.jpg as libav takes it, or a single picture.
    """
    place = re.fullmatch(r"(.*)%0?\d*d(.*)", path.name)
    try:
        if path.is_dir():
            stills = [p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file()]
            return min(stills, default=None)
        if path.suffix.lower() not in _SUFFIXES:
            return None
        if path.is_file() or place is None:
            return path if path.is_file() else None
        numbered = re.compile(f"{re.escape(place[1])}(\\d+){re.escape(place[2])}")
        found = {int(match[1]): p for p in path.parent.iterdir() if (match := numbered.fullmatch(p.name))}
        return found[min(found)] if found else None
    except OSError:
        return None
