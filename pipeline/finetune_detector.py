"""`videopose finetune-detector`: annotated images and a recipe in, a detector's weights out."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..detectors.coco_annotations import Annotations, FoundBoxes, read_annotations
from ..detectors.coco_evaluation import find_in_boxes, score_keypoints
from ..detectors.cpn import CPN
from ..detectors.cpn_detector import CPNKeypoints
from ..detectors.cpn_weights import CPNWeights
from ..detectors.finetune_config import CPNRecipe, MaskRCNNRecipe, load_recipe
from ..detectors.finetune_cpn import Progress, begin, train_cpn
from ..detectors.finetune_samples import Share
from ..errors import OutputError, UsageError
from ..files import file_digest, replacing
from ..lifting import distributed
from .device import choose_device
from .outputs import check_writable
from .progress import Stage, say


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
    """Annotations and where their images lie; what is trained on, and what AP is measured on."""

    train: Annotations
    images: Path
    held: Annotations
    held_images: Path


def run(options: FinetuneOptions, *, stage: Stage) -> Path:
    """Fine-tune and return the path of the best weights, by AP.

    Raises `OutputError` where there are weights already and may not be replaced, and what reading recipe,
    annotations, images and base raises.
    """
    recipe = load_recipe(options.recipe, options.detector, options.overrides)
    output = options.output
    if not options.overwrite and not options.resume:
        for name in ("checkpoint.pt", "last_checkpoint", "best.safetensors"):
            if (output / name).exists():
                raise OutputError(
                    f"{output / name} exists; --resume goes on from a checkpoint, --overwrite begins anew"
                )
    check_writable(output)
    data = _read(options)
    if isinstance(recipe, MaskRCNNRecipe):
        from ..detectors.finetune_mask_rcnn import train_mask_rcnn

        raise NotImplementedError(train_mask_rcnn)
    if options.gpus > 1:
        raise UsageError(
            f"for several GPUs start CPN with: torchrun --nproc-per-node {options.gpus} -m videopose …"
        )
    with distributed.joined(choose_device(options.device)) as device:
        return _finetune_cpn(recipe, data, options, device, stage)


def _read(options: FinetuneOptions) -> Data:
    train = read_annotations(options.annotations)
    if options.validation is None:
        return Data(train, options.images, train, options.images)
    held = read_annotations(options.validation)
    if held.keypoints.names != train.keypoints.names:
        raise UsageError(f"{options.validation} and {options.annotations} have different keypoints")
    return Data(train, options.images, held, options.validation_images or options.images)


def _finetune_cpn(recipe: CPNRecipe, data: Data, options: FinetuneOptions, device: str, stage: Stage) -> Path:
    rank, count = distributed.place()
    best, output = options.output / "best.safetensors", options.output
    about = {
        "recipe": recipe.model_dump(mode="json"),
        "base": None if options.base is None else {options.base.name: file_digest(options.base)},
        "annotations": {options.annotations.name: file_digest(options.annotations)},
    }
    measured_on = "the training images" if data.held is data.train else str(options.validation)
    if rank == 0:
        people, images = len(data.train.trainable()), len(data.train.images)
        say(f"training on {people} people in {images} images; AP with true boxes, on {measured_on}")

    def measure(model: CPN, progress: Progress) -> float:
        weights = CPNWeights(model, data.train.keypoints)
        estimator = CPNKeypoints(weights, flip=recipe.flip_test, precision=recipe.precision, device=device)
        boxes = FoundBoxes.true(data.held)
        found = list(find_in_boxes(estimator.estimate, data.held, data.held_images, boxes))
        scores = score_keypoints(data.held, found)
        say(f"iteration {progress.iteration}: AP {scores.ap:.3f}, AR {scores.ar:.3f}")
        if scores.ap > progress.best or not best.exists():
            told = {"iteration": progress.iteration, "measured_on": measured_on, "scores": asdict(scores)}
            CPNWeights(model, data.train.keypoints, about | told).save(best)
        return scores.ap

    with stage("fine-tuning CPN", recipe.iterations) as advance:
        done = 0

        def report(progress: Progress) -> None:
            nonlocal done
            advance(progress.iteration - done)  # a resumed run jumps to where it was
            done = progress.iteration
            if progress.losses and progress.losses[-1][0] == progress.iteration:
                loss, rate = progress.losses[-1][1], progress.learning_rate
                say(f"iteration {progress.iteration}: loss {loss:.4g}, learning rate {rate:.2g}")
                _write_curves(output, progress)

        train_cpn(
            recipe,
            begin(recipe, data.train.keypoints, options.base),
            data.train,
            data.images,
            folder=output,
            resume=options.resume,
            device=device,
            share=Share(rank, count),
            parallel=partial(distributed.share, device=device),
            report=report,
            measure=measure,
        )
    return best


def _write_curves(folder: Path, progress: Progress) -> None:
    """`curve.csv` and `curve.png`: loss and AP by iteration."""
    measured = dict(progress.measured)
    rows: dict[int, Sequence[object]] = {i: (loss, measured.pop(i, "")) for i, loss in progress.losses}
    rows |= {i: ("", ap) for i, ap in measured.items()}
    with (
        replacing(folder / "curve.csv") as partial_,
        partial_.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["iteration", "loss", "ap"])
        writer.writerows([i, *rows[i]] for i in sorted(rows))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(*zip(*progress.losses, strict=True), color="#0072B2", lw=1)
    axes.set(xlabel="iteration", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    points = [(i, ap) for i, ap in progress.measured if not math.isnan(ap)]
    if points:
        beside = axes.twinx()
        beside.plot(*zip(*points, strict=True), "o-", color="#D55E00")
        beside.set_ylabel("AP", color="#D55E00")
        beside.set_ylim(0, 1)
    with replacing(folder / "curve.png") as partial_:
        canvas.print_png(partial_)  # type: ignore[no-untyped-call]
