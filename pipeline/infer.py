"""The main job: one video in, the motion of its people out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..detectors import registry
from ..detectors.people import Detector, Image, People
from ..detectors.tracks import Track, fill_gaps, link, most_present
from ..errors import NoPeopleError, UsageError
from ..files import file_digest
from ..lifting.inference import lift_track
from ..lifting.lifter import Lifter
from ..lifting.pose_table import PoseTable
from ..lifting.shipped import DEFAULT, load_lifter
from ..lifting.trajectory import fit_root
from . import assets
from .intrinsics import FocalLength, resolve
from .progress import Stage, quiet
from .video_in import Video, open_video


@dataclass(frozen=True, kw_only=True)
class InferOptions:
    """What `infer` can be told. Raises `UsageError` for values that make no sense.

    detector: a name of `detectors.registry`. lifter: a shipped name or a path; lifter_layout, lifter_causal:
    what a published checkpoint does not say of itself. people: how many, None for all. start, end: seconds.
    focal: what is known of the lens. max_gap: seconds without detection that are interpolated; longer ones
    split the track. flip: average with the mirrored prediction. device: "auto", "cpu", "cuda", …
    """

    detector: str = registry.DEFAULT
    lifter: str = DEFAULT
    lifter_layout: str | None = None
    lifter_causal: bool = False
    people: int | None = 1
    start: float = 0.0
    end: float | None = None
    focal: FocalLength = field(default_factory=FocalLength)
    max_gap: float = 0.5
    flip: bool = True
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


@dataclass(frozen=True)
class Tools:
    """The loaded networks, to be used for one video after another."""

    detector: Detector
    lifter: Lifter

    @classmethod
    def load(cls, options: InferOptions, report: Callable[[str], None] = lambda line: None) -> Tools:
        """Fetch what is missing (`report` is told, a line each) and load the networks."""
        device = choose_device(options.device)
        lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
        if lifter.layout == "humaneva15":
            raise UsageError("this lifter reads HumanEva's 15 joints, which no detector here gives")
        detector = registry.build(options.detector, fetch=partial(assets.fetch, report=report), device=device)
        return cls(detector, lifter.to(device))


def choose_device(name: str) -> str:
    """ "auto" becomes "cuda" where there is a usable GPU, else "cpu". Raises `UsageError`."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"--device {name} cannot be used here; known to work: cpu") from error
    return name


def infer(
    path: str | os.PathLike[str],
    options: InferOptions,
    *,
    tools: Tools | None = None,
    stage: Stage = quiet,
    command: str = "",
) -> PoseTable:
    """Find people in a video, follow them, and lift their motion to 3D.

    tools: networks loaded before, for many videos. stage: how progress is shown. command: recorded in `meta`.
    Raises `InputError` where the video cannot be read and `NoPeopleError` where nobody is found.
    """
    with open_video(path) as video:  # before any network is loaded: a wrong path should say so at once
        tools = tools or Tools.load(options)
        people, frames = _detect(video, tools.detector, options, stage)
        time = np.array(video.times, np.float64)
        tracks = _follow(people, frames, time, video, options)
        camera, source = resolve(options.focal, video.size)
        meta = {
            "video": {"name": video.path.name, "sha256": file_digest(video.path)},
            "damaged": video.damaged,
            "detector": tools.detector.describe(),
            "lifter": {"name": options.lifter, "sha256": tools.lifter.digest()},
            "intrinsics": source,
            "flip": options.flip,
            "command": command,
            "versions": {name: version(name) for name in ("videopose", "torch", "numpy", "onnxruntime")},
        }
        size = video.size

    rows: list[dict[str, NDArray[Any]]] = []
    with stage("lifting to 3D", sum(len(track.frames) for track in tracks)) as advance:
        for number, track in enumerate(tracks):
            at = time[track.frames]
            pose = lift_track(tools.lifter, track.keypoints, at, camera=camera, size=size, flip=options.flip)
            rows.append(
                {
                    "track": np.full(len(track.frames), number, np.int32),
                    "frame": track.frames.astype(np.int32),
                    "keypoints": track.keypoints,
                    "pose": pose,
                    "root": fit_root(pose, track.keypoints, at, camera),
                    "filled": track.filled,
                }
            )
            advance(len(track.frames))
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    return PoseTable(**columns, time=time, size=size, intrinsics=camera, meta=meta)


def _detect(
    video: Video, detector: Detector, options: InferOptions, stage: Stage
) -> tuple[list[People], NDArray[np.int32]]:
    """Everybody on each frame, and which frames those were."""
    frames: list[int] = []
    total = _expected_frames(video, options)
    with stage(f"finding people in {video.path.name}", total) as advance:
        people: list[People] = []
        for found in detector.detect(_images(video, options, frames)):
            people.append(found)
            advance()
    return people, np.array(frames, np.int32)


def _images(video: Video, options: InferOptions, frames: list[int]) -> Iterator[Image]:
    for frame in video.frames(start=options.start, end=options.end):
        frames.append(frame.index)
        yield frame.image


def _expected_frames(video: Video, options: InferOptions) -> int | None:
    if video.frame_count is None:
        return None
    last = video.frame_count if options.end is None else min(video.frame_count, options.end * video.rate)
    return max(0, round(last - options.start * video.rate)) or None


def _follow(
    people: Sequence[People],
    frames: NDArray[np.int32],
    time: NDArray[np.float64],
    video: Video,
    options: InferOptions,
) -> list[Track]:
    seen_at = time[frames]
    linked = link(people, frames=frames, times=seen_at)
    # Chosen before long gaps split them, so that one person who was lost for a while counts once.
    chosen = most_present(linked, options.people, video.size)
    if not chosen:
        raise NoPeopleError(f"{video.path}: no person was found in any of its {len(frames)} frames")
    return fill_gaps(chosen, frames=frames, times=seen_at, max_gap=options.max_gap)
