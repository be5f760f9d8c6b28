"""Curves of joint angles over time, left and right in one panel."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .theme import LEFT, MUTED, RIGHT, TEXT, Colour

_SIDES = {"_right": ("right", RIGHT), "_left": ("left", LEFT)}
_COLUMNS = 3
_DPI = 110
_UNSEEN = 0.3  # opacity of a curve on frames whose picture does not show the joints


def draw_curves(
    angles: Mapping[str, NDArray[np.float64]],
    times: NDArray[np.float64],
    title: str,
    *,
    seen: Mapping[str, NDArray[np.bool_]],
) -> bytes:
    """Draw one person's joint angles; frames without an angle are left out of its curve.

    A curve is pale on frames whose picture does not show the joints.

    Args:
        angles: Name → (T,) degrees, NaN where there is no angle. Names that end in _right and _left share a
            panel.
        times: (T,) seconds.
        title: The title above the panels.
        seen: Name → (T,), whether the picture shows the joints.

    Returns:
        A PNG picture.
    """
    panels: dict[str, dict[str, tuple[NDArray[np.float64], NDArray[np.bool_], Colour]]] = {}
    for name, values in angles.items():
        side = next((ending for ending in _SIDES if name.endswith(ending)), "")
        label, colour = _SIDES.get(side, ("", TEXT))
        panels.setdefault(name.removesuffix(side), {})[label] = (values, seen[name], colour)
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(11, 1.9 * rows + 0.5), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, color=_rgb(TEXT), parse_math=False)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True)
    for index, (axis, (name, curves)) in enumerate(zip(axes.flat, panels.items(), strict=False)):
        for label, (values, shown, colour) in curves.items():
            # A curve of one point has no length, so a table of one frame is drawn with a marker.
            marker = "." if len(times) == 1 else None
            axis.plot(times, values, color=_rgb(colour), alpha=_UNSEEN, linewidth=1.3, marker=marker)
            certain = np.where(shown, values, np.nan)
            axis.plot(times, certain, color=_rgb(colour), label=label, linewidth=1.3, marker=marker)
        axis.set_title(name.replace("_", " "), fontsize=9, color=_rgb(TEXT))
        axis.tick_params(labelsize=7, colors=_rgb(MUTED))
        axis.grid(alpha=0.3)
        axis.axhline(0, color=_rgb(MUTED), linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        if index % _COLUMNS == 0:
            axis.set_ylabel("degrees", fontsize=8, color=_rgb(MUTED))
        if "left" in curves and not any(axis.get_legend() for axis in axes.flat):
            axis.legend(fontsize=7, frameon=False)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("seconds", fontsize=8, color=_rgb(MUTED))
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _rgb(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
