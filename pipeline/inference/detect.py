"""Find people on the frames of a video and follow them: the first half of `infer`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ...detectors import registry
from ...detectors.people import Detector
from ...detectors.tracking import Track
from ...errors import NoPeopleError, UsageError
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.cameras.level import LEVEL
from ...lifting.pose_table import PoseTable
from ..camera_metadata.find_camera import find_camera
from ..camera_metadata.sidecar import read_gravity
from ..device import choose_device
from ..downloads import assets
from ..progress import Progress, no_progress
from ..video.damage import Damage
from ..video.reader import Video
from .kept_parts import PartStore
from .look import Look
from .options import DetectOptions
from .people_source import DetectedPeople, PeopleSource
from .requests import detection_request, of_parts, request_digest
from .selection import select_people
from .watch_background import BackgroundWatch, CameraMotion

_DAMAGED_SCORE = 0.5  # factor of the scores of keypoints on damaged frames


def load_detector(
    options: DetectOptions, report: Callable[[str], None] = lambda line: None
) -> Detector | None:
    """Load the detector, or return None if the keypoints come from a file.

    Args:
        options: Which detector, and how it is set.
        report: Called with a line for each file that is fetched first.

    Raises:
        UsageError: The detector or the device is unknown, or an option is not for this detector.
        AssetError: A file of the detector cannot be fetched.
    """
    device = choose_device(options.device)
    if options.keypoints is not None:
        return None
    name = options.detector or registry.DEFAULT
    fetch = partial(assets.fetch, report=report)
    return registry.build(
        name, fetch=fetch, device=device, options=options.of_detector, cache=assets.cache_folder()
    )


def detect(
    video: Video,
    options: DetectOptions,
    detector: Detector | None,
    *,
    progress: Progress = no_progress,
    command: str = "",
    kept: PartStore | None = None,
) -> PoseTable:
    """Find people in a video and follow them.

    Args:
        video: The open video.
        options: How people are found and followed.
        detector: As `load_detector` gives it.
        progress: How progress is shown.
        command: Recorded in the table's `meta`.
        kept: Keeps the finished parts, and gives those of an earlier run; None to keep nothing.

    Returns:
        A pose table without poses: they and the roots are NaN. It has the chosen people only, with the ids
        that they have among all. `meta["others"]` is the number of those whom `options.people` left out.

    Raises:
        InputError: The camera file beside the video, or keypoints made elsewhere, cannot be used.
        NoPeopleError: No person was found.
        UsageError: No person has a chosen id, or is at a chosen place.
    """
    # Before the long detection, so that an unusable camera file is reported at once.
    lens, source = find_camera(video.path, options.focal, video.size)
    gravity = read_gravity(video.path)
    background = None if options.static_camera else BackgroundWatch(lens, video.size)
    people = _people_source(detector, video, options)
    look = Look(video, people, background)
    if kept is not None and isinstance(people, DetectedPeople):
        request = detection_request(of_parts(options), video_digest=video.digest(), lens=lens)
        kept.open(request, {"detector": people.describe(), "device": choose_device(options.device)})
        look.resume(people, kept)
    look.all_frames(options, kept, progress)
    frames = np.array(look.numbers, np.int32)
    time = np.array(video.times, np.float64)
    tracks = people.tracks(frames, time[frames], max_gap=options.max_gap)
    if not tracks:
        damage = "" if video.damaged is None else f"; the file is damaged: {video.damaged}"
        raise NoPeopleError(f"{video.path}: no person was found in any of its {len(frames)} frames{damage}")
    tracks = [_less_certain(track, video.damaged) for track in tracks]
    motion = CameraMotion.none(len(time))
    if background is not None:
        first = min(int(track.frames[0]) for track in tracks)
        last = max(int(track.frames[-1]) for track in tracks)
        motion = background.result(len(time), with_people=range(first, last + 1))
    rows = sum(len(track) for track in tracks)
    everyone = PoseTable(
        track=np.concatenate([np.full(len(track), track.id, np.int32) for track in tracks]),
        frame=np.concatenate([track.frames for track in tracks]),
        keypoints=np.concatenate([track.keypoints for track in tracks]),
        pose=np.broadcast_to(np.float32(np.nan), (rows, 17, 3)),  # takes no memory
        root=np.full((rows, 3), np.nan, np.float32),
        filled=np.concatenate([track.filled for track in tracks]),
        **_extra_of(tracks),
        time=time,
        size=video.size,
        # Rounded as in a table's file, so that lifting gives the same numbers before and after saving.
        intrinsics=Intrinsics(*lens.intrinsics.array().tolist()),
        camera_rotation=(LEVEL @ motion.rotations).astype(np.float32),
        meta={
            "video": _description(video),
            "request": request_digest(detection_request(options, video_digest=video.digest(), lens=lens)),
            "damaged": None if video.damaged is None else video.damaged.describe(),
            "detector": people.describe(),
            "intrinsics": source,
            "distortion": lens.distortion,
            **({} if gravity is None else {"gravity": list(gravity)}),
            "world": {"camera_motion": motion.how, "warning": motion.warning},
            "command": command,
            "versions": {name: version(name) for name in ("videopose", "torch", "numpy", "onnxruntime")},
        },
    )
    try:
        return select_people(everyone, options.selection)
    except UsageError as error:
        if kept is None or not kept.lasts:
            raise
        raise UsageError(f"{error}; what was found is kept, so the next run need not find it again") from None


def _description(video: Video) -> dict[str, object]:
    """Return what the table records of the video: name, sha256, and how the user corrects it."""
    name = video.path.name or video.path.resolve().name
    named: dict[str, object] = {"name": name, "sha256": video.digest()}
    if video.fps is not None:
        named["fps"] = video.fps
    return {**named, "rotate": video.rotate} if video.rotate else named


def _less_certain(track: Track, damage: Damage | None) -> Track:
    """Lower the scores of keypoints on damaged frames, as on frames that were interpolated."""
    if damage is None:
        return track
    keypoints = track.keypoints.copy()
    keypoints[np.isin(track.frames, damage.frames), :, 2] *= _DAMAGED_SCORE
    return replace(track, keypoints=keypoints)


def _extra_of(tracks: list[Track]) -> dict[str, Any]:
    """Return the further keypoints of all tracks as fields of a pose table; nothing if there are none."""
    found = [track.extra for track in tracks if track.extra is not None]
    return {"extra": np.concatenate(found), "extra_names": tracks[0].extra_names} if found else {}


def _people_source(detector: Detector | None, video: Video, options: DetectOptions) -> PeopleSource:
    """Return the detector, or the file of keypoints that replaces it, as a source of people."""
    if detector is not None:
        return DetectedPeople(detector)
    assert options.keypoints is not None
    from ..keypoint_import.imported_people import ImportedPeople

    source = Path(options.keypoints)
    return ImportedPeople(
        source,
        video,
        options.keypoint_layout,
        first_frame=options.keypoint_first_frame,
        whole=options.end is None,
    )
