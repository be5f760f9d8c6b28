"""Read a camera and lift its people: what the command and `videopose.live` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import repeat
from types import TracebackType
from typing import Self, cast

import torch

from ...detectors.people import Detector, Memory
from ...detectors.registry import check_name
from ...detectors.tracking.live_tracking import LiveTracker
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.inference.lifter import Lifter
from ...lifting.inference.live import LiveLifter, check_live
from ...lifting.inference.pretrained import load_lifter
from ...lifting.network.fused_model import Precision
from ..camera_metadata.find_camera import find_camera
from ..camera_metadata.focal_length import camera_of
from ..camera_metadata.known_camera import KnownCamera
from ..camera_metadata.notes import camera_notes
from ..camera_metadata.sidecar import camera_file_of
from ..device import choose_device
from ..inference.detect import load_detector
from ..inference.options import DetectOptions
from ..progress import Report, no_report
from ..video.reader import Frame
from .camera import Camera, open_camera
from .grabber import Grabber
from .live_poses import LivePoses, live_poses
from .options import LiveOptions

_WARM_UP = 3  # frames that the networks see before the first that counts


class LiveSession:
    """An open camera and the networks that lift its people. It is a context manager.

    First it opens the camera and the lifter, so that what is wrong with them is known at once. `load` takes
    longer. Meanwhile a camera runs on, and its frames are not wanted. A file begins later, and its clock runs
    from when its first frame has been lifted.

    Args:
        options: How the camera is read and lifted.
        report: Called with each line that the user should know.
        lifter: The lifter that the options name, if it is loaded already.

    Attributes:
        name: What the camera is called.

    Raises:
        UsageError: An option or the lifter cannot be used.
        InputError: The camera cannot be opened.
    """

    def __init__(
        self, options: LiveOptions, report: Report = no_report, *, lifter: Lifter | None = None
    ) -> None:
        self._options, self._report = options, report
        self._detector: Detector | None = None
        self._memory: Memory = {}  # of the people whom the detector found while it was loaded
        with ExitStack() as stack:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)  # for products so small, a second thread costs more than it gains
            self._lifter = lifter or load_live_lifter(options)
            self._camera = open_camera(options.camera, paced=not options.every_frame, report=report)
            stack.callback(self._camera.close)
            self.name = self._camera.name
            is_file = self._camera.first is None
            self._grabber = Grabber(
                self._camera, every_frame=options.every_frame and is_file, hold_first=is_file
            )
            stack.callback(self._grabber.close)
            self._lens, self._notes = _lens(self._camera, options)
            self._live = self._new_live()
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def dropped(self) -> int:
        """How many frames came too fast."""
        return self._grabber.dropped

    def load(self) -> None:
        """Load the networks, then report what the user should know of the camera.

        For a camera, they run on its first picture: the first run and search are slow.

        Raises:
            AssetError: A file of the detector cannot be fetched.
        """
        options, first = self._options, self._camera.first
        if first is not None:
            self._grabber.start()
        chosen = DetectOptions(detector=options.detector, people=options.people, device=options.device)
        detector = load_detector(chosen, self._report)
        assert detector is not None  # it is None only for keypoints from a file
        if first is not None:
            frames = [Frame(n, n / 30, image) for n, image in enumerate(repeat(first, _WARM_UP))]
            tracker = LiveTracker(options.people)
            for _ in live_poses(frames, detector, tracker, self._new_live(), memory=self._memory):
                pass
        self._detector = detector
        for note in self._notes:
            self._report(note)

    def frames(self) -> Iterator[LivePoses]:
        """Yield the poses of each frame, from now on, until the camera ends; `load` comes first.

        Raises:
            InputError: The camera went away.
        """
        assert self._detector is not None
        tracker = LiveTracker(self._options.people)
        yield from live_poses(
            self._grabber,
            self._detector,
            tracker,
            self._live,
            memory=self._memory,
            dropped=lambda: self._grabber.dropped,
        )

    def _new_live(self) -> LiveLifter:
        options = self._options
        return LiveLifter(
            self._lifter,
            camera=self._lens,
            size=self._camera.size,
            people=options.people,
            flip=options.flip,
            precision=cast(Precision, options.precision),
            rate=self._camera.rate,
        )


def load_live_lifter(options: LiveOptions) -> Lifter:
    """Load the lifter, after checking what else the options name: detector and device.

    Raises:
        UsageError: The detector or the lifter is unknown, or the device or the lifter cannot be used.
        InputError: The lifter's file cannot be read.
    """
    if options.detector is not None:
        check_name(options.detector)
    choose_device(options.device)
    lifter = load_lifter(options.lifter)
    check_live(lifter)
    return lifter


def _lens(camera: Camera, options: LiveOptions) -> tuple[Lens, list[str]]:
    """Return the camera's lens, as stated, as the file says, or assumed; and lines for the user about it."""
    if camera.path is not None:
        known = find_camera(camera.path, options.focal, camera.size)
    else:
        intrinsics, source = camera_of(options.focal, camera.size)
        known = KnownCamera(Lens(intrinsics), source)
    notes = camera_notes(
        camera.name,
        known.source,
        known.lens.intrinsics,
        camera.size,
        camera_file=None if camera.path is None else camera_file_of(camera.path).name,
    )
    # Rounded as in a pose table, so that the poses are those of `videopose infer`.
    rounded = Intrinsics(*known.lens.intrinsics.array().tolist())
    return Lens(rounded) if known.lens.linear else known.lens, notes
