"""The first half of the job: who is where on each frame of a video."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...detectors import registry
from ...detectors.people import Detector, Image
from ...detectors.soft_argmax import Decoding
from ...detectors.tracking.missing_keypoints import place_missing
from ...detectors.tracking.tracks import Track, fill_gaps, link, most_present
from ...errors import NoPeopleError, UsageError
from ...files import file_digest
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.pose_table import PoseTable
from ..camera_metadata.find_camera import FocalLength, find_lens
from ..device import choose_device
from ..downloads import assets
from ..keypoint_import import match_video as keypoint_sources
from ..progress import Stage, quiet
from ..video.reader import Video


@dataclass(frozen=True, kw_only=True)
class DetectOptions:
    """What finding people can be told. Raises `UsageError` for values that make no sense.

    detector: a name of `detectors.registry`, None for its default. weights, backbone, decode, flip_test,
    boxes: see `registry.DetectorOptions`. keypoints: a file or folder of 2D keypoints made elsewhere, instead
    of a detector; keypoint_layout: their layout, where the file does not tell. people: how many, or None.
    start, end: seconds. focal: what is known of the lens. max_gap: seconds without detection that are
    interpolated; longer ones split the track. device: "auto", "cpu", "cuda", …
    """

    detector: str | None = None
    weights: Path | None = None
    backbone: str | None = None
    decode: Decoding | None = None
    flip_test: bool | None = None
    boxes: str | None = None
    keypoints: str | os.PathLike[str] | None = None
    keypoint_layout: str | None = None
    people: int | None = 1
    start: float = 0.0
    end: float | None = None
    focal: FocalLength = field(default_factory=FocalLength)
    max_gap: float = 0.5
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.people is not None and not (isinstance(self.people, int) and self.people >= 1):
            raise UsageError("--people takes a number from 1 on, or all (from Python: None)")
        if not 0 <= self.start < math.inf:
            raise UsageError("--start takes seconds, 0 or more")
        if self.end is not None and not self.end > self.start:
            raise UsageError("--end takes seconds, more than --start")
        if not self.max_gap >= 0:
            raise UsageError("--max-gap takes seconds, 0 or more")
        if self.keypoint_layout is not None and self.keypoints is None:
            raise UsageError("--keypoint-layout goes with --keypoints")
        given = [*(["detector"] if self.detector else []), *self.asked.given()]
        if self.keypoints is not None and given:
            option = given[0].replace("_", "-")
            raise UsageError(f"--{option} is for a detector, and --keypoints for none: leave one out")

    @property
    def asked(self) -> registry.DetectorOptions:
        """What is asked of the detector."""
        return registry.DetectorOptions(
            weights=self.weights,
            backbone=self.backbone,
            decode=self.decode,
            flip_test=self.flip_test,
            boxes=self.boxes,
        )


def load_detector(
    options: DetectOptions, report: Callable[[str], None] = lambda line: None
) -> Detector | None:
    """The detector, fetched first where it is missing (`report` is told, a line each).

    None where the keypoints come from a file.
    """
    device = choose_device(options.device)
    if options.keypoints is not None:
        return None
    fetch = partial(assets.fetch, report=report)
    name = options.detector or registry.DEFAULT
    return registry.build(
        name, fetch=fetch, device=device, options=options.asked, cache=assets.cache_folder()
    )


def detect(
    video: Video,
    options: DetectOptions,
    detector: Detector | None,
    *,
    stage: Stage = quiet,
    command: str = "",
) -> PoseTable:
    """Find people in a video and follow them: a pose table without poses (they and the roots are NaN).

    detector: as of `load_detector`. stage: how progress is shown. command: recorded in `meta`.
    Raises `InputError` where keypoints made elsewhere cannot be used and `NoPeopleError` where nobody is
    found.
    """
    lens, source = find_lens(video.path, options.focal, video.size)  # a bad side-car should say so at once
    find = _read if detector is None else partial(_watch, detector)
    linked, frames, about = find(video, options, stage)
    time = np.array(video.times, np.float64)
    # Chosen before long gaps split them, so that one person who was lost for a while counts once.
    chosen = most_present(linked, options.people, video.size)
    tracks = fill_gaps(chosen, frames=frames, times=time[frames], max_gap=options.max_gap)
    if not tracks:
        raise NoPeopleError(f"{video.path}: no person was found in any of its {len(frames)} frames")
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
        # as a table's file holds it, so that lifting gives the same numbers before and after saving
        intrinsics=Intrinsics(*lens.intrinsics.array().tolist()),
        meta={
            "video": {"name": video.path.name, "sha256": file_digest(video.path)},
            "damaged": video.damaged,
            "detector": about,
            "intrinsics": source,
            "distortion": lens.distortion,
            "command": command,
            "versions": {name: version(name) for name in ("videopose", "torch", "numpy", "onnxruntime")},
        },
    )


Found = tuple[list[Track], NDArray[np.int32], dict[str, object]]
"""Everybody through time, which frames were looked at, and who found them."""


def _watch(detector: Detector, video: Video, options: DetectOptions, stage: Stage) -> Found:
    """Everybody whom a detector sees."""
    numbers: list[int] = []
    with stage(f"finding people in {video.path.name}", _expected_frames(video, options)) as advance:
        people = []
        for found in detector.detect(_images(video, options, numbers)):
            people.append(found)
            advance()
    frames = np.array(numbers, np.int32)
    return link(people, frames=frames, times=np.array(video.times)[frames]), frames, detector.describe()


def _read(video: Video, options: DetectOptions, stage: Stage) -> Found:
    """Everybody whose keypoints lie in a file; the video is decoded for its frames' times."""
    assert options.keypoints is not None
    source = Path(options.keypoints)
    found, about = keypoint_sources.read(source, video, options.keypoint_layout)
    numbers: list[int] = []
    with stage(f"reading {video.path.name}", _expected_frames(video, options)) as advance:
        for _ in _images(video, options, numbers):
            advance()
    if options.end is None:
        keypoint_sources.check_length(found, video, source)
    frames, times = np.array(numbers, np.int32), np.array(video.times)
    tracks = keypoint_sources.follow(found, frames, times[frames])
    return [place_missing(track, times[track.frames]) for track in tracks], frames, about


def _images(video: Video, options: DetectOptions, numbers: list[int]) -> Iterator[Image]:
    """The frames' pictures; their numbers are appended to `numbers`."""
    for frame in video.frames(start=options.start, end=options.end):
        numbers.append(frame.index)
        yield frame.image


def _expected_frames(video: Video, options: DetectOptions) -> int | None:
    if video.frame_count is None:
        return None
    last = video.frame_count if options.end is None else min(video.frame_count, options.end * video.rate)
    return max(0, round(last - options.start * video.rate)) or None
