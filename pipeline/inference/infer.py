"""The main job: one video in, the motion of its people out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ...detectors.people import Detector
from ...lifting.inference.lifter import Lifter
from ...lifting.pose_table import PoseTable
from ..device import choose_device as choose_device  # for those that know it from here
from ..progress import Stage, quiet
from ..video.reader import Video, open_video
from .detect import DetectOptions, detect, load_detector
from .lift import LiftOptions, lift, load


@dataclass(frozen=True, kw_only=True)
class InferOptions(LiftOptions, DetectOptions):
    """What `infer` can be told: what detecting and what lifting can be."""


@dataclass(frozen=True)
class Tools:
    """The loaded networks, to be used for one video after another.

    detector: None where keypoints made elsewhere stand for it.
    """

    detector: Detector | None
    lifter: Lifter

    @classmethod
    def load(cls, options: InferOptions, report: Callable[[str], None] = lambda line: None) -> Tools:
        """Load the networks, fetched first where they are missing (`report` is told, a line each)."""
        lifter = load(options)
        return cls(load_detector(options, report), lifter)


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
        return infer_opened(video, options, tools or Tools.load(options), stage=stage, command=command)


def infer_opened(
    video: Video, options: InferOptions, tools: Tools, *, stage: Stage = quiet, command: str = ""
) -> PoseTable:
    """`infer` for a video that is open."""
    found = detect(video, options, tools.detector, stage=stage, command=command)
    return lift(found, options, tools.lifter, stage=stage)
