"""Report a training run: progress on the terminal, and curves as a picture."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...files import replacing
from ...lifting.evaluation.scores import Errors
from ...lifting.training.training_state import TrainingState
from ..progress import Advance, say


class ProgressReporter:
    """Advances a progress bar after every training step.

    Attributes:
        latest: The state of the run; None if it was finished before.
    """

    def __init__(self, advance: Advance) -> None:
        self.latest: TrainingState | None = None
        self._advance = advance
        self._done = 0

    def __call__(self, state: TrainingState) -> None:
        """Show the state."""
        self.latest = state
        self._advance(state.step - self._done)  # a resumed run begins with a jump to where it stopped
        self._done = state.step


def say_errors(step: int, steps_per_epoch: int | None, errors: str) -> None:
    """Print what was measured after so many steps."""
    say(f"{f'epoch {step // steps_per_epoch}' if steps_per_epoch else f'step {step}'}: {errors}")


def rounded(errors: Errors) -> dict[str, float]:
    """Return errors by name, to a hundredth of a millimetre."""
    return {name: round(value, 2) for name, value in asdict(errors).items()}


def plot_curves(path: Path, state: TrainingState, steps_per_epoch: int | None) -> None:
    """Write the training and held-out errors as a PNG file, by epoch or, if there are none, by step.

    Raises:
        OutputError: The file cannot be written.
    """
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    unit = steps_per_epoch or 1
    points = [step / unit for step, _ in state.curve]
    axes.plot(points, [1000 * v for v in state.losses], color="#0072B2", lw=1, label="training MPJPE")
    if state.history:
        at = [step / unit for step, _ in state.history]
        for key, style, colour, name in (
            ("mpjpe", "o-", "#D55E00", "MPJPE"),
            ("p_mpjpe", "s--", "#009E73", "P-MPJPE"),
        ):
            values = [errors[key] for _, errors in state.history]
            axes.plot(at, values, style, color=colour, label=f"held-out people: {name}")
    axes.set(xlabel="epoch" if steps_per_epoch else "step", ylabel="mm", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(path) as partial:
        canvas.print_png(partial)  # type: ignore[no-untyped-call]
