"""Lift tracks of keypoints to poses and roots: the second half of `infer`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...cores import available_cores
from ...errors import UsageError
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.inference.pretrained import load_lifter, pretrained_lifters
from ...lifting.pose_table import PoseTable
from ...parts import give_back_memory
from ...skeleton import H36M17
from ..camera_metadata.focal_length import camera_of
from ..device import choose_device
from ..progress import Progress, no_progress
from .notes.flips import say_without_flips
from .options import LiftOptions
from .requests import lifting_digest

# Keys of `meta` about poses that are replaced.
_OF_EARLIER_LIFTING = ("height", "filters", "lock_feet", "adaptation")

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter


def is_known_to_load(options: LiftOptions) -> bool:
    """Return whether `load_video_lifter` is known to succeed, without loading the lifter.

    This is the case for the lifters that come with the package, with default options.
    """
    return (
        options.lifter in pretrained_lifters()
        and options.lifter_layout is None
        and not options.lifter_causal
        and options.precision in ("float32", "bfloat16")
        and options.device in ("auto", "cpu")
    )


def load_video_lifter(options: LiftOptions) -> Lifter:
    """Load the lifter, ready to lift a video's keypoints.

    Raises:
        UsageError: The lifter, the device or the precision is unknown, or the lifter reads other keypoints
            than a video's.
        InputError: The lifter's file cannot be read.
    """
    lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
    lifter.check_fits()
    if options.adapt is not None and lifter.skeleton is not H36M17:
        raise UsageError(
            f"--adapt takes a lifter that reads h36m17 keypoints, and this one reads {lifter.layout}'s; "
            "leave --adapt out, or choose another --lifter, such as default"
        )
    say_without_flips(lifter, str(options.lifter), flip=options.flip, learns=options.adapt is not None)
    import torch

    torch.set_num_threads(available_cores())
    return lifter.to(choose_device(options.device)).in_precision(options.precision)


def lift(
    table: PoseTable,
    options: LiftOptions,
    lifter: Lifter,
    *,
    progress: Progress = no_progress,
    command: str = "",
) -> PoseTable:
    """Return the table with pose, root and confidence of every row; earlier ones are replaced.

    Args:
        table: Keypoints of all tracks.
        options: How keypoints are lifted.
        lifter: As `load_video_lifter` gives it.
        progress: How progress is shown.
        command: Added to the commands that the table's `meta` records.

    Raises:
        InputError: The lens distortion that the table records cannot be used.
    """
    give_back_memory()
    lens, source = lens_of(table, options)
    pose = np.empty(table.pose.shape, np.float32)  # not alike: poses that are not known may be one number
    root, confidence = np.empty_like(table.root), np.empty_like(table.confidence)
    with progress("lifting to 3D", len(table)) as advance:
        for _, rows in table.stretches():
            times = table.time[table.frame[rows]]
            lifted = lifter.lift_track(
                table.keypoints[rows],
                times,
                lens=lens,
                size=table.size,
                flip=options.flip,
                filled=table.filled[rows],
            )
            if len(times) == len(table):
                pose, root, confidence = lifted.pose, lifted.root, lifted.confidence
            else:
                pose[rows], root[rows], confidence[rows] = lifted.pose, lifted.root, lifted.confidence
            del lifted  # so that nothing of a track stays in memory
            advance(rows.stop - rows.start)
    give_back_memory()
    commands = [table.meta.get("command"), command]
    earlier = {name: value for name, value in table.meta.items() if name not in _OF_EARLIER_LIFTING}
    meta = {
        **earlier,
        "intrinsics": source,
        "distortion": lens.distortion,
        "lifter": {"name": str(options.lifter), "sha256": lifter.digest()},
        "lifting_request": lifting_digest(options),
        "flip": options.flip,
        "precision": lifter.precision,
        **({"adaptation": lifter.about["adaptation"]} if "adaptation" in lifter.about else {}),
        "command": " && ".join(str(each) for each in commands if each),
    }
    lifted_table = replace(
        table, pose=pose, root=root, confidence=confidence, intrinsics=lens.intrinsics, meta=meta
    )
    give_back_memory()
    return _in_the_world(lifted_table, options)


def lens_of(table: PoseTable, options: LiftOptions) -> tuple[Lens, object]:
    """Return the lens that the user states, else the table's, and where it is known from.

    Raises:
        InputError: The lens distortion that the table records cannot be used.
    """
    if not options.focal.given:
        return table.lens, table.meta.get("intrinsics")
    camera, source = camera_of(options.focal, table.size)
    return Lens(Intrinsics(*camera.array().tolist())), source


def _in_the_world(table: PoseTable, options: LiftOptions) -> PoseTable:
    """Place a lifted table in the world. Scale it, filter it and lock its feet as the options require."""
    from ...lifting.world.filters import filter_motion  # loads parts of scipy
    from ...lifting.world.foot_lock import lock_feet
    from ...lifting.world.metric_size import scale_to_height
    from ...lifting.world.place import place_in_world

    if options.height is not None:
        table = scale_to_height(table, options.height)
    table = place_in_world(table, options.stated_camera(gravity=table.meta.get("gravity")))
    table = filter_motion(table, options.chosen_filters())
    return lock_feet(table) if options.lock_feet else table
