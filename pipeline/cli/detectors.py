"""The commands about detectors: `finetune-detector`, `evaluate-detector`, `prepare detector-labels`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..progress import Stage, say, terminal
from .error_report import SOME_FAILED, complain

_images = click.option(
    "--images",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the annotated images lie.",
)
_annotations = click.option(
    "--annotations",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="COCO person-keypoint JSON; its category names the keypoints.",
)
_device = click.option(
    "--device", default="auto", show_default=True, help="Where networks run: auto, cpu, cuda."
)
_overwrite = click.option("--overwrite", is_flag=True, help="Replace results that exist.")


@click.command("finetune-detector")
@click.option("--detector", required=True, type=click.Choice(["mask-rcnn", "cpn"]), help="What to train.")
@_images
@_annotations
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="For weights."
)
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    metavar="WEIGHTS",
    help="Begin with these: of the same detector, or, for CPN, of a ResNet trained on ImageNet.  "
    "[default: random numbers for CPN, the model zoo's for Mask R-CNN]",
)
@click.option(
    "--recipe",
    default="paper",
    show_default=True,
    metavar="NAME|FILE",
    help="paper, quick, or a YAML file such as those in configs/detectors.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Replace a value of the recipe: batch=16."
)
@click.option(
    "--validation",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Annotations to measure AP on.  [default: those trained on]",
)
@click.option(
    "--validation-images",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where their images lie.  [default: --images]",
)
@click.option("--gpus", default=1, show_default=True, type=click.IntRange(min=1), help="How many to use.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the output folder.")
@_device
@_overwrite
def finetune_detector(overrides: tuple[str, ...], **options: Any) -> None:
    """Train a detector further on annotated images.

    The output folder gets the best weights by AP (best.safetensors, or model_best.pth of Mask R-CNN), the
    curve of loss and AP, and checkpoints.
    """
    from ...yaml_config import parse_overrides
    from ..training.finetune_detector import FinetuneOptions, run

    settings = FinetuneOptions(overrides=parse_overrides(overrides), **options)
    click.echo(run(settings, stage=partial(terminal, unit="iterations/s")))


@click.command("evaluate-detector")
@click.option(
    "--detector", required=True, type=click.Choice(["movenet", "mask-rcnn", "cpn"]), help="What to measure."
)
@_images
@_annotations
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Of CPN, or of Mask R-CNN instead of the model zoo's.",
)
@click.option(
    "--boxes",
    default="true",
    show_default=True,
    metavar="true|NAME|FILE",
    help="Where CPN looks: in the annotated boxes, in those that a detector finds, or in those of a file in "
    "COCO's form. The others find people themselves.",
)
@click.option(
    "--decode",
    default="soft-argmax",
    show_default=True,
    type=click.Choice(["soft-argmax", "argmax"]),
    help="How a heatmap of CPN or Mask R-CNN becomes a position.",
)
@click.option(
    "--flip-test/--no-flip-test",
    "flip",
    default=True,
    help="Of CPN: look at mirrored people, too.  [default: --flip-test]",
)
@click.option("--json", type=click.Path(path_type=Path), metavar="FILE", help="Also write the scores here.")
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE", help="Also write the scores here.")
@_device
@_overwrite
def evaluate_detector(json: Path | None, csv: Path | None, overwrite: bool, **options: Any) -> None:
    """Measure a detector: COCO's keypoint AP and AR on annotated images."""
    from ..evaluation.evaluate_detector import EvaluateDetectorOptions, run, show, write_csv, write_json
    from ..paths import check_free

    check_free([path for path in (json, csv) if path], overwrite=overwrite, elsewhere="another name")
    settings = EvaluateDetectorOptions(**options)
    evaluation = run(settings, stage=partial(terminal, unit="images/s"))
    show(evaluation)
    if json is not None:
        write_json(json, evaluation)
    if csv is not None:
        write_csv(csv, evaluation)


@click.command("detector-labels")
@click.argument("source", type=click.Path(path_type=Path), metavar="POSES|SCENE")
@click.option(
    "-o",
    "--output",
    default="detector-labels",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="For annotations.json and the images.",
)
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Of Human3.6M: where its archives Videos_S*.tgz were unpacked.",
)
@click.option(
    "--subjects",
    default="S1,S5,S6,S7,S8",  # of Human3.6M, those whom the field trains on
    show_default=True,
    help="Of Human3.6M: only these people, commas between.",
)
@click.option("--stride", default=10, show_default=True, help="Every how many frames one becomes an image.")
@_overwrite
@click.pass_context
def detector_labels(context: click.Context, /, source: Path, subjects: str, **options: Any) -> int:
    """Annotated images for detectors, from motion capture filmed by calibrated cameras.

    POSES is Human3.6M's data_3d_h36m.npz; SCENE, a JSON file, tells of any other recording's poses, cameras
    and videos. The images, and where people's keypoints are in them, are what finetune-detector takes.
    """
    from ..datasets.detector_labels import prepare_labels

    debug = bool(context.find_root().params.get("debug"))
    failures: list[Exception] = []

    def failed(error: Exception) -> None:
        failures.append(error)
        complain(error, debug=debug)

    stage: Stage = partial(terminal, unit="images/s")
    chosen = tuple(name.strip() for name in subjects.split(","))
    for path in prepare_labels(source, subjects=chosen, stage=stage, failed=failed, **options):
        say(f"→ {path}")
    return SOME_FAILED if failures else 0


COMMANDS = (finetune_detector, evaluate_detector)
PREPARE_COMMANDS = (detector_labels,)
"""To be added to the group `videopose prepare`."""
