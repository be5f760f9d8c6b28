"""The options of `videopose live`, checked before any work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from numbers import Integral

from ...errors import UsageError
from ..camera_metadata.focal_length import FocalLength
from ..option_types import as_flag, as_path, check_type, is_of
from .osc import parse_target

MOST_PEOPLE = 8
"""The most people that are followed live."""

_PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """How a camera is read and lifted.

    Attributes:
        camera: Number of a camera, URL of a stream, or path of a video file.
        every_frame: For a file: lift every frame, however long it takes.
        people: Number of people to follow.
        detector: Name of a detector in `detectors.registry`; None for its default.
        focal: What the user states about the lens.
        lifter: Name of a causal lifter, or path of its file.
        flip: Average with the prediction for the mirrored person.
        precision: Number type of the network's hidden layers, "float32" or "bfloat16".
        device: Where the detector runs: "auto", "cpu", "cuda", …

    Raises:
        UsageError: A value has the wrong type or is impossible.
    """

    camera: str = "0"
    every_frame: bool = False
    people: int = 1
    detector: str | None = None
    focal: FocalLength = field(default_factory=FocalLength)
    lifter: str | os.PathLike[str] = "causal"
    flip: bool = True
    precision: str = "float32"
    device: str = "auto"

    def __post_init__(self) -> None:
        as_path("camera", self.camera)
        as_path("lifter", self.lifter)
        check_type("detector", self.detector, str, optional=True)
        check_type("device", self.device, str)
        for name in ("every_frame", "flip"):
            object.__setattr__(self, name, as_flag(name, getattr(self, name)))
        if not (is_of(self.people, Integral) and 1 <= self.people <= MOST_PEOPLE):
            raise UsageError(f"--people takes a number from 1 to {MOST_PEOPLE}, found {self.people}")
        if self.precision not in _PRECISIONS:
            raise UsageError(f"--precision takes {' or '.join(_PRECISIONS)}, found {self.precision!r}")


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What is done with the poses.

    Attributes:
        json: Write one line a frame to stdout.
        osc: HOST:PORT to which the first person's bones are sent by VMC; None for none.
        page: Serve a page.
        port: Port of the page; 0 for a free one.
        open: Open the page in a browser.

    Raises:
        UsageError: A value is impossible, or nothing shows the poses.
    """

    json: bool = False
    osc: str | None = None
    page: bool = True
    port: int = 0
    open: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise UsageError(f"--port takes a number from 0 to 65535, found {self.port}")
        if not (self.page or self.json or self.osc is not None):
            raise UsageError("--no-page leaves nothing that shows the poses: give --json or --osc too")
        if self.open and not self.page:
            raise UsageError("give --open or --no-page, not both")
        if self.osc is not None:
            parse_target(self.osc)
