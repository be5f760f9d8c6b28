"""Find people on the frames of a video and follow them: the first half of `infer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...detectors import registry
from ...detectors.people import Detector, Image, People
from ...detectors.tracking import Track, fill_gaps, link, most_present, place_missing
from ...errors import NoPeopleError
from ...files import file_digest
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.cameras.level import LEVEL
from ...lifting.pose_table import PoseTable
from ..camera_metadata.find_camera import find_camera
from ..camera_metadata.sidecar import read_gravity
from ..device import choose_device
from ..downloads import assets
from ..progress import Progress, no_progress
from ..video.reader import Video
from .options import DetectOptions
from .watch_background import NO_BOXES, BackgroundWatch, CameraMotion


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


@dataclass(frozen=True)
class _Found:
    """All people through time: their tracks, the frames that were looked at, and what found them."""

    tracks: list[Track]
    frames: NDArray[np.int32]
    about: dict[str, object]


def detect(
    video: Video,
    options: DetectOptions,
    detector: Detector | None,
    *,
    progress: Progress = no_progress,
    command: str = "",
) -> PoseTable:
    """Find people in a video and follow them.

    Args:
        video: The open video.
        options: How people are found and followed.
        detector: As `load_detector` gives it.
        progress: How progress is shown.
        command: Recorded in the table's `meta`.

    Returns:
        A pose table without poses: they and the roots are NaN.

    Raises:
        InputError: The camera file beside the video, or keypoints made elsewhere, cannot be used.
        NoPeopleError: No person was found.
    """
    # Before the long detection, so that an unusable camera file is reported at once.
    lens, source = find_camera(video.path, options.focal, video.size)
    gravity = read_gravity(video.path)
    background = None if options.static_camera else BackgroundWatch(lens, video.size)
    if detector is None:
        found = _read_keypoints(video, options, background, progress)
    else:
        found = _run_detector(detector, video, options, background, progress)
    time = np.array(video.times, np.float64)
    # People are chosen before gaps split their tracks, so that a person who was lost for a while counts once.
    chosen = most_present(found.tracks, options.people, video.size)
    tracks = fill_gaps(chosen, frames=found.frames, times=time[found.frames], max_gap=options.max_gap)
    if not tracks:
        raise NoPeopleError(f"{video.path}: no person was found in any of its {len(found.frames)} frames")
    motion = CameraMotion.none(len(time)) if background is None else background.result(len(time))
    rows = sum(len(track) for track in tracks)
    return PoseTable(
        track=np.concatenate([np.full(len(track), track.id, np.int32) for track in tracks]),
        frame=np.concatenate([track.frames for track in tracks]),
        keypoints=np.concatenate([track.keypoints for track in tracks]),
        pose=np.full((rows, 17, 3), np.nan, np.float32),
        root=np.full((rows, 3), np.nan, np.float32),
        filled=np.concatenate([track.filled for track in tracks]),
        time=time,
        size=video.size,
        # Rounded as in a table's file, so that lifting gives the same numbers before and after saving.
        intrinsics=Intrinsics(*lens.intrinsics.array().tolist()),
        camera_rotation=(LEVEL @ motion.rotations).astype(np.float32),
        meta={
            "video": {"name": video.path.name, "sha256": file_digest(video.path)},
            "damaged": video.damaged,
            "detector": found.about,
            "intrinsics": source,
            "distortion": lens.distortion,
            **({} if gravity is None else {"gravity": list(gravity)}),
            "world": {"camera_motion": motion.how, "warning": motion.warning},
            "command": command,
            "versions": {name: version(name) for name in ("videopose", "torch", "numpy", "onnxruntime")},
        },
    )


def _run_detector(
    detector: Detector,
    video: Video,
    options: DetectOptions,
    background: BackgroundWatch | None,
    progress: Progress,
) -> _Found:
    """Let the detector look at every frame, and link its people to tracks."""
    numbers: list[int] = []
    with progress(f"finding people in {video.path.name}", _expected_frames(video, options)) as advance:
        people: list[People] = []
        # A detector may read ahead, so the boxes are those of the last frame that it has done.
        images = _images(
            video, options, numbers, background, lambda: people[-1].boxes if people else NO_BOXES
        )
        for on_frame in detector.detect(images):
            people.append(on_frame)
            advance()
    frames = np.array(numbers, np.int32)
    tracks = link(people, frames=frames, times=np.array(video.times)[frames])
    return _Found(tracks, frames, detector.describe())


def _read_keypoints(
    video: Video, options: DetectOptions, background: BackgroundWatch | None, progress: Progress
) -> _Found:
    """Read keypoints made elsewhere; the video is decoded for the times of its frames."""
    assert options.keypoints is not None
    source = Path(options.keypoints)
    from ..keypoint_import import match_video as keypoint_files

    sightings, about = keypoint_files.read(source, video, options.keypoint_layout)
    numbers: list[int] = []
    with progress(f"reading {video.path.name}", _expected_frames(video, options)) as advance:
        # Keypoints have no boxes; the background is found although people move before it.
        for _ in _images(video, options, numbers, background, lambda: NO_BOXES):
            advance()
    if options.end is None:
        keypoint_files.check_length(sightings, video, source)
    frames, times = np.array(numbers, np.int32), np.array(video.times)
    tracks = keypoint_files.follow(sightings, frames, times[frames])
    return _Found([place_missing(track, times[track.frames]) for track in tracks], frames, about)


def _images(
    video: Video,
    options: DetectOptions,
    numbers: list[int],
    background: BackgroundWatch | None,
    boxes: Callable[[], NDArray[np.float32]],
) -> Iterator[Image]:
    """Yield the images of the frames; their numbers are appended to `numbers`, and `background` sees them."""
    for frame in video.frames(start=options.start, end=options.end):
        numbers.append(frame.index)
        if background is not None:
            background.see(frame.index, frame.image, boxes())
        yield frame.image


def _expected_frames(video: Video, options: DetectOptions) -> int | None:
    if video.frame_count is None:
        return None
    last = video.frame_count if options.end is None else min(video.frame_count, options.end * video.rate)
    return max(0, round(last - options.start * video.rate)) or None
