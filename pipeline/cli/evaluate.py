"""The commands about lifters themselves: `evaluate` and `inspect`."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..progress import progress_bar
from .command import FilePath, command, under
from .options import CHECKPOINT_OPTIONS, DEVICE_OPTION, OVERWRITE_OPTION


@command(
    examples=(
        "videopose evaluate default --data mocap --csv errors.csv",
        "videopose evaluate runs/mine/lifter.safetensors --data mocap --severity 0.5 --seeds 1",
        "videopose evaluate lifter.bin --data data --keypoints cpn_ft_h36m_dbb  # Human3.6M",
    )
)
@click.argument("lifter")
@under(
    "Input",
    click.option(
        "--data",
        required=True,
        multiple=True,
        type=FilePath(),
        metavar="FILE|FOLDER",
        help="Motion capture or 3D poses to measure on. May be given more than once.",
    ),
    click.option(
        "--keypoints",
        "-k",
        metavar="NAME|FILE",
        help="For Human3.6M and HumanEva-I: their 2D keypoints, such as cpn_ft_h36m_dbb or gt.  "
        "[default: the only ones beside the poses]",
    ),
)
@CHECKPOINT_OPTIONS
@under(
    "People and actions",
    click.option(
        "--subjects",
        multiple=True,
        metavar="NAMES",
        help="Only these people, separated by commas.  [default: held-out people; S9 and S11 of Human3.6M, "
        "the Validate parts of HumanEva-I]",
    ),
    click.option(
        "--actions",
        multiple=True,
        metavar="NAMES",
        help="Only these actions, separated by commas.  [default: all; Walking, Jog and Box of HumanEva-I]",
    ),
    click.option(
        "--all-subjects",
        is_flag=True,
        help="Include people whom the lifter was trained on; their errors are too low.",
    ),
)
@under(
    "Simulated detections of motion capture",
    click.option(
        "--seeds",
        default=3,
        show_default=True,
        type=click.IntRange(min=1),
        metavar="N",
        help="How often cameras and detections are sampled; errors are averaged.",
    ),
    click.option(
        "--cameras",
        default=1,
        show_default=True,
        type=click.IntRange(min=1),
        metavar="N",
        help="Cameras per clip and seed.",
    ),
    click.option(
        "--severity",
        default=1.0,
        show_default=True,
        type=click.FloatRange(0.01, 2.8),
        metavar="FACTOR",
        help="How bad detections are, 0.01 to 2.8; 1 is harsh on purpose.",
    ),
    click.option(
        "--true-2d",
        is_flag=True,
        help="Use true keypoints; for Human3.6M and HumanEva-I like --keypoints gt.",
    ),
    click.option(
        "--yardsticks",
        is_flag=True,
        help="Also measure poses far from training, recombined motion, near cameras and hidden limbs.",
    ),
)
@under(
    "Output",
    click.option(
        "--protocol",
        "protocols",
        multiple=True,
        type=click.Choice(["1", "2", "3", "velocity"]),
        help="Print only MPJPE (1), P-MPJPE (2), N-MPJPE (3) or MPJVE (velocity).",
    ),
    click.option("--csv", type=FilePath(), metavar="FILE", help="Also write all errors to this file."),
)
@OVERWRITE_OPTION
@under("Run", click.option("--no-flip", is_flag=True, help="Measure without flip augmentation only."))
@DEVICE_OPTION
def evaluate(
    lifter: str,
    protocols: tuple[str, ...],
    csv: Path | None,
    no_flip: bool,
    all_subjects: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Measure a lifter's errors, in millimetres.

    LIFTER is the name of a pretrained lifter, a .safetensors file, or a .bin file of VideoPose3D. Errors are
    printed by action and by person, with and without flip augmentation. The mean over actions weighs every
    action equally, as the paper's tables do.

    --data takes motion-capture tables, the 3D poses of Human3.6M or HumanEva-I (data_3d_….npz), or a folder
    of them. Motion capture is seen through random cameras and a simulated detector, the same for every
    lifter. Of Human3.6M and HumanEva-I, the recordings of every camera are lifted, and the table is laid out
    as in the paper. --keypoints NAME reads data_2d_DATASET_NAME.npz beside the poses.

    --yardsticks adds a table for each motion-capture table. Poses far from training are measured if --data
    also has all the motion that the lifter was trained on.
    """
    from ..evaluation.evaluate_lifter import run
    from ..evaluation.evaluation_data import EvaluateOptions
    from ..evaluation.lifter_report import show, write_csv
    from ..paths import check_free

    if csv is not None:
        check_free([csv], overwrite=overwrite, elsewhere="another name for --csv")
    settings = EvaluateOptions(lifter, flip=not no_flip, all_subjects=all_subjects, **options)
    results = run(settings, progress=partial(progress_bar, unit="clips/s"))
    show(results, lifter=lifter, protocols=protocols)
    if settings.yardsticks:
        from ..evaluation.yardsticks import measure_yardsticks, show_yardsticks

        show_yardsticks(
            measure_yardsticks(settings, progress=partial(progress_bar, unit="clips/s")), lifter=lifter
        )
    if csv is not None:
        write_csv(csv, results, lifter=lifter)


@command(
    examples=(
        "videopose inspect default",
        "videopose inspect runs/mine/lifter.safetensors --json",
        "videopose inspect lifter.bin --lifter-layout h36m17",
    )
)
@click.argument("lifter")
@CHECKPOINT_OPTIONS
@under("Output", click.option("--json", "as_json", is_flag=True, help="Print JSON."))
def inspect(lifter: str, lifter_layout: str | None, lifter_causal: bool, as_json: bool) -> None:
    """Describe a lifter.

    LIFTER is the name of a pretrained lifter, a .safetensors file, or a .bin file of VideoPose3D. Its
    receptive field, parameters, FLOPs, input, training and licence are printed. Parameters and FLOPs are
    counted as in the paper's Table 5.
    """
    from ..evaluation.describe_lifter import describe, show

    description = describe(lifter, layout=lifter_layout, causal=lifter_causal)
    if as_json:
        click.echo(json.dumps(description, indent=2, ensure_ascii=False))
    else:
        show(description)
