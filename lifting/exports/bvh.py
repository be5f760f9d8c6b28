"""BVH (Biovision hierarchy): a skeleton and its joint angles in one text file, which animation programs read.

The hips' position channels are absolute: they replace the hips' offset, which is that of the rest pose, a
T-pose that stands on the floor. Blender reads and writes BVH files like this. The format has no units;
centimetres are usual. The file begins with the person's first frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .euler import continuous_euler
from .motion import Motion
from .rig import ENDS, JOINTS, NAMES, PARENTS, BoneLengths
from .style import Style


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return one person's motion as a BVH file."""
    (motion,) = motions
    rig = motion.rig
    channels = [style.from_rig(rig.hips)]
    for joint in range(len(JOINTS)):
        channels.append(continuous_euler(style.turn_from_rig(rig.rotations[:, joint]), style.channels))
    frames = np.concatenate(channels, 1)
    if style.tpose_frame:
        tpose = np.zeros((1, frames.shape[1]))
        # The T-pose is put where the motion begins: a blend from one to the other then stays in place.
        tpose[0, :3] = style.from_rig(rig.hips[0] * (1, 0, 1) + rig.lengths.rest()[0])
        frames = np.concatenate([tpose, frames])
    lines = [
        "HIERARCHY",
        *_hierarchy(rig.lengths, style),
        "MOTION",
        f"Frames: {len(frames)}",
        f"Frame Time: {1 / motion.rate:.9g}",
        *(" ".join(f"{value:.6g}" for value in row) for row in np.round(frames, 4) + 0.0),
    ]
    return ("\n".join(lines) + "\n").encode("ascii")


def _hierarchy(lengths: BoneLengths, style: Style) -> list[str]:
    """Return the lines that describe the skeleton."""
    offsets = style.from_rig(lengths.rest())
    ends = dict(zip(ENDS, style.from_rig(lengths.ends()), strict=True))
    turns = " ".join(f"{axis}rotation" for axis in style.channels)
    lines: list[str] = []

    def add(joint: int, indent: str) -> None:
        inside = indent + "  "
        name = NAMES[style.names][joint]
        position = "" if joint else "Xposition Yposition Zposition "
        lines.append(f"{indent}{'JOINT' if joint else 'ROOT'} {name}")
        lines.append(indent + "{")
        lines.append(f"{inside}OFFSET {_offset(offsets[joint])}")
        lines.append(f"{inside}CHANNELS {3 if joint else 6} {position}{turns}")
        for child, parent in enumerate(PARENTS):
            if parent == joint:
                add(child, inside)
        if JOINTS[joint] in ends:
            end = _offset(ends[JOINTS[joint]])
            lines.extend([f"{inside}End Site", inside + "{", f"{inside}  OFFSET {end}", inside + "}"])
        lines.append(indent + "}")

    add(0, "")
    return lines


def _offset(offset: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.6g}" for value in np.round(offset, 5) + 0.0)
