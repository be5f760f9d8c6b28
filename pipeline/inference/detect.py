"""Find people on the frames of a video and follow them: the first half of `infer`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...detectors import registry
from ...detectors.people import Detector, Image, People
from ...detectors.tracking import Track, follow_people, with_appearance
from ...errors import NoPeopleError
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
from .options import DetectOptions
from .selection import select_people
from .watch_background import NO_BOXES, BackgroundWatch, CameraMotion

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


class PeopleSource(Protocol):
    """The source of the people of one video: a detector, or keypoints that another program made.

    Attributes:
        action: The description shown with the progress.
    """

    action: str

    def look(self, images: Iterable[Image]) -> Iterator[NDArray[np.float32]]:
        """Yield the boxes of the people, (P, 4), for each image, in order."""

    def tracks(self, frames: NDArray[np.int32], times: NDArray[np.float64], *, max_gap: float) -> list[Track]:
        """Return the people of all images through time; `frames` and `times` are those of the images."""

    def describe(self) -> dict[str, object]:
        """Return what the pose table records about it."""


class _DetectedPeople:
    """Gives the people of one video with a detector."""

    action = "finding people in"

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._people: list[People] = []

    def look(self, images: Iterable[Image]) -> Iterator[NDArray[np.float32]]:
        waiting: deque[Image] = deque()  # those that the detector has read, and not yet answered

        def read() -> Iterator[Image]:
            for image in images:
                waiting.append(image)
                yield image

        for people in self._detector.detect(read()):
            self._people.append(with_appearance(people, waiting.popleft()))
            yield people.boxes

    def tracks(self, frames: NDArray[np.int32], times: NDArray[np.float64], *, max_gap: float) -> list[Track]:
        return follow_people(self._people, frames=frames, times=times, max_gap=max_gap)

    def describe(self) -> dict[str, object]:
        return self._detector.describe()


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
    frames = _look(people, video, options, background, progress)
    time = np.array(video.times, np.float64)
    tracks = people.tracks(frames, time[frames], max_gap=options.max_gap)
    if not tracks:
        damage = "" if video.damaged is None else f"; the file is damaged: {video.damaged}"
        raise NoPeopleError(f"{video.path}: no person was found in any of its {len(frames)} frames{damage}")
    tracks = [_less_certain(track, video.damaged) for track in tracks]
    motion = CameraMotion.none(len(time)) if background is None else background.result(len(time))
    rows = sum(len(track) for track in tracks)
    everyone = PoseTable(
        track=np.concatenate([np.full(len(track), track.id, np.int32) for track in tracks]),
        frame=np.concatenate([track.frames for track in tracks]),
        keypoints=np.concatenate([track.keypoints for track in tracks]),
        pose=np.full((rows, 17, 3), np.nan, np.float32),
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
    return select_people(everyone, options.selection)


def _description(video: Video) -> dict[str, object]:
    """Return what the table records of the video: name, sha256, and its rate if time stamps were not used."""
    name = video.path.name or video.path.resolve().name
    named: dict[str, object] = {"name": name, "sha256": video.digest()}
    return named if video.fps is None else {**named, "fps": video.fps}


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
        return _DetectedPeople(detector)
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


def _look(
    people: PeopleSource,
    video: Video,
    options: DetectOptions,
    background: BackgroundWatch | None,
    progress: Progress,
) -> NDArray[np.int32]:
    """Pass the frames to `people` and `background`. Return the numbers of the frames."""
    numbers: list[int] = []
    boxes = NO_BOXES

    def images() -> Iterator[Image]:
        for frame in video.frames(start=options.start, end=options.end):
            numbers.append(frame.index)
            if background is not None:
                # A detector may read ahead, so the boxes may be those of an earlier frame.
                background.see(frame.index, frame.image, boxes)
            yield frame.image

    with progress(f"{people.action} {video.path.name}", _expected_frames(video, options)) as advance:
        for on_frame in people.look(images()):
            boxes = on_frame
            advance()
    return np.array(numbers, np.int32)


def _expected_frames(video: Video, options: DetectOptions) -> int | None:
    if video.frame_count is None:
        return None
    last = video.frame_count if options.end is None else min(video.frame_count, options.end * video.rate)
    return max(0, round(last - options.start * video.rate)) or None
