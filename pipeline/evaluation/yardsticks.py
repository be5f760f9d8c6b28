"""`evaluate --yardsticks`: measure a lifter on motion capture that is harder than everyday motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from ...errors import UsageError
from ...lifting.datasets.motion_capture import MotionCapture
from ...lifting.evaluation.held_out import roles, select_held_out
from ...lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from ...lifting.evaluation.scores import lift_with
from ...lifting.evaluation.yardsticks import Yardstick, check_lifter, measure_far, measure_windows
from ...lifting.inference.lifter import Lifter
from ...lifting.inference.pretrained import load_lifter
from ...lifting.simulation.config import CameraConfig, DetectionConfig
from ..plain_text import plain
from ..progress import Progress, say
from .evaluate_lifter import find_sources
from .evaluation_data import EvaluateOptions
from .motion_capture_data import TRUE_2D, MotionCaptureData

_SEED = 1
_UNITS = (
    "mm. visible: MPJPE of the visible joints about their own mean; ratio: to the same with nothing hidden"
)


@dataclass(frozen=True)
class YardstickTable:
    """Yardsticks of one motion-capture table; `name` is its file's."""

    name: str
    yardsticks: tuple[Yardstick, ...]


def measure_yardsticks(options: EvaluateOptions, *, progress: Progress) -> list[YardstickTable]:
    """Measure the lifter with every yardstick, on each motion-capture table that it may be measured on.

    Args:
        options: What to measure, and how. Of several seeds only the first is used.
        progress: How progress is shown.

    Raises:
        UsageError: The lifter is of another kind, or there is no table that it may be measured on.
    """
    lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
    check_lifter(lifter)
    tables = [source for source in find_sources(options) if isinstance(source, MotionCaptureData)]
    training = training_motion(lifter, tables)
    if not training:
        say("note: far poses are left out: --data does not hold all of the lifter's training motion")
    measured, refusals = [], []
    for source in tables:
        try:
            chosen = select_held_out(
                source.motion,
                lifter.about,
                file=source.name,
                subjects=frozenset(options.subjects),
                actions=frozenset(options.actions),
                all_subjects=options.all_subjects,
            )
        except UsageError as error:
            refusals.append(error)
            continue
        held = source.motion.select(chosen.clips)
        lines = _measure(source.name, held, training, lifter, options, progress)
        measured.append(YardstickTable(source.name, tuple(lines)))
    if not measured:
        raise refusals[0] if refusals else UsageError("--yardsticks takes motion-capture tables in --data")
    return measured


def training_motion(lifter: Lifter, tables: Sequence[MotionCaptureData]) -> list[MotionCapture]:
    """Return the clips that the lifter was trained on; no clips if a file that it names is missing."""
    config = lifter.about.get("config") or {}
    names = {Path(str(motion["path"])).name for motion in config.get("motions") or ()}
    there = {source.name: source.motion for source in tables}
    if not names or not names <= there.keys():
        return []
    found = []
    for name in sorted(names):
        motion = there[name]
        trained = [i for i, role in enumerate(roles(motion, lifter.about, file=name)) if role == "trained"]
        if trained:
            found.append(motion.select(trained))
    return found


def show_yardsticks(tables: Sequence[YardstickTable], *, lifter: str) -> None:
    """Print one table for each motion-capture table."""
    console = Console()
    for measured in tables:
        heading = plain(f"{lifter} on {measured.name}: yardsticks")
        console.print(heading, style="bold", markup=False, highlight=False)
        table = Table(box=box.SIMPLE, caption=_UNITS, caption_justify="left")
        table.add_column("what")
        for title in ("MPJPE", "P-MPJPE", "visible", "ratio", "number"):
            table.add_column(title, justify="right", no_wrap=True)
        for each in measured.yardsticks:
            table.add_row(
                each.name,
                f"{each.mpjpe:.1f}",
                f"{each.p_mpjpe:.1f}",
                "–" if each.visible is None else f"{each.visible:.1f}",
                "–" if each.relative is None else f"{each.relative:.3f}",
                str(each.count),
            )
        console.print(table)


def _measure(
    name: str,
    held: MotionCapture,
    training: Sequence[MotionCapture],
    lifter: Lifter,
    options: EvaluateOptions,
    progress: Progress,
) -> list[Yardstick]:
    severity = None if options.true_2d else options.severity
    lines: list[Yardstick] = []
    with progress(f"yardsticks, {name}", len(held) * options.cameras if training else None) as advance:
        if training:
            rate = lifter.rate or held.rate
            sequences = list(
                motion_capture_sequences(
                    held,
                    rate=rate,
                    cameras=CameraConfig(),
                    detections=TRUE_2D
                    if severity is None
                    else DetectionConfig(severity=(severity, severity)),
                    per_clip=options.cameras,
                    seed=_SEED,
                )
            )
            lift = lift_with(lifter, flip=options.flip)
            lines.append(measure_far(held, training, sequences, lift, rate=rate, done=advance))
        lines += measure_windows(held, lifter, severity=severity, flip=options.flip)
    return lines
