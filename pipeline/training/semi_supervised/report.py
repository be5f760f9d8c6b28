"""Report the effect of training on a user's videos, as `report.md` and `curves.png`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ....files import readable_name, replacing
from ....lifting.training.training_state import TrainingState
from ....semi.quality import Quality
from .find_people import People

_ROWS = (
    ("reprojection", "2D reprojection error, pixels", "{:.2f}"),
    ("reprojection_rays", "2D reprojection error, thousandths of the focal length", "{:.2f}"),
    ("bones", "change of bone lengths within a track, %", "{:.2f}"),
    ("sides", "difference of left and right bones, %", "{:.2f}"),
    ("jitter", "jitter (acceleration about the root), m/s²", "{:.2f}"),
    ("placed", "frames whose root is known, share", "{:.3f}"),
)


def write_report(
    folder: Path,
    *,
    before: Quality,
    after: Quality,
    held_out: bool,
    state: TrainingState | None,
    people: People,
    shortest: float,
    about: Mapping[str, Any],
) -> None:
    """Write `report.md`, and `curves.png` if this run trained at all.

    Args:
        folder: Where to write.
        before: The measurements before training.
        after: The measurements after it.
        held_out: Whether both were measured on held-out parts of the videos.
        state: Losses and measurements of the training; None if it was finished before.
        people: The people found in the videos.
        shortest: Seconds of the lifter's receptive field. Shorter tracks are mentioned.
        about: The metadata of the lifter's file.

    Raises:
        OutputError: A file cannot be written.
    """
    where = (
        "the last part of every track, which was not learned from" if held_out else "the footage learned from"
    )
    lines = [
        "# Semi-supervised training",
        "",
        f"Measured on {where}: {after.frames:,} frames. Lower is better, except in the last row.",
        "None of these is an error in 3D, which can only be measured on a calibrated recording.",
        "",
        "| | before | after |",
        "|---|---|---|",
        *(
            f"| {words} | {form.format(getattr(before, name))} | {form.format(getattr(after, name))} |"
            for name, words, form in _ROWS
        ),
        "",
        f"Started from the lifter {about['started_from']['name']}.",
        f"Labeled half: {about['labeled']}.",
        "",
        *_videos(people, shortest),
        "",
    ]
    if state is not None:
        _plot(folder / "curves.png", state, before)
    if (folder / "curves.png").exists():
        lines += ["![How the errors changed](curves.png)", ""]
    with replacing(folder / "report.md") as partial:
        partial.write_text(readable_name("\n".join(lines)), encoding="utf-8")


def _videos(people: People, shortest: float) -> list[str]:
    """Return a table of the tracks in each video, and a list of the videos that were left out."""
    lines = ["| video | tracks | seconds | camera |", "|---|---|---|---|"]
    for video in people.videos:
        lasting = [span.seconds for span in people.spans if span.name == video["name"]]
        short = sum(seconds < shortest for seconds in lasting)
        tracks = str(len(lasting)) + (f", {short} of them shorter than {shortest:.1f} s" if short else "")
        lines.append(f"| {video['name']} | {tracks} | {sum(lasting):.1f} | {video['intrinsics']} |")
    if people.left_out:
        lines += ["", "Left out:", "", *(f"- {name}: {reason}" for name, reason in people.left_out)]
    return lines


def _plot(path: Path, state: TrainingState, before: Quality) -> None:
    """Three panels over steps: training error, reprojection, bones and jitter."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3)
    left.plot([step for step, _ in state.curve], [1000 * v for v in state.losses], color="#0072B2", lw=1)
    left.set(title="labeled poses, training", ylabel="MPJPE, mm", ylim=(0, None))
    at = [0, *(step for step, _ in state.history)]
    for axes, names in ((middle, ("reprojection",)), (right, ("bones", "sides", "jitter"))):
        for name, style in zip(names, ("o-", "s--", "^:"), strict=False):
            values = [getattr(before, name), *(errors[name] for _, errors in state.history)]
            axes.plot(at, values, style, label=name)
        axes.legend()
    middle.set(title="measured footage", ylabel="pixels", ylim=(0, None))
    right.set(title="measured footage", ylabel="%, and m/s²", ylim=(0, None))
    for axes in (left, middle, right):
        axes.set(xlabel="step")
        axes.grid(alpha=0.3)
    with replacing(path) as partial:
        canvas.print_png(partial)  # type: ignore[no-untyped-call]
