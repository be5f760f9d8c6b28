"""three.js, the library that draws the 3D of pages: a pinned package, fetched on first use."""

from __future__ import annotations

from pathlib import Path

from ...render.page import Library
from ..downloads import assets
from ..progress import Report, say

THREE_FILES = {
    "three": "three.module.min.js",
    "three/core": "three.core.min.js",
    "three/controls": "three-OrbitControls.js",
}
"""The file of each module, by the name that modules import it with."""

_LICENCE = "three-LICENSE.txt"


def three_library(report: Report = say) -> Library:
    """Return three.js; it is fetched if it is not in the cache.

    Args:
        report: Called with a line for each file that is fetched.

    Raises:
        AssetError: It cannot be fetched.
    """
    texts = {name: _fetch(file, report).read_text(encoding="utf-8") for name, file in THREE_FILES.items()}
    relative = {"./three.core.min.js": "three/core"}
    return Library(texts, relative, _fetch(_LICENCE, report).read_text(encoding="utf-8"))


def three_files() -> dict[str, Path]:
    """Return the path of each of its modules by file name, for a server; they are fetched if missing."""
    return {file: _fetch(file) for file in THREE_FILES.values()}


def _fetch(name: str, report: Report = say) -> Path:
    return assets.fetch(name, report=report)
