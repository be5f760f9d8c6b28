"""The focal length in the EXIF of still pictures, for videos that are sequences of them."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from PIL import ExifTags, Image

# No others: what Pillow runs an interpreter for (EPS) is not to be opened at all.
_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


def first_still(path: Path) -> Path | None:
    """The first picture of a sequence: of a folder, or of a name such as frame-%04d.jpg, as libav takes it.

    One picture is its own first. None where it is no such thing.
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


def focal_length(still: Path) -> object:
    """EXIF's FocalLengthIn35mmFilm (tag 0xA405): millimetres, 0 for unknown; None if missing or damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF, and of large pictures, which are not decoded
            with Image.open(still, formats=_FORMATS) as image:
                details = image.getexif().get_ifd(ExifTags.IFD.Exif)
        return details.get(ExifTags.Base.FocalLengthIn35mmFilm)
    except Exception:  # Pillow has no common exception for damaged files; no EXIF is reason enough to go on
        return None
