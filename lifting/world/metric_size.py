"""Scale a scene to metres by the known height of one person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import UsageError
from ...skeleton import H36M17
from ..pose_table import PoseTable
from .bones import bone_lengths
from .stated_camera import check_height

_SPINE = ("spine", "thorax", "head")
_LEG = ("lknee", "lfoot")
# Stature over the sum of shank, thigh, spine and neck: adds crown, foot and the hips below the root.
_ABOVE_AND_BELOW = 1.09


def stature(table: PoseTable, track: int) -> float:
    """Estimate a person's height in centimetres by the median lengths of their bones.

    Raises:
        UsageError: The track has no pose.
    """
    poses = table.pose[table.track == track]
    poses = poses[np.isfinite(poses).all((1, 2))]
    if not len(poses):
        raise UsageError(f"--height: person {track} has no pose to measure")
    lengths = bone_lengths(poses)
    total = sum(lengths[H36M17.index(name)] for name in (*_SPINE, *_LEG))
    return float(100 * _ABOVE_AND_BELOW * total)


def scale_to_height(table: PoseTable, centimetres: float, *, track: int | None = None) -> PoseTable:
    """Scale the scene so that one person has this height.

    Sizes cannot be known from one camera. Therefore everything is scaled by the same factor: people, their
    distances and the camera's height.

    Args:
        table: poses, roots and cameras.
        centimetres: the person's height, standing.
        track: the person's track; None for the one with most rows.

    Returns:
        The scaled table; `meta["height"]` says by how much.

    Raises:
        UsageError: The height is not a person's, or the person has no pose.
    """
    check_height(centimetres)
    if track is None:
        tracks, counts = np.unique(table.track[np.isfinite(table.pose).all((1, 2))], return_counts=True)
        if not len(tracks):
            raise UsageError("--height: the table has no poses to measure; `videopose lift` makes them")
        track = int(tracks[np.argmax(counts)])
    factor = np.float32(centimetres / stature(table, track))
    return replace(
        table,
        pose=table.pose * factor,
        root=table.root * factor,
        camera_position=table.camera_position * factor,
        meta={
            **table.meta,
            "height": {"track": track, "centimetres": centimetres, "scaled_by": round(float(factor), 4)},
        },
    )
