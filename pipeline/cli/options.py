"""The command-line options of detecting, lifting and writing results, which several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...detectors import registry
from ...lifting.cameras.intrinsics import DEFAULT_FOV
from ...lifting.inference.pretrained import DEFAULT, shipped

if TYPE_CHECKING:
    from ..inference.detect import DetectOptions
    from ..inference.lift import LiftOptions

Function = TypeVar("Function", bound=Callable[..., Any])
Option = Callable[[Function], Function]
Settings = TypeVar("Settings", bound="DetectOptions | LiftOptions")


def with_options(*options: Option[Any]) -> Option[Any]:
    """Give a command these options, in this order."""

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def settings(kind: type[Settings], options: Mapping[str, Any]) -> Settings:
    """The stage's own options among those of the command line. Raises `UsageError`."""
    from ..camera_metadata.find_camera import FocalLength

    values = {
        **options,
        "focal": FocalLength(options["focal_px"], options["focal_35mm"], options["hfov"]),
        "flip": not options.get("no_flip"),
    }
    return kind(**{each.name: values[each.name] for each in fields(kind) if each.name in values})


def people_number(context: click.Context, option: click.Parameter, value: str) -> int | None:
    """Parse a number of people; None for all."""
    if value == "all":
        return None
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise click.BadParameter("give a number from 1 on, or all")
    return number


def people_options(default: str) -> tuple[Option[Any], ...]:
    """Whom to find, and when; `default` is that of --people."""
    detectors = "; ".join(f"{name}: {entry.summary}" for name, entry in registry.DETECTORS.items())
    return (
        click.option(
            "--detector",
            metavar="NAME",
            help=f"What finds people and their keypoints. {detectors}.",
        ),
        click.option(
            "--weights",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The detector's weights: published ones, or what finetune-detector wrote.",
        ),
        click.option("--backbone", metavar="NAME", help="Of mask-rcnn: R-101 or R-50.  [default: R-101]"),
        click.option(
            "--decode",
            type=click.Choice(["soft-argmax", "argmax"]),
            help="Where a heatmap has its keypoint: where it expects it, or where it is highest.  "
            "[default: soft-argmax]",
        ),
        click.option(
            "--flip-test/--no-flip-test",
            default=None,
            help="Of cpn: look at the mirrored picture, too.  [default: --flip-test]",
        ),
        click.option(
            "--boxes",
            metavar="DETECTOR|FILE",
            help=f"Of cpn: who says where people are, a detector or a file.  [default: {registry.DEFAULT}]",
        ),
        click.option(
            "--people",
            default=default,
            show_default=True,
            callback=people_number,
            metavar="N|all",
            help="How many people to lift: those most present (frames seen) and largest first.",
        ),
        click.option(
            "--start", default=0.0, show_default=True, metavar="SECONDS", help="Begin at this time."
        ),
        click.option("--end", type=float, metavar="SECONDS", help="Stop at this time.  [default: the end]"),
        click.option(
            "--max-gap",
            default=0.5,
            show_default=True,
            metavar="SECONDS",
            help="Interpolate a person lost for at most this long; a longer loss begins a new track.",
        ),
    )


CHECKPOINT_OPTIONS: tuple[Callable[[Function], Function], ...] = (
    click.option(
        "--lifter-layout",
        help="For a .bin: the keypoint layout it reads, coco17 or h36m17.  [default: coco17 where the "
        "file's name says coco, else h36m17]",
    ),
    click.option("--lifter-causal", is_flag=True, help="For a .bin: it is a causal model."),
)

KEYPOINT_OPTIONS: tuple[Option[Any], ...] = (
    click.option(
        "--keypoints",
        type=click.Path(path_type=Path),
        metavar="FILE|FOLDER",
        help="2D keypoints made elsewhere, instead of a detector: from VideoPose3D (.npz), OpenPose (a "
        "folder of JSON), AlphaPose, MMPose, COCO results (JSON) or a stacked hourglass (.h5, .npz). Of "
        "several videos: a folder with a file or folder named after each.",
    ),
    click.option(
        "--keypoint-layout",
        metavar="NAME",
        help="Their layout, such as h36m17.  [default: as the file tells, else by the number of joints]",
    ),
)

CAMERA_OPTIONS: tuple[Option[Any], ...] = (
    click.option("--focal-px", type=float, help="Focal length in pixels of the upright frame."),
    click.option("--focal-35mm", type=float, help="Focal length as 35 mm equivalent."),
    click.option(
        "--hfov",
        type=float,
        help="Horizontal angle of view in degrees.  [default: what the video or its .camera.json tells, else "
        f"{DEFAULT_FOV:g} across the longer side]",
    ),
)

LIFT_OPTIONS: tuple[Option[Any], ...] = (
    click.option(
        "--lifter",
        default=DEFAULT,
        show_default=True,
        help=f"What lifts keypoints to 3D: {', '.join(shipped())}, or a file: .safetensors (ours) or "
        ".bin (a checkpoint in the published VideoPose3D format).",
    ),
    *CHECKPOINT_OPTIONS,
    click.option(
        "--no-flip",
        is_flag=True,
        help="Do not average with the prediction for the mirrored person (twice as fast lifting, a "
        "little less accurate).",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        show_default=True,
        help="bfloat16 lifts in less than half the time on processors made for it (AVX-512 BF16, AMX), takes "
        "longer on others, and moves joints by 0.3 mm.",
    ),
)

ANIMATION_OPTION: Option[Any] = click.option(
    "--no-render", is_flag=True, help="Write the pose table only, no animation."
)

OUTPUT_OPTION: Option[Any] = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder for the results.  [default: beside each input]",
)

RUN_OPTIONS: tuple[Option[Any], ...] = (
    click.option("--device", default="auto", show_default=True, help="Where networks run: auto, cpu, cuda."),
    click.option("--overwrite", is_flag=True, help="Replace results that exist."),
)


"""What a published checkpoint does not say of itself."""
