"""The options that several commands share, by heading.

An option's value arrives in the field of the same name of the command's options class, see `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...detectors import registry
from ...lifting.cameras.intrinsics import DEFAULT_FOV
from ...lifting.inference.pretrained import DEFAULT, pretrained_lifters
from ..camera_metadata.phone import PHONE_FOV
from .command import Decorator, FilePath, together, under

if TYPE_CHECKING:
    from ..inference.options import DetectOptions, LiftOptions
    from ..live.options import LiveOptions, OutputOptions

Settings = TypeVar("Settings", bound="DetectOptions | LiftOptions | LiveOptions | OutputOptions")


def settings(kind: type[Settings], options: Mapping[str, Any]) -> Settings:
    """Make an options class from the command line's options: each field gets the option of its name.

    Raises:
        UsageError: A value is out of its range, or options do not go together.
    """
    from ..camera_metadata.focal_length import FocalLength

    values = {
        **options,
        "focal": FocalLength(*(options.get(name) for name in ("focal_px", "focal_35mm", "hfov"))),
        "flip": not options.get("no_flip"),
    }
    return kind(**{each.name: values[each.name] for each in fields(kind) if each.name in values})


def people_number(context: click.Context, option: click.Parameter, value: str) -> int | None:
    """Parse a number of people; None means all."""
    if value == "all":
        return None
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise click.BadParameter("give a number from 1 on, or all")
    return number


# Input ---------------------------------------------------------------------------------------------------

TIME_OPTIONS: Decorator[Any] = under(
    "Input",
    click.option("--start", default=0.0, show_default=True, metavar="SECONDS", help="Start at this time."),
    click.option("--end", type=float, metavar="SECONDS", help="Stop at this time.  [default: the end]"),
    click.option(
        "--fps",
        type=float,
        metavar="NUMBER",
        help="Frames per second, if the file's time stamps are wrong.  [default: the file's; pictures: 25]",
    ),
    click.option(
        "--rotate",
        type=click.Choice(["0", "90", "180", "270"]),
        default="0",
        callback=lambda context, option, value: int(value),
        metavar="DEGREES",
        help="Turn the picture clockwise by 90, 180 or 270, if the file does not say that it is turned.",
    ),
)

KEYPOINT_OPTIONS: Decorator[Any] = under(
    "Input",
    click.option(
        "--keypoints",
        type=FilePath(),
        metavar="FILE|FOLDER",
        help="Use another program's 2D keypoints instead of a detector.",
    ),
    click.option(
        "--keypoint-layout",
        metavar="NAME",
        help="Layout of --keypoints, such as h36m17.  [default: from the file]",
    ),
    click.option(
        "--keypoint-first-frame",
        type=int,
        metavar="NUMBER",
        help="Number of the first frame in --keypoints, 0 or 1.  [default: by the video's frames]",
    ),
)

# People --------------------------------------------------------------------------------------------------


def _ids(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[int, ...]:
    """Parse lists of ids."""
    from ..inference.selection import parse_ids

    return tuple(number for value in values for number in parse_ids(value))


def _places(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[Any, ...]:
    """Parse places in the picture."""
    from ..inference.selection import Place

    return tuple(Place.parse(value) for value in values)


SELECT_OPTION: Decorator[Any] = under(
    "People",
    click.option(
        "--select",
        multiple=True,
        callback=_ids,
        metavar="ID,…",
        help="Only the people of these ids, such as 2,5; `videopose people` shows them.",
    ),
)

SELECT_AT_OPTION: Decorator[Any] = under(
    "People",
    click.option(
        "--select-at",
        multiple=True,
        callback=_places,
        metavar="X,Y[@SECONDS]",
        help="Only the person at this pixel, at this time or when one is first there. May be given more than "
        "once.",
    ),
)


def number_option(default: str) -> Decorator[Any]:
    """Return --people, with this default."""
    return under(
        "People",
        click.option(
            "--people",
            default=default,
            show_default=True,
            callback=people_number,
            metavar="N|all",
            help="How many people; those seen longest and largest come first.",
        ),
    )


def people_options(default: str) -> Decorator[Any]:
    """Return --people, with this default, and the options about detectors."""
    return together(number_option(default), detector_options())


def detector_options() -> Decorator[Any]:
    """Return the options about gaps and detectors."""
    detectors = "; ".join(f"{name}: {entry.summary}" for name, entry in registry.DETECTORS.items())
    return under(
        "People",
        click.option(
            "--max-gap",
            default=0.5,
            show_default=True,
            metavar="SECONDS",
            help="Fill gaps up to this long; in a longer gap the person has no pose.",
        ),
        click.option("--detector", metavar="NAME", help=f"What finds people. {detectors}."),
        click.option(
            "--weights",
            type=FilePath(),
            metavar="FILE",
            help="Weights for mask-rcnn or cpn: published ones, or of finetune-detector; for rtmpose: ONNX.",
        ),
        click.option("--backbone", metavar="NAME", help="For mask-rcnn: R-101 or R-50.  [default: R-101]"),
        click.option(
            "--decode",
            type=click.Choice(["soft-argmax", "argmax"]),
            help="A heatmap's position: expected or highest.  [default: soft-argmax]",
        ),
        click.option(
            "--flip-test/--no-flip-test",
            default=None,
            help="For cpn: look at mirrored pictures, too.  [default: --flip-test]",
        ),
        click.option(
            "--boxes",
            metavar="DETECTOR|FILE",
            help=f"For cpn and rtmpose: what finds people.  [default: {registry.DEFAULT}]",
        ),
    )


# Camera --------------------------------------------------------------------------------------------------

CAMERA_OPTIONS: Decorator[Any] = under(
    "Camera",
    click.option("--focal-px", type=float, help="Focal length in pixels of the upright frame."),
    click.option("--focal-35mm", type=float, help="Focal length as 35 mm equivalent."),
    click.option(
        "--hfov",
        type=float,
        help="Horizontal angle of view in degrees.  [default: from the video or its .camera.json, "
        f"else {PHONE_FOV:g} for a phone, else {DEFAULT_FOV:g} across the longer side]",
    ),
)

STATIC_CAMERA_OPTION: Decorator[Any] = under(
    "Camera",
    click.option("--static-camera", is_flag=True, help="The camera is still: do not look for its motion."),
)

FILTER_OPTION: Decorator[Any] = click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME[:HZ]",
    help="Smooth the motion: butterworth, one-euro, or bones for constant lengths. May be given more "
    "than once.",
)

WORLD_OPTIONS: Decorator[Any] = under(
    "World",
    click.option(
        "--camera-pitch",
        type=float,
        metavar="DEGREES",
        help="How far the camera looks up; negative: down.  [default: by how people stand]",
    ),
    click.option(
        "--camera-roll",
        type=float,
        metavar="DEGREES",
        help="How far the camera is turned clockwise.  [default: by how people stand]",
    ),
    click.option(
        "--camera-height",
        type=float,
        metavar="METRES",
        help="The camera's height above the floor.  [default: by feet at rest]",
    ),
    click.option(
        "--height",
        type=float,
        metavar="CM",
        help="Height of the person who is seen longest; scales the scene.",
    ),
    FILTER_OPTION,
    click.option("--lock-feet", is_flag=True, help="Hold feet still while they stand on the floor."),
)

# Lifting -------------------------------------------------------------------------------------------------

CHECKPOINT_OPTIONS: Decorator[Any] = under(
    "Lifting",
    click.option(
        "--lifter-layout",
        metavar="NAME",
        help="For a .bin file: its keypoints, coco17 or h36m17.  [default: by the file's name]",
    ),
    click.option("--lifter-causal", is_flag=True, help="For a .bin file: it is a causal model."),
)
"""Options for facts that are not stored in a VideoPose3D checkpoint."""


def _lift_options() -> Decorator[Any]:
    before = click.option(
        "--lifter",
        default=DEFAULT,
        show_default=True,
        metavar="NAME|FILE",
        help=f"{', '.join(pretrained_lifters())}, or a file: .safetensors, or VideoPose3D's .bin.",
    )
    after = (
        click.option(
            "--no-flip",
            is_flag=True,
            help="Do not average with the mirrored person: twice as fast, less accurate.",
        ),
        click.option(
            "--precision",
            type=click.Choice(["float32", "bfloat16"]),
            default="float32",
            show_default=True,
            help="bfloat16 is twice as fast on processors with AVX-512 BF16 or AMX, slower on others, and "
            "moves joints by 0.3 mm.",
        ),
        click.option(
            "--adapt",
            is_flag=False,
            flag_value="together",
            type=click.Choice(["together", "each"]),
            help="First adapt a copy of the lifter to the people of all clips together (the same without a "
            "value), or of each clip. For one person, that takes about as long as the footage lasts, on one "
            "core.",
        ),
    )

    def decorate(function: Any) -> Any:
        return under("Lifting", before)(CHECKPOINT_OPTIONS(under("Lifting", *after)(function)))

    return decorate


LIFT_OPTIONS: Decorator[Any] = _lift_options()

# Output --------------------------------------------------------------------------------------------------

OUTPUT_OPTION: Decorator[Any] = under(
    "Output",
    click.option(
        "-o",
        "--output",
        type=FilePath(),
        metavar="FOLDER",
        help="Folder for the results.  [default: beside each input]",
    ),
)


def run_folder_option(help_text: str) -> Decorator[Any]:
    """Return the required --output of a training: the folder of its run."""
    return under(
        "Output",
        click.option(
            "-o",
            "--output",
            required=True,
            type=FilePath(),
            metavar="FOLDER",
            help=help_text,
        ),
    )


ANIMATION_OPTION: Decorator[Any] = under(
    "Output", click.option("--no-render", is_flag=True, help="Write the pose table only, no animation.")
)

PAGE_OPTION: Decorator[Any] = under(
    "Output",
    click.option(
        "--view", is_flag=True, help="Also write a page (.html) to look at the result; one page is opened."
    ),
)

OVERWRITE_OPTION: Decorator[Any] = under(
    "Output", click.option("--overwrite", is_flag=True, help="Replace results that exist.")
)

# Run -----------------------------------------------------------------------------------------------------


def overrides_option(help_text: str) -> Decorator[Any]:
    """Return the --set of a training: values that replace those of its configuration."""
    return click.option("--set", "overrides", multiple=True, metavar="NAME=VALUE", help=help_text)


ENGINE_OPTIONS: Decorator[Any] = under(
    "Run",
    click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Work on this machine, or on a Ray cluster; inputs and --output may then be s3:// or gs://.",
    ),
    click.option(
        "--address",
        metavar="HOST:PORT",
        help="The Ray cluster.  [default: Ray is started on this machine]",
    ),
)

JOBS_OPTION: Decorator[Any] = under(
    "Run",
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="NUMBER",
        help="Work on so many files at once; each takes about 1 GB of memory.",
    ),
)

DEVICE_OPTION: Decorator[Any] = under(
    "Run",
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Run networks on auto, cpu or cuda.",
    ),
)

RESUME_OPTION: Decorator[Any] = under(
    "Run", click.option("--resume", is_flag=True, help="Continue from the checkpoint in the output folder.")
)
