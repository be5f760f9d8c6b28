"""Exports: a pose table's motion as files that other programs open. One module a format, found by name.

The formats are functions of values: from motions to the bytes of a file. `registry` lists them.
"""

from .clock import Clock, make_clock
from .motion import Motion, make_motion
from .registry import FORMATS, Format, find_format
from .style import Style
from .tracks import Track, tracks_in_world

__all__ = [
    "FORMATS",
    "Clock",
    "Format",
    "Motion",
    "Style",
    "Track",
    "find_format",
    "make_clock",
    "make_motion",
    "tracks_in_world",
]
