"""CSV of joint angles: one row a person and frame. Degrees; `docs/joint-angles.md` defines the columns.

Columns: track, frame (from 0 at the video's first), time (seconds since then), and the angles; those of
ankles only if heels and toes of someone are known. A cell is empty where the joints do not show the angle
and, of a motion with `only_seen`, where the picture does not show the joints. Frames without a pose
are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .angles import ANKLES, NAMES, joint_angles
from .motion import Motion
from .seen_angles import seen_angles
from .style import Style


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's joint angles as CSV."""
    names = NAMES if all(motion.feet is None for motion in motions) else (*NAMES, *ANKLES)
    lines = [",".join(["track", "frame", "time", *names])]
    for motion in motions:
        angles = joint_angles(motion.all_joints, None if motion.feet is None else motion.feet.positions)
        if motion.only_seen:
            seen = seen_angles(motion.confidence, angles)
            angles = {name: np.where(seen[name], values, np.nan) for name, values in angles.items()}
        for row in np.flatnonzero(motion.present):
            values = [angles[name][row] if name in angles else np.nan for name in names]
            cells = ["" if np.isnan(value) else f"{value:.3f}" for value in values]
            lines.append(
                ",".join([str(motion.id), str(motion.frames[row]), f"{motion.times[row]:.6f}", *cells])
            )
    return ("\n".join(lines) + "\n").encode("ascii")
