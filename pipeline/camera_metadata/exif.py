"""Read the focal length in the EXIF data of pictures, for videos that are sequences of them."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import ExifTags, Image

from .known_camera import KnownCamera, by_equivalent_focal_length
from .stills import first_still

# Other formats are not opened, because Pillow runs an interpreter for some of them (EPS).
_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by the first picture's EXIF data; a `CameraReader`."""
    still = first_still(path)
    if still is None:
        return None
    return by_equivalent_focal_length([_focal_length(still)], size, f"EXIF of {still.name}")


def _focal_length(still: Path) -> object:
    """EXIF's FocalLengthIn35mmFilm (tag 0xA405): millimetres, 0 if unknown; None if missing or damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF, and large pictures, which are not decoded
            with Image.open(still, formats=_FORMATS) as image:
                details = image.getexif().get_ifd(ExifTags.IFD.Exif)
        return details.get(ExifTags.Base.FocalLengthIn35mmFilm)
    except Exception:  # Pillow raises many kinds of errors for damaged files; they count as no EXIF
        return None
