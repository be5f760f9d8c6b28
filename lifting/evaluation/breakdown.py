"""Errors by action and by person, and the paper's mean over actions.

The paper's tables weigh every action alike, however long it was filmed: frames are averaged within an action
(all its trials, people and cameras together), then actions are averaged. A person's line is the same mean
over that person's actions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .scores import METRICS, Errors, Scores, pool


@dataclass(frozen=True)
class Breakdown:
    """actions: each action's mean over its frames, by name. cells: the same of each person alone, by (person,
    action). subjects: each person's mean over their actions.
    mean: the unweighted mean over actions, which is what the paper reports. people: the unweighted mean over
    people. frames: the mean over all frames."""

    actions: Mapping[str, Errors]
    cells: Mapping[tuple[str, str], Errors]
    subjects: Mapping[str, Errors]
    mean: Errors
    people: Errors
    frames: Errors


def break_down(
    scores: Sequence[Scores], *, subjects: Sequence[str] = (), actions: Sequence[str] = ()
) -> Breakdown:
    """Sort sequences by action and person; those named come first and in this order, the others by name.

    Raises `ValueError` for no scores.
    """
    by_action: dict[str, list[Scores]] = {}
    by_cell: dict[tuple[str, str], list[Scores]] = {}
    for s in scores:
        by_action.setdefault(s.action, []).append(s)
        by_cell.setdefault((s.subject, s.action), []).append(s)
    order = _in_order(actions, by_action)
    names = _in_order(subjects, {subject for subject, _ in by_cell})
    lines = {action: pool(by_action[action]) for action in order}
    cells = {(p, a): pool(by_cell[p, a]) for p in names for a in order if (p, a) in by_cell}
    people = {p: unweighted([errors for (who, _), errors in cells.items() if who == p]) for p in names}
    return Breakdown(
        lines,
        cells,
        people,
        unweighted(list(lines.values())),
        unweighted(list(people.values())),
        pool(scores),
    )


def unweighted(errors: Sequence[Errors], *, frames: int | None = None) -> Errors:
    """The mean in which every entry counts alike, however many frames it has; an undefined error (NaN) does
    not count.

    frames: how many the mean stands for, by default the sum. Raises `ValueError` for no errors.
    """
    if not errors:
        raise ValueError("nothing to average")
    means = {}
    for name in METRICS:
        known = [v for e in errors if not math.isnan(v := getattr(e, name))]
        means[name] = sum(known) / len(known) if known else math.nan
    return Errors(**means, frames=sum(e.frames for e in errors) if frames is None else frames)


def mean_of_draws(breakdowns: Sequence[Breakdown]) -> Breakdown:
    """Every line's mean over several draws of the same sequences. Raises `ValueError` for none."""
    if not breakdowns:
        raise ValueError("nothing to average")

    def mean(errors: Sequence[Errors]) -> Errors:
        return unweighted(errors, frames=errors[0].frames)

    first = breakdowns[0]
    return Breakdown(
        {name: mean([b.actions[name] for b in breakdowns]) for name in first.actions},
        {cell: mean([b.cells[cell] for b in breakdowns]) for cell in first.cells},
        {name: mean([b.subjects[name] for b in breakdowns]) for name in first.subjects},
        mean([b.mean for b in breakdowns]),
        mean([b.people for b in breakdowns]),
        mean([b.frames for b in breakdowns]),
    )


def _in_order(first: Sequence[str], names: Mapping[str, object] | set[str]) -> list[str]:
    return [*(name for name in first if name in names), *sorted(set(names) - set(first))]
