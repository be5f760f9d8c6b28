"""The page's own JavaScript, HTML and CSS: files in the folder `static`."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).with_name("static")
"""The folder of the files."""


def static_file(name: str) -> str:
    """Return the text of a file in `STATIC`."""
    return (STATIC / name).read_text(encoding="utf-8")


def static_modules() -> dict[str, str]:
    """Return the text of each JavaScript module by the name that other modules import it with."""
    return {f"videopose/{path.name}": static_file(path.name) for path in sorted(STATIC.glob("*.js"))}
