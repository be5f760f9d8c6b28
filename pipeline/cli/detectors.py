"""The commands about detectors: `finetune-detector` and `evaluate-detector`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..progress import progress_bar
from .command import Decorator, FilePath, command, under
from .options import DEVICE_OPTION, OVERWRITE_OPTION, RESUME_OPTION, overrides_option, run_folder_option

_ANNOTATED_IMAGES: Decorator[Any] = under(
    "Input",
    click.option(
        "--images",
        required=True,
        type=FilePath(),
        metavar="FOLDER",
        help="Folder of the annotated images.",
    ),
    click.option(
        "--annotations",
        required=True,
        type=FilePath(),
        metavar="FILE",
        help="COCO person-keypoint JSON; its category names the keypoints.",
    ),
)


@command(
    "finetune-detector",
    examples=(
        "videopose finetune-detector --detector cpn --images images --annotations person_keypoints.json "
        "--output runs/cpn",
        "videopose finetune-detector --detector mask-rcnn --images images --annotations train.json "
        "--output runs/mask-rcnn --recipe quick --validation val.json",
        "videopose infer video.mp4 --detector cpn --weights runs/cpn/best.safetensors  # use the result",
    ),
)
@_ANNOTATED_IMAGES
@under(
    "Input",
    click.option(
        "--validation",
        type=FilePath(),
        metavar="FILE",
        help="Annotations to measure AP on.  [default: the training annotations]",
    ),
    click.option(
        "--validation-images",
        type=FilePath(),
        metavar="FOLDER",
        help="Folder of their images.  [default: --images]",
    ),
)
@under(
    "Training",
    click.option(
        "--detector", required=True, type=click.Choice(["mask-rcnn", "cpn"]), help="The detector to train."
    ),
    click.option(
        "--base",
        type=FilePath(),
        metavar="WEIGHTS",
        help="Weights to start from: of the detector or, for cpn, of a ResNet trained on ImageNet.  "
        "[default: random for cpn, the model zoo's for mask-rcnn]",
    ),
    click.option(
        "--recipe",
        default="paper",
        show_default=True,
        metavar="NAME|FILE",
        help="paper, quick, or a YAML file such as those in configs/detectors.",
    ),
    click.option(
        "--iterations",
        type=click.IntRange(min=1),
        metavar="N",
        help="Train for N iterations; the recipe's stages keep their shares.  [default: the recipe's]",
    ),
    overrides_option("Replace a value of the recipe, such as batch=16."),
)
@run_folder_option("Folder for weights, curves and checkpoints.")
@OVERWRITE_OPTION
@RESUME_OPTION
@under(
    "Run",
    click.option(
        "--gpus",
        default=1,
        show_default=True,
        type=click.IntRange(min=1),
        metavar="N",
        help="The number of GPUs to use.",
    ),
)
@DEVICE_OPTION
@click.pass_context
def finetune_detector(context: click.Context, /, overrides: tuple[str, ...], **options: Any) -> None:
    """Train a detector on annotated images.

    The output folder gets the weights with the best AP (best.safetensors, or model_best.pth for Mask R-CNN),
    the curves of loss and AP, and checkpoints.
    """
    from ...yaml_config import parse_overrides
    from ..training.finetune_detector import FinetuneOptions, run

    settings = FinetuneOptions(overrides=parse_overrides(overrides), **options)
    path = run(settings, progress=partial(progress_bar, unit="iterations/s"), command=context.obj or "")
    if path is not None:  # None in all processes of torchrun but the first
        click.echo(path)


@command(
    "evaluate-detector",
    examples=(
        "videopose evaluate-detector --detector movenet --images val2017 --annotations person_keypoints.json",
        "videopose evaluate-detector --detector cpn --weights runs/cpn/best.safetensors --images val2017 "
        "--annotations person_keypoints.json",
        "videopose evaluate-detector --detector mask-rcnn --images val2017 "
        "--annotations person_keypoints.json --csv scores.csv",
    ),
)
@_ANNOTATED_IMAGES
@under(
    "Detector",
    click.option(
        "--detector",
        required=True,
        type=click.Choice(["movenet", "mask-rcnn", "cpn"]),
        help="The detector to measure.",
    ),
    click.option(
        "--weights",
        type=FilePath(),
        metavar="FILE",
        help="Weights for cpn, or for mask-rcnn instead of the model zoo's.",
    ),
    click.option(
        "--boxes",
        default="true",
        show_default=True,
        metavar="true|NAME|FILE",
        help="For cpn: the annotated boxes, those of a detector, or of a COCO file.",
    ),
    click.option(
        "--decode",
        default="soft-argmax",
        show_default=True,
        type=click.Choice(["soft-argmax", "argmax"]),
        help="A heatmap's position: expected or highest.",
    ),
    click.option(
        "--flip-test/--no-flip-test",
        "flip",
        default=True,
        help="For cpn: look at mirrored pictures, too.  [default: --flip-test]",
    ),
)
@under(
    "Output",
    click.option("--json", type=FilePath(), metavar="FILE", help="Also write the scores to this file."),
    click.option("--csv", type=FilePath(), metavar="FILE", help="Also write the scores to this file."),
)
@OVERWRITE_OPTION
@DEVICE_OPTION
def evaluate_detector(json: Path | None, csv: Path | None, overwrite: bool, **options: Any) -> None:
    """Measure a detector's average precision.

    The scores are COCO's keypoint AP and AR on annotated images.
    """
    from ..evaluation.evaluate_detector import EvaluateDetectorOptions, run, show, write_csv, write_json
    from ..paths import check_free

    check_free([path for path in (json, csv) if path], overwrite=overwrite, elsewhere="another name")
    settings = EvaluateDetectorOptions(**options)
    evaluation = run(settings, progress=partial(progress_bar, unit="images/s"))
    show(evaluation)
    if json is not None:
        write_json(json, evaluation)
    if csv is not None:
        write_csv(csv, evaluation)
