"""The types of the detector registry: an entry, and the request from which a detector is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from .people import Detector

if TYPE_CHECKING:
    from .soft_argmax import Decoding  # imports torch, which `--help` does not need

Fetch = Callable[[str], Path]
"""Function from the name of a pinned file to its path. A missing file is fetched first."""


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """Options that only some detectors take. None stands for the detector's default.

    Attributes:
        weights: A file to use instead of the usual weights.
        backbone: Of Mask R-CNN: "R-101" or "R-50".
        decode: How a heatmap becomes a position.
        flip_test: Whether to look at mirrored pictures, too.
        boxes: For a detector that finds keypoints in given boxes: the name of another detector, or a file,
            that gives the boxes of people.
    """

    weights: Path | None = None
    backbone: str | None = None
    decode: Decoding | None = None
    flip_test: bool | None = None
    boxes: str | None = None

    def given(self) -> dict[str, object]:
        """Return the options that are not None, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """The arguments from which a detector is built.

    Attributes:
        fetch: Gives the path of a pinned file.
        device: "cpu" or "cuda".
        options: The options that were given; only those that the detector takes are set.
        cache: The folder for files that are made once and reused, or None.
        other: Builds another detector by name; None if there is no detector of that name.
    """

    fetch: Fetch
    device: str
    options: DetectorOptions
    cache: Path | None
    other: Callable[[str], Detector | None]


@dataclass(frozen=True)
class Entry:
    """A detector in the registry. Its networks are imported only when `build` is called.

    Attributes:
        name: The value of `--detector`.
        summary: One line for `--help`.
        build: Makes the detector.
        assets: The names of the pinned files that it fetches.
        options: The names of the `DetectorOptions` that it takes.
    """

    name: str
    summary: str
    build: Callable[[BuildRequest], Detector]
    assets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
