"""`videopose finetune-detector`: annotated images and a recipe in, a detector's weights out."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import nn

from ...detectors.coco.annotation_files import read_annotations
from ...detectors.coco.annotations import Annotations, FoundBoxes
from ...detectors.coco.evaluation import Found, KeypointScores, find_in_boxes, score_keypoints
from ...detectors.cpn.detector import CPNKeypoints
from ...detectors.cpn.finetuning import begin, train_cpn
from ...detectors.cpn.network import CPN
from ...detectors.cpn.training_samples import Share
from ...detectors.cpn.weights import CPNWeights
from ...detectors.finetuning.config import CPNRecipe, MaskRCNNRecipe, load_recipe
from ...detectors.finetuning.progress import Progress
from ...detectors.mask_rcnn.require_detectron2 import require_detectron2
from ...errors import OutputError, UsageError
from ...files import file_digest, replacing
from ...lifting.training import distributed
from ..device import choose_device
from ..paths import check_writable
from ..progress import Advance, Stage, quiet, say

_RESULTS = ("checkpoint.pt", "last_checkpoint", "best.safetensors", "model_best.pth")
_PATIENCE = timedelta(hours=6)  # the other GPUs wait while the first one measures


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """What `finetune-detector` is told.

    images: the annotated images' folder. base: weights to begin with; None for random ones (CPN) or the model
    zoo's (Mask R-CNN). validation: annotations that AP is measured on, of images in `validation_images` or
    else in `images`; None for those trained on. recipe: "paper", "quick" or a YAML file.
    """

    detector: str
    images: Path
    annotations: Path
    output: Path
    base: Path | None = None
    recipe: str = "paper"
    overrides: Mapping[str, object]
    validation: Path | None = None
    validation_images: Path | None = None
    resume: bool = False
    device: str = "auto"
    gpus: int = 1
    overwrite: bool = False


@dataclass(frozen=True)
class Data:
    """Annotations and their images' folder: those trained on, and those AP is measured on (also in words)."""

    train: Annotations
    images: Path
    held: Annotations
    held_images: Path
    measured_on: str


def run(options: FinetuneOptions, *, stage: Stage) -> Path:
    """Fine-tune and return the path of the best weights, by AP.

    Raises `OutputError` where there are weights already and may not be replaced, and what reading recipe,
    annotations, images and base raises.
    """
    recipe = load_recipe(options.recipe, options.detector, options.overrides)
    data = _read(options)
    check_writable(options.output)
    existing = [path for name in _RESULTS if (path := options.output / name).exists()]
    if existing and not options.overwrite and not options.resume:
        raise OutputError(
            f"{existing[0]} exists; --resume goes on from a checkpoint, --overwrite begins anew"
        )
    if not options.resume:
        for path in existing:
            path.unlink(missing_ok=True)  # what is resumed later must not be the old run
    if isinstance(recipe, MaskRCNNRecipe):
        return _launch_mask_rcnn(recipe, data, options, choose_device(options.device), stage)
    if options.gpus > 1:
        raise UsageError(
            f"for several GPUs start CPN with: torchrun --nproc-per-node {options.gpus} -m videopose …"
        )
    with distributed.joined(choose_device(options.device)) as device:
        return _finetune_cpn(recipe, data, options, device, stage)


def _read(options: FinetuneOptions) -> Data:
    train = read_annotations(options.annotations)
    if options.validation is None:
        return Data(train, options.images, train, options.images, "the training images")
    held = read_annotations(options.validation)
    if held.keypoints.names != train.keypoints.names:
        raise UsageError(f"{options.validation} and {options.annotations} have different keypoints")
    held_images = options.validation_images or options.images
    if not held.trainable():
        raise UsageError(f"{options.validation}: nobody is annotated with keypoints")
    return Data(train, options.images, held, held_images, str(options.validation))


def _finetune_cpn(recipe: CPNRecipe, data: Data, options: FinetuneOptions, device: str, stage: Stage) -> Path:
    rank, count = distributed.place()
    best = options.output / "best.safetensors"
    about = {
        "recipe": recipe.model_dump(mode="json"),
        "base": None if options.base is None else {options.base.name: file_digest(options.base)},
        "annotations": {options.annotations.name: file_digest(options.annotations)},
        "measured_on": data.measured_on,
    }

    def measure(model: CPN, progress: Progress) -> float:
        weights = CPNWeights(model, data.train.keypoints)
        estimator = CPNKeypoints(weights, flip=recipe.flip_test, precision=recipe.precision, device=device)
        boxes = FoundBoxes.true(data.held)
        found = list(find_in_boxes(estimator.estimate, data.held, data.held_images, boxes))
        scores = _score(data, found, progress)
        if scores.ap > progress.best or not best.exists():
            told = {"iteration": progress.iteration, "scores": asdict(scores)}
            CPNWeights(model, data.train.keypoints, about | told).save(best)
        return scores.ap

    model = begin(recipe, data.train.keypoints, options.base)
    with stage("fine-tuning CPN", recipe.iterations) as advance:
        train_cpn(
            recipe,
            model,
            data.train,
            data.images,
            folder=options.output,
            resume=options.resume,
            device=device,
            share=Share(rank, count),
            parallel=partial(distributed.share, device=device),
            report=_Reporter(options.output, data, "in the true boxes", advance) if rank == 0 else _silent,
            measure=measure,
        )
    return best


def _launch_mask_rcnn(
    recipe: MaskRCNNRecipe, data: Data, options: FinetuneOptions, device: str, stage: Stage
) -> Path:
    """On one device, or on several GPUs by detectron2's launcher."""
    if options.gpus > max(1, torch.cuda.device_count()):
        raise UsageError(f"--gpus {options.gpus}: there are {torch.cuda.device_count()} here")
    require_detectron2()
    from detectron2.engine import launch

    launch(
        _finetune_mask_rcnn,
        options.gpus,
        dist_url="auto",
        args=(recipe, data, options, device, stage),
        timeout=_PATIENCE,
    )
    from ...detectors.mask_rcnn.finetuning import BEST

    return options.output / f"{BEST}.pth"


def _finetune_mask_rcnn(
    recipe: MaskRCNNRecipe, data: Data, options: FinetuneOptions, device: str, stage: Stage
) -> None:
    require_detectron2()  # of several processes, each
    from detectron2.config import CfgNode
    from detectron2.utils import comm

    from ...detectors.mask_rcnn.finetuning import find_people, train_mask_rcnn

    def measure(model: nn.Module, config: CfgNode, progress: Progress) -> float:
        found = list(find_people(model, config, data.held, data.held_images))
        return _score(data, found, progress).ap

    first = comm.is_main_process()
    with (stage if first else quiet)("fine-tuning Mask R-CNN", recipe.iterations) as advance:
        train_mask_rcnn(
            recipe,
            data.train,
            data.images,
            folder=options.output,
            base=options.base,
            resume=options.resume,
            device=device,
            report=_Reporter(options.output, data, "people found by itself", advance) if first else _silent,
            measure=measure,
        )


def _score(data: Data, found: Sequence[Found], progress: Progress) -> KeypointScores:
    scores = score_keypoints(data.held, found)
    say(f"iteration {progress.iteration}: AP {scores.ap:.3f}, AR {scores.ar:.3f}")
    return scores


def _silent(progress: Progress) -> None:
    pass


class _Reporter:
    """Says what is being done, then how it goes, and keeps the curve."""

    def __init__(self, folder: Path, data: Data, boxes: str, advance: Advance) -> None:
        self.folder, self.advance, self.done = folder, advance, 0
        people, images = len(data.train.trainable()), len(data.train.images)
        say(f"training on {people} people in {images} images; AP on {data.measured_on}, {boxes}")

    def __call__(self, progress: Progress) -> None:
        self.advance(progress.iteration - self.done)  # a resumed run jumps to where it was
        if progress.losses and progress.losses[-1][0] == progress.iteration > self.done:
            loss, rate = progress.losses[-1][1], progress.learning_rate
            say(f"iteration {progress.iteration}: loss {loss:.4g}, learning rate {rate:.2g}")
        self.done = progress.iteration
        newest = max((i for i, _ in (*progress.losses[-1:], *progress.measured[-1:])), default=0)
        if newest == progress.iteration:
            write_curve(self.folder, progress)


def write_curve(folder: Path, progress: Progress) -> None:
    """`curve.csv` and `curve.png`: loss and AP by iteration. Raises `OutputError`."""
    losses, measured = dict(progress.losses), dict(progress.measured)
    with replacing(folder / "curve.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["iteration", "loss", "ap"])
        writer.writerows([i, losses.get(i, ""), measured.get(i, "")] for i in sorted({*losses, *measured}))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(list(losses), list(losses.values()), color="#0072B2", lw=1)
    axes.set(xlabel="iteration", yscale="log")
    axes.set_ylabel("loss", color="#0072B2")
    axes.grid(alpha=0.3)
    beside = axes.twinx()
    beside.plot(list(measured), list(measured.values()), "o-", color="#D55E00")
    beside.set_ylabel("AP", color="#D55E00")
    beside.set_ylim(0, 1)
    with replacing(folder / "curve.png") as path:
        canvas.print_png(path)  # type: ignore[no-untyped-call]
