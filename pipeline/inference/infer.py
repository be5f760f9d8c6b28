"""Turn one video into the motion of its people: `detect`, then `lift`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ...detectors.people import Detector
from ...lifting.pose_table import PoseTable
from ..progress import Progress, no_progress
from ..video.reader import Video, open_video
from .adapt import adapt_to
from .detect import detect, load_detector
from .kept_parts import PartStore
from .lift import is_known_to_load, lift, load_video_lifter
from .options import InferOptions

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter


class Networks:
    """The loaded networks, which are used for several videos.

    Args:
        detector: The detector; None if keypoints made elsewhere replace it.
        load_lifter: Loads the lifter when it is first used.
    """

    def __init__(self, detector: Detector | None, load_lifter: Callable[[], Lifter]) -> None:
        self.detector = detector
        self._load_lifter = load_lifter

    @cached_property
    def lifter(self) -> Lifter:
        """The lifter, loaded when it is first used."""
        return self._load_lifter()

    @classmethod
    def load(cls, options: InferOptions, report: Callable[[str], None] = lambda line: None) -> Networks:
        """Load the networks.

        A lifter that comes with videopose cannot fail to load, so it is loaded only after detection, which
        saves a second before the first output. Other lifters are loaded at once, so that errors are reported
        early.

        Args:
            options: Which detector and lifter.
            report: Called with a line for each file that is fetched first.
        """
        load_lifter = partial(load_video_lifter, options)
        if not is_known_to_load(options):
            lifter = load_lifter()
            return cls(load_detector(options, report), lambda: lifter)
        return cls(load_detector(options, report), load_lifter)


def infer_file(
    path: str | os.PathLike[str],
    options: InferOptions,
    *,
    networks: Networks | None = None,
    command: str = "",
) -> PoseTable:
    """Open a video and call `infer`, without showing progress.

    Args:
        path: Path of the video.
        options: How people are found, followed and lifted.
        networks: The loaded networks; None loads them.
        command: Recorded in the table's `meta`.

    Raises:
        InputError: The video cannot be read; see also `infer`.
        NoPeopleError: No person was found.
    """
    # The video is opened before any network is loaded, so that a wrong path is reported at once.
    with open_video(path, fps=options.fps, rotate=options.rotate) as video:
        return infer(video, options, networks or Networks.load(options), command=command)


def infer(
    video: Video,
    options: InferOptions,
    networks: Networks,
    *,
    progress: Progress = no_progress,
    steps: Progress = no_progress,
    report: Callable[[str], None] = lambda line: None,
    command: str = "",
    kept: PartStore | None = None,
) -> PoseTable:
    """Find people in an open video, follow them, and lift their motion to 3D.

    Args:
        video: The open video.
        options: How people are found, followed and lifted.
        networks: The loaded networks.
        progress: How progress is shown.
        steps: How the progress of adapting the lifter is shown.
        report: Called with each line for the user about it.
        command: Recorded in the table's `meta`.
        kept: Keeps the finished parts of the detection, and gives those of an earlier run.

    Raises:
        InputError: The camera file beside the video, or keypoints made elsewhere, cannot be used.
        NoPeopleError: No person was found.
    """
    found = detect(video, options, networks.detector, progress=progress, command=command, kept=kept)
    lifter = networks.lifter
    if options.adapt is not None:
        lifter = adapt_to({str(video.path): found}, options, lifter, progress=steps, report=report)
    return lift(found, options, lifter, progress=progress)
