"""MOT: the coordinates of an OpenSim model over time, as text. Degrees and metres, y up.

Names, signs and the order of rotations are OpenSim's (see `docs/joint-angles.md`). Frames without a pose
are left out. Times are seconds since the video's first frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from .angles import opensim_coordinates
from .motion import Motion
from .style import Style


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return one person's coordinates as a MOT file."""
    (motion,) = motions
    feet = None if motion.feet is None else motion.feet.positions[motion.present]
    coordinates = opensim_coordinates(motion.all_joints[motion.present], feet)
    times = motion.times[motion.present]
    lines = [
        style.title,
        "version=1",
        f"nRows={len(times)}",
        f"nColumns={1 + len(coordinates)}",
        "inDegrees=yes",
        "endheader",
        "\t".join(["time", *coordinates]),
    ]
    for time, *values in zip(times, *coordinates.values(), strict=True):
        lines.append("\t".join([f"{time:.6f}", *(f"{value:.5f}" for value in values)]))
    return ("\n".join(lines) + "\n").encode("utf-8")
