"""The second half of the job: from keypoints through time to poses and places in space."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.inference.lifter import Lifter
from ...lifting.inference.offline import lift_track
from ...lifting.inference.pretrained import DEFAULT, load_lifter
from ...lifting.inference.root_trajectory import fit_root, predict_root
from ...lifting.network.fused_model import Precision
from ...lifting.pose_table import PoseTable
from ..camera_metadata.find_camera import FocalLength, lens_of, resolve
from ..device import choose_device
from ..progress import Stage, quiet


@dataclass(frozen=True, kw_only=True)
class LiftOptions:
    """What lifting can be told.

    lifter: a shipped name or a path; lifter_layout, lifter_causal: what a published checkpoint does not say
    of itself. focal: what is known of the lens; nothing means the camera of the table. flip: average with
    the mirrored prediction. precision: see `lifting.folded.Precision`. device: "auto", "cpu", "cuda", …
    """

    lifter: str = DEFAULT
    lifter_layout: str | None = None
    lifter_causal: bool = False
    focal: FocalLength = field(default_factory=FocalLength)
    flip: bool = True
    precision: Precision = "float32"
    device: str = "auto"


def load(options: LiftOptions) -> Lifter:
    """The lifter. Raises `UsageError` for one that reads other keypoints than a video's."""
    lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
    nobody, size = np.zeros((0, 17, 3), np.float32), (1, 1)
    # lifting refuses it; better before a long detection than after
    lift_track(lifter, nobody, np.zeros(0), camera=Intrinsics.assumed(size), size=size, flip=options.flip)
    return lifter.to(choose_device(options.device)).in_precision(options.precision)


def lift(
    table: PoseTable, options: LiftOptions, lifter: Lifter, *, stage: Stage = quiet, command: str = ""
) -> PoseTable:
    """The table with every row's pose, and its root where the keypoints can tell. Earlier ones are replaced.

    lifter: as of `load`. stage: how progress is shown. command: added to those that `meta` records.
    """
    lens, source = lens_of(table), table.meta.get("intrinsics")
    if options.focal != FocalLength():
        camera, source = resolve(options.focal, table.size)
        lens = Lens(Intrinsics(*camera.array().tolist()))
    camera = lens.intrinsics
    pose, root = np.empty_like(table.pose), np.empty_like(table.root)
    with stage("lifting to 3D", len(table)) as advance:
        for _, rows in table.tracks():
            times = table.time[table.frame[rows]]
            straight = lens.undistort(table.keypoints[rows])
            # (Published lifters read screen coordinates, and learned from keypoints as filmed.)
            seen = table.keypoints[rows] if lifter.input_space == "screen" else straight
            pose[rows] = lift_track(lifter, seen, times, camera=camera, size=table.size, flip=options.flip)
            prior = predict_root(lifter, seen, times, camera=camera, size=table.size, flip=options.flip)
            root[rows] = fit_root(pose[rows], straight, times, camera, prior=prior)
            advance(rows.stop - rows.start)
    commands = [table.meta.get("command"), command]
    meta = {
        **table.meta,
        "intrinsics": source,
        "distortion": lens.distortion,
        "lifter": {"name": options.lifter, "sha256": lifter.digest()},
        "flip": options.flip,
        "precision": lifter.precision,
        "command": " && ".join(str(each) for each in commands if each),
    }
    return replace(table, pose=pose, root=root, intrinsics=camera, meta=meta)
