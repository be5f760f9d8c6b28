"""videopose: ordinary video of people in, their motion in 3D out."""

from __future__ import annotations

import os
from typing import Any

from .errors import VideoposeError
from .lifting.pose_table import PoseTable

__all__ = ["PoseTable", "VideoposeError", "infer"]


def infer(video: str | os.PathLike[str], **options: Any) -> PoseTable:
    """The motion of the people in a video, as `videopose infer` would write it.

    options: the fields of `pipeline.infer.InferOptions` (detector, lifter, people, start, end, max_gap, flip,
    device), and focal_px, focal_35mm or hfov. Nothing is written and nothing printed.
    Raises `VideoposeError` (see `errors`).
    """
    from .pipeline.infer import InferOptions
    from .pipeline.infer import infer as run
    from .pipeline.intrinsics import FocalLength

    focal = FocalLength(
        options.pop("focal_px", None), options.pop("focal_35mm", None), options.pop("hfov", None)
    )
    return run(video, InferOptions(focal=focal, **options), command="videopose.infer")
