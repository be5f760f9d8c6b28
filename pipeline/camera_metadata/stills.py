"""Videos that are sequences of pictures."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import InputError
from ..picture_files import PICTURE_SUFFIXES, find_pictures, is_sequence


def first_still(path: Path) -> Path | None:
    """Return the first picture of a sequence, or None if `path` is not one.

    A sequence is what `picture_files` finds, or a single picture.
    """
    if not is_sequence(path):
        return path if path.suffix.lower() in PICTURE_SUFFIXES and os.path.isfile(path) else None
    try:
        return find_pictures(path).files[0]
    except InputError:
        return None
