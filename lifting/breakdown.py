"""Errors by action and by person, and the paper's mean over actions.

The paper's tables weigh every action alike, however long it was filmed: frames are averaged within an action,
then actions are averaged. A person's line is the same mean over that person's actions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .evaluation import METRICS, Errors, Scores, pool


@dataclass(frozen=True)
class Breakdown:
    """actions: each action's mean over its frames, by name. subjects: each person's mean over their actions.
    mean: the unweighted mean over actions, which is what the paper reports. frames: the mean over all
    frames."""

    actions: Mapping[str, Errors]
    subjects: Mapping[str, Errors]
    mean: Errors
    frames: Errors


def break_down(scores: Sequence[Scores]) -> Breakdown:
    """Sort sequences by action and person. Raises `ValueError` for no scores."""
    actions = _by_action(scores)
    people = sorted({s.subject for s in scores})
    return Breakdown(
        actions,
        {p: unweighted(list(_by_action([s for s in scores if s.subject == p]).values())) for p in people},
        unweighted(list(actions.values())),
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


def _by_action(scores: Sequence[Scores]) -> dict[str, Errors]:
    names = sorted({s.action for s in scores})
    return {name: pool([s for s in scores if s.action == name]) for name in names}
