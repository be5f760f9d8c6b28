"""Report the fine-tuning of a detector: lines on the terminal, and a curve of loss and AP."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...detectors.coco.evaluation import Found, KeypointScores, score_keypoints
from ...files import replacing
from ...lifting.training.training_state import TrainingState
from ..progress import Advance, say
from .finetune_options import FinetuneData


class FinetuneReporter:
    """Prints the training data and the progress of a run, and keeps the curve up to date.

    Args:
        folder: Where the curve is written.
        data: What is trained and measured on.
        people: Which people AP is measured on, in words.
        advance: Advances the progress bar.
    """

    def __init__(self, folder: Path, data: FinetuneData, people: str, advance: Advance) -> None:
        self._folder, self._advance, self._done = folder, advance, 0
        count, images = len(data.train.trainable()), len(data.train.images)
        say(f"training on {count} people in {images} images; AP on {data.measured_on}, {people}")

    def __call__(self, state: TrainingState) -> None:
        """Report the state after an iteration."""
        self._advance(state.step - self._done)  # a resumed run begins with a jump to where it stopped
        new_loss = bool(state.curve) and state.curve[-1][0] == state.step
        new_ap = bool(state.history) and state.history[-1][0] == state.step
        if new_loss and state.step > self._done:
            rate = f"learning rate {state.learning_rate:.2g}"
            say(f"iteration {state.step}: loss {state.losses[-1]:.4g}, {rate}")
        self._done = state.step
        if new_loss or new_ap:
            write_curve(self._folder, state)


def score(data: FinetuneData, found: Sequence[Found], iteration: int) -> KeypointScores:
    """Score the people found in the validation images. Print and return the scores."""
    scores = score_keypoints(data.validation, found)
    say(f"iteration {iteration}: AP {scores.ap:.3f}, AR {scores.ar:.3f}")
    return scores


def write_curve(folder: Path, state: TrainingState) -> None:
    """Write `curve.csv` and `curve.png`: loss and AP by iteration.

    Raises:
        OutputError: A file cannot be written.
    """
    losses = dict(state.curve)
    measured = {step: values["ap"] for step, values in state.history}
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
    right = axes.twinx()
    right.plot(list(measured), list(measured.values()), "o-", color="#D55E00")
    right.set_ylabel("AP", color="#D55E00")
    right.set_ylim(0, 1)
    with replacing(folder / "curve.png") as path:
        canvas.print_png(path)  # type: ignore[no-untyped-call]
