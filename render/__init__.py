"""Pictures from pose tables: any frame with its video and its people in 3D, side by side.

`animation` draws a frame. `scene` and `placement` say where people stand, `layout` divides the picture, and
`panel`, `overlay`, `labels` and `info_strip` draw its parts with `strokes` in the colours of `theme`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .views import DEFAULT_VIEWS, View, parse_view

if TYPE_CHECKING:
    from .animation import Animation

__all__ = ["DEFAULT_VIEWS", "Animation", "View", "parse_view"]


def __getattr__(name: str) -> Any:
    if name == "Animation":  # imported on demand: OpenCV and SciPy take a third of a second
        from .animation import Animation

        return Animation
    raise AttributeError(name)
