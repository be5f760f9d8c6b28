"""Average errors by action and by person, and over actions as the paper's tables do.

The paper's tables weigh every action equally, however long it is: frames are averaged within an action (all
its trials, people and cameras together), then actions are averaged. A person's error is the same mean over
that person's actions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .scores import METRICS, Errors, Scores, pool


@dataclass(frozen=True)
class Breakdown:
    """Mean errors of one lifter on one dataset.

    Attributes:
        actions: Mean over the frames of each action, by name.
        cells: Mean over the frames of each person's action, by (person, action).
        subjects: Mean over the actions of each person, by name.
        mean: Unweighted mean over actions, which the paper reports.
        people: Unweighted mean over people.
        frames: Mean over all frames.
    """

    actions: Mapping[str, Errors]
    cells: Mapping[tuple[str, str], Errors]
    subjects: Mapping[str, Errors]
    mean: Errors
    people: Errors
    frames: Errors


def break_down(
    scores: Sequence[Scores], *, subjects: Sequence[str] = (), actions: Sequence[str] = ()
) -> Breakdown:
    """Average the scores of sequences by action and person.

    Args:
        scores: The errors of every frame of each sequence.
        subjects: People that come first, in this order; the others follow by name.
        actions: Actions that come first, in this order; the others follow by name.

    Raises:
        ValueError: There are no scores.
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
    """Average errors, each with the same weight whatever its number of frames; NaN is left out.

    Args:
        errors: The errors to average.
        frames: Number of frames of the mean; by default the sum.

    Raises:
        ValueError: There are no errors.
    """
    if not errors:
        raise ValueError("nothing to average")
    means = {}
    for name in METRICS:
        known = [v for e in errors if not math.isnan(v := getattr(e, name))]
        means[name] = sum(known) / len(known) if known else math.nan
    return Errors(**means, frames=sum(e.frames for e in errors) if frames is None else frames)


def mean_of_seeds(breakdowns: Sequence[Breakdown]) -> Breakdown:
    """Average breakdowns of the same sequences that were simulated with several seeds.

    Raises:
        ValueError: There are no breakdowns.
    """
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
