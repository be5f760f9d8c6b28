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
    device, …), and focal_px, focal_35mm or hfov. Nothing is written and nothing printed.
    Raises `UsageError` for an unknown option and other kinds of `VideoposeError` (see `errors`).
    """
    from dataclasses import fields

    from .errors import UsageError
    from .pipeline.camera_metadata.find_camera import FocalLength
    from .pipeline.inference.infer import InferOptions
    from .pipeline.inference.infer import infer as run

    lens = {"focal_px": "pixels", "focal_35mm": "mm35", "hfov": "hfov"}
    known = [*(f.name for f in fields(InferOptions) if f.name != "focal"), *lens]
    if unknown := [name for name in options if name not in known]:
        raise UsageError(f"infer() has no option {unknown[0]!r}; it has {', '.join(known)}")
    focal = FocalLength(**{lens[name]: options.pop(name) for name in lens if name in options})
    return run(video, InferOptions(focal=focal, **options), command="videopose.infer")
