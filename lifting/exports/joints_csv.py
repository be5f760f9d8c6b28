"""CSV of joint positions: one row a person, frame and joint. Metres, z up.

Columns: track, frame (from 0 at the video's first), time (seconds since then), joint (Human3.6M's 17; then
heels and toes, if they are known), x, y and z with their unit in the name, and confidence (0–1). Frames
without a pose are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from .motion import Motion
from .rows import columns, rows
from .style import Style


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's joints as CSV."""
    lines = [",".join(columns(style))]
    lines.extend(",".join(map(str, row)) for row in rows(motions, style))
    return ("\n".join(lines) + "\n").encode("ascii")
