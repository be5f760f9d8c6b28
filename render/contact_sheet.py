"""Several frames on one page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .theme import PAGE, Image


def contact_sheet(frames: Sequence[Image], columns: int, *, gap: int = 8) -> Image:
    """Lay `frames`, all (H, W, 3) uint8, in rows of `columns`, `gap` pixels of page colour between them.

    Raises `ValueError` where there are no frames, they differ in shape, or `columns` is not positive.
    """
    if not frames or columns < 1:
        raise ValueError("a contact sheet needs at least one frame and one column")
    if len({frame.shape for frame in frames}) != 1:
        raise ValueError("the frames of a contact sheet must have one size")
    height, width = frames[0].shape[:2]
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    sheet = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    sheet[:] = PAGE
    for index, frame in enumerate(frames):
        y, x = index // columns * (height + gap), index % columns * (width + gap)
        sheet[y : y + height, x : x + width] = frame
    return sheet
