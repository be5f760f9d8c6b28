"""Exports: a pose table's motion as files that other programs open. One module a format, found by name.

The formats are functions of values: from motions to the bytes of a file. `registry` lists them; `tracks`,
`clock` and `motion` prepare what they are made from. Importing this room loads no scipy.
"""

from .registry import FORMATS, Format, find_format, format_of
from .style import Style

__all__ = ["FORMATS", "Format", "Style", "find_format", "format_of"]
