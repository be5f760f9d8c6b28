"""TRC (track row column): marker positions as text, which OpenSim reads. Millimetres, y up.

Frame numbers count from 1 at the video's first frame, times are seconds since then. The cells of a frame in
which the person has no pose are empty.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .markers import markers_of
from .motion import Motion
from .style import Style


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return one person's markers as a TRC file."""
    (motion,) = motions
    names, positions = markers_of(motion)
    count = len(motion.frames)
    rate = f"{motion.rate:.6g}"
    start = int(motion.frames[0]) + 1
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{style.title}.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{count}\t{len(names)}\t{style.units}\t{rate}\t{start}\t{count}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ"),
        "",
    ]
    points = style.from_world(positions).reshape(count, -1)
    decimals = 3 if style.units == "mm" else 6
    for frame, time, values in zip(motion.frames, motion.times, points, strict=True):
        cells = ["" if np.isnan(value) else f"{value:.{decimals}f}" for value in values]
        lines.append("\t".join([str(frame + 1), f"{time:.6f}", *cells]))
    return ("\n".join(lines) + "\n").encode("utf-8")
