"""The detectors by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..errors import UsageError
from .people import Detector

if TYPE_CHECKING:
    from .soft_argmax import Decoding  # whose torch `--help` need not wait for

Fetch = Callable[[str], Path]
"""The name of an asset → where it lies, fetched if need be."""


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """What can be asked of some detectors; None leaves it to the detector.

    weights: a file instead of the usual ones. backbone: of Mask R-CNN, "R-101" or "R-50". decode: how a
    heatmap becomes a position. flip_test: whether to look at mirrored pictures, too. boxes: who tells a
    detector of keypoints alone where people are: a detector's name or a file.
    """

    weights: Path | None = None
    backbone: str | None = None
    decode: Decoding | None = None
    flip_test: bool | None = None
    boxes: str | None = None

    def given(self) -> dict[str, object]:
        """Those that are not None, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


Build = Callable[[Fetch, str, DetectorOptions], Detector]


@dataclass(frozen=True)
class Entry:
    """A detector that can be asked for.

    summary: one line for `--help`. assets: names of what it fetches. options: those of `DetectorOptions`
    that it takes. build: makes it from a way to fetch assets, a device ("cpu" or "cuda") and such options.
    """

    summary: str
    build: Build
    assets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def _movenet(fetch: Fetch, device: str, options: DetectorOptions) -> Detector:
    from .movenet.detector import MoveNet  # loads onnxruntime, which `--help` need not wait for

    return MoveNet(
        multipose=(fetch("movenet-multipose.json"), fetch("movenet-multipose.bin")),
        thunder=(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")),
        device=device,
    )


def _mask_rcnn(fetch: Fetch, device: str, options: DetectorOptions) -> Detector:
    from .mask_rcnn.detector import MaskRCNN

    return MaskRCNN(
        weights=options.weights,
        backbone=options.backbone,
        decode=options.decode or "soft-argmax",
        device=device,
    )


def _cpn(fetch: Fetch, device: str, options: DetectorOptions) -> Detector:
    from .cpn.detector import BoxesFromFile, CPNDetector

    if options.weights is None:
        raise UsageError("cpn needs --weights FILE: a published checkpoint, or what finetune-detector wrote")
    boxes = options.boxes or DEFAULT
    if boxes == "cpn":
        raise UsageError("cpn finds keypoints, not people: --boxes takes another detector or a file")
    return CPNDetector(
        options.weights,
        boxes=build(boxes, fetch=fetch, device=device) if boxes in DETECTORS else BoxesFromFile(Path(boxes)),
        decoding=options.decode or "soft-argmax",
        flip=options.flip_test is not False,
        device=device,
    )


DEFAULT = "movenet"

DETECTORS: Mapping[str, Entry] = MappingProxyType(
    {
        "movenet": Entry(
            "MoveNet MultiPose and Thunder: fast on a CPU, nothing to install (the default)",
            _movenet,
            assets=(
                "movenet-multipose.json",
                "movenet-multipose.bin",
                "movenet-thunder.json",
                "movenet-thunder.bin",
            ),
        ),
        "mask-rcnn": Entry(
            "Mask R-CNN on detectron2 ('videopose install detectron2'); weights are fetched, or --weights",
            _mask_rcnn,
            options=("weights", "backbone", "decode"),
        ),
        "cpn": Entry(
            "the cascaded pyramid network, with --weights, in the --boxes of another detector",
            _cpn,
            options=("weights", "decode", "flip_test", "boxes"),
        ),
    }
)


def build(
    name: str, *, fetch: Fetch, device: str = "cpu", options: DetectorOptions | None = None
) -> Detector:
    """Make the detector called `name`.

    Raises `UsageError`, naming the known ones, where there is none, and for options that it does not take;
    and what the detector itself raises.
    """
    if name not in DETECTORS:
        raise UsageError(f"there is no detector {name!r}; the known ones are: {', '.join(DETECTORS)}")
    options = options or DetectorOptions()
    entry = DETECTORS[name]
    for option in options.given():
        if option not in entry.options:
            takers = ", ".join(other for other, its in DETECTORS.items() if option in its.options)
            spelt = option.replace("_", "-")
            raise UsageError(f"the detector {name} takes no --{spelt}, which is for: {takers}")
    return entry.build(fetch, device, options)
