"""How a training run goes, on the terminal, and how it went, as a picture and as numbers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...files import replacing
from ...lifting.evaluation.scores import Errors
from ...lifting.training.checkpoint import Progress
from ..progress import Advance, say


class Follower:
    """Shows a training run's progress; `train` reports to it.

    advance: of the stage that is shown. latest: how the run stands, None where it was finished before.
    """

    def __init__(self, advance: Advance) -> None:
        self.latest: Progress | None = None
        self._advance = advance
        self._done = 0

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        self.latest = progress
        self._advance(progress.step - self._done)  # a resumed run jumps to where it was
        self._done = progress.step


def say_errors(step: int, epoch: int | None, errors: str) -> None:
    """Print what was measured after so many steps; epoch: steps of one, None where there are none."""
    say(f"{f'epoch {step // epoch}' if epoch else f'step {step}'}: {errors}")


def rounded(errors: Errors) -> dict[str, float]:
    """By name, to a hundredth of a millimetre."""
    return {name: round(value, 2) for name, value in asdict(errors).items()}


def draw_curves(path: Path, progress: Progress, epoch: int | None) -> None:
    """Training and held-out errors as PNG, against epochs of `epoch` steps, or steps where it is None."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    unit = epoch or 1
    points = [progress.every * (i + 1) / unit for i in range(len(progress.losses))]
    axes.plot(points, [1000 * v for v in progress.losses], color="#0072B2", lw=1, label="training MPJPE")
    if progress.history:
        at = [step / unit for step, _ in progress.history]
        for key, style, colour, name in (
            ("mpjpe", "o-", "#D55E00", "MPJPE"),
            ("p_mpjpe", "s--", "#009E73", "P-MPJPE"),
        ):
            values = [errors[key] for _, errors in progress.history]
            axes.plot(at, values, style, color=colour, label=f"held-out people: {name}")
    axes.set(xlabel="epoch" if epoch else "step", ylabel="mm", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(path) as partial:
        canvas.print_png(partial)  # type: ignore[no-untyped-call]
