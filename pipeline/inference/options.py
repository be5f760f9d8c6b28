"""The options of detecting and lifting, checked before any work begins."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ...detectors import registry
from ...errors import UsageError
from ...lifting.inference.pretrained import DEFAULT
from ...lifting.world.stated_camera import StatedCamera, check_height
from ..camera_metadata.focal_length import FocalLength
from ..option_types import as_flag, as_number, as_path, check_turn, check_type
from .selection import Place, Selection

if TYPE_CHECKING:  # these load torch, which checking options does not need
    from ...detectors.soft_argmax import Decoding
    from ...lifting.network.fused_model import Precision
    from ...lifting.world.filters import Filter


def _convert(options: object, as_type: Callable[..., Any], *names: str, optional: bool = False) -> None:
    """Replace values of an options object by what `as_type` makes of them."""
    for name in names:
        value = as_type(name, getattr(options, name), optional=optional)
        object.__setattr__(options, name, value)


@dataclass(frozen=True, kw_only=True)
class DetectOptions:
    """How people are found and followed.

    Attributes:
        detector: Name of a detector in `detectors.registry`; None for its default.
        weights: File of the detector's weights, instead of the usual ones.
        backbone: Of Mask R-CNN: "R-101" or "R-50".
        decode: How a heatmap becomes a position: "soft-argmax" or "argmax".
        flip_test: Of CPN: whether it also looks at mirrored pictures.
        boxes: Of CPN: name of the detector, or file, that tells where people are.
        keypoints: File or folder of 2D keypoints made elsewhere, instead of a detector.
        keypoint_layout: Layout of these keypoints, if the file does not tell.
        keypoint_first_frame: Number of the video's first frame in their file, if it is not found out.
        people: Number of people to keep; None keeps all. Not used if people are selected.
        select: The ids of the people to keep, among all.
        select_at: Places in the picture; the people there are kept.
        start: Seconds at which to begin.
        end: Seconds at which to stop; None for the end of the video.
        fps: Frames per second, instead of the file's time stamps; None for these, and 25 for pictures.
        rotate: Degrees clockwise by which frames are turned, if the file does not say that it is turned.
        focal: What the user states about the lens.
        max_gap: Gaps of at most so many seconds are interpolated; in longer ones the person has no rows.
        static_camera: Take the camera to be still, and do not look for its motion.
        device: Where networks run: "auto", "cpu", "cuda", …

    Raises:
        UsageError: A value has the wrong type, is impossible, or contradicts another.
    """

    detector: str | None = None
    weights: Path | None = None
    backbone: str | None = None
    decode: Decoding | None = None
    flip_test: bool | None = None
    boxes: str | None = None
    keypoints: str | os.PathLike[str] | None = None
    keypoint_layout: str | None = None
    keypoint_first_frame: int | None = None
    people: int | None = 1
    select: tuple[int, ...] = ()
    select_at: tuple[Place, ...] = ()
    start: float = 0.0
    end: float | None = None
    fps: float | None = None
    rotate: int = 0
    focal: FocalLength = field(default_factory=FocalLength)
    max_gap: float = 0.5
    static_camera: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("detector", "backbone", "decode", "keypoint_layout"):
            check_type(name, getattr(self, name), str, optional=True)
        for name in ("weights", "boxes", "keypoints"):
            if getattr(self, name) is not None:
                as_path(name, getattr(self, name))
        _convert(self, as_flag, "static_camera")
        _convert(self, as_flag, "flip_test", optional=True)
        _convert(self, partial(as_number, kind=float), "start", "max_gap")
        _convert(self, partial(as_number, kind=float), "end", "fps", optional=True)
        _convert(self, partial(as_number, kind=int), "keypoint_first_frame", optional=True)
        if self.people is not None and not isinstance(self.people, bool):
            with suppress(UsageError):  # `Selection` says what is expected
                _convert(self, partial(as_number, kind=int), "people")
        if self.decode not in (None, "soft-argmax", "argmax"):
            raise UsageError(f"--decode takes soft-argmax or argmax, not {self.decode!r}")
        check_type("device", self.device, str)
        _ = self.selection  # checks the values
        if not 0 <= self.start < math.inf:
            raise UsageError("--start takes seconds, 0 or more")
        if self.end is not None and not self.end > self.start:
            raise UsageError("--end takes seconds, more than --start")
        if self.fps is not None and not 0.001 <= self.fps <= 10_000:
            raise UsageError("--fps takes frames per second, from 0.001 to 10000")
        _convert(self, partial(as_number, kind=int), "rotate")
        check_turn(self.rotate)
        if not self.max_gap >= 0:
            raise UsageError("--max-gap takes seconds, 0 or more")
        for name in ("keypoint_layout", "keypoint_first_frame"):
            if getattr(self, name) is not None and self.keypoints is None:
                raise UsageError(f"--{name.replace('_', '-')} goes with --keypoints")
        first = self.keypoint_first_frame
        if first is not None and first < 0:
            raise UsageError("--keypoint-first-frame takes a number, 0 or more")
        given = [*(["detector"] if self.detector else []), *self.of_detector.given()]
        if self.keypoints is not None and given:
            option = given[0].replace("_", "-")
            raise UsageError(f"--{option} is for a detector, and --keypoints replaces it: leave one out")

    @property
    def selection(self) -> Selection:
        """Whom to keep."""
        return Selection(self.people, self.select, self.select_at)

    @property
    def of_detector(self) -> registry.DetectorOptions:
        """The options that go to the detector."""
        return registry.DetectorOptions(
            weights=self.weights,
            backbone=self.backbone,
            decode=self.decode,
            flip_test=self.flip_test,
            boxes=self.boxes,
        )


Adapt = Literal["together", "each"]
"""What a copy of the lifter is adapted to: all clips of a call together, or each clip."""


@dataclass(frozen=True, kw_only=True)
class LiftOptions:
    """How keypoints are lifted.

    Attributes:
        lifter: Name of a pretrained lifter, or path of a lifter's file.
        lifter_layout: Layout of the keypoints that a VideoPose3D checkpoint reads.
        lifter_causal: Whether the VideoPose3D checkpoint is a causal model.
        focal: What the user states about the lens; if nothing, the camera of the pose table is used.
        flip: Average with the prediction for the mirrored person.
        precision: Number type of the network's hidden layers, "float32" or "bfloat16".
        camera_pitch: Degrees that the camera looks up (negative: down) on the first frame.
        camera_roll: Degrees that the camera is turned clockwise on the first frame.
        camera_height: Metres from the floor to the camera.
        height: Centimetres of the person who is seen longest; the scene is scaled by it.
        filters: Filters that smooth the motion, in order, as NAME or NAME:HZ.
        lock_feet: Hold feet still while they stand.
        select: The ids of the people to lift; with `select_at` empty, none stands for all.
        select_at: Places in the picture; the people there are lifted.
        adapt: Adapt a copy of the lifter to the clips before lifting: one to all clips "together", or one to
            "each" clip; None does not.
        device: Where networks run: "auto", "cpu", "cuda", …

    Raises:
        UsageError: A value has the wrong type or is impossible.
    """

    lifter: str | os.PathLike[str] = DEFAULT
    lifter_layout: str | None = None
    lifter_causal: bool = False
    focal: FocalLength = field(default_factory=FocalLength)
    flip: bool = True
    precision: Precision = "float32"
    camera_pitch: float | None = None
    camera_roll: float | None = None
    camera_height: float | None = None
    height: float | None = None
    filters: tuple[str, ...] = ()
    lock_feet: bool = False
    select: tuple[int, ...] = ()
    select_at: tuple[Place, ...] = ()
    adapt: Adapt | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        as_path("lifter", self.lifter)
        check_type("lifter_layout", self.lifter_layout, str, optional=True)
        _convert(self, as_flag, "lifter_causal", "flip", "lock_feet")
        stated = ("camera_pitch", "camera_roll", "camera_height", "height")
        _convert(self, partial(as_number, kind=float), *stated, optional=True)
        Selection(None, self.select, self.select_at)  # checks the values
        self.stated_camera()  # checks the values
        if self.height is not None:
            check_height(self.height)
        if self.adapt not in (None, *get_args(Adapt)):
            raise UsageError(f"--adapt takes together or each, not {self.adapt!r}")
        if self.filters:
            self.chosen_filters()  # checks the names
        for name in ("precision", "device"):
            check_type(name, getattr(self, name), str)

    def stated_camera(self, gravity: tuple[float, float, float] | None = None) -> StatedCamera:
        """Return what is stated about the camera's pose; gravity comes from the camera file."""
        return StatedCamera(
            pitch=self.camera_pitch, roll=self.camera_roll, height=self.camera_height, gravity=gravity
        )

    def chosen_filters(self) -> list[Filter]:
        """Return the filters by their names."""
        from ...lifting.world.filters import Filter  # loads scipy, which most commands do not need

        return [Filter.parse(text) for text in self.filters]


@dataclass(frozen=True, kw_only=True)
class InferOptions(LiftOptions, DetectOptions):
    """How people are found, followed and lifted: the options of both halves."""

    def __post_init__(self) -> None:
        LiftOptions.__post_init__(self)
        DetectOptions.__post_init__(self)
