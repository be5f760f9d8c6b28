"""Whom a lifter may be measured on: people it has not learned from, by what its file says of its training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import UsageError
from ..datasets.motion_capture import MotionCapture

Role = Literal["held out", "excluded", "trained", "unseen", "unknown"]
"""A clip's part in a lifter's training. held out: kept for measuring. excluded: left out of training, because
it may show a held-out person. trained: learned from. unseen: the training data names no such file. unknown:
the lifter does not say what it learned from."""


@dataclass(frozen=True)
class Selection:
    """clips: indices into the table. people: who they are to the lifter, in words."""

    clips: tuple[int, ...]
    people: str


def roles(table: MotionCapture, about: Mapping[str, Any], *, file: str) -> list[Role]:
    """Every clip's role, for the lifter whose metadata is `about`. Tables are known by their files' names;
    one by another name that has people called like the held-out ones counts as training data."""
    motion = _motion(about, file)
    held = set(motion["held_out"] if motion else about.get("held_out_subjects") or ())
    exclude = set(motion["exclude"] if motion else ())
    data = about.get("training_data") or ()
    training = [Path(path).name for path in ([data] if isinstance(data, str) else data)]
    if motion or file in training or held & set(table.subjects):
        return [
            "held out"
            if subject in held
            else "excluded"
            if exclude & {subject, f"{subject}/{action}"}
            else "trained"
            for subject, action in zip(table.subjects, table.actions, strict=True)
        ]
    return ["unseen" if training else "unknown"] * len(table)


def select_unseen(
    table: MotionCapture,
    about: Mapping[str, Any],
    *,
    file: str,
    subjects: Collection[str] = (),
    actions: Collection[str] = (),
    everybody: bool = False,
) -> Selection:
    """The clips to measure on: of the people and actions named, or else of everybody held out.

    everybody: training people too. Raises `UsageError` where nothing is left, or where people are named whom
    the lifter was trained on.
    """
    found = roles(table, about, file=file)
    wanted = [
        (i, role)
        for i, role in enumerate(found)
        if (not subjects or table.subjects[i] in subjects) and (not actions or table.actions[i] in actions)
    ]
    if not wanted:
        raise UsageError(f"{file}: no clip of these subjects and actions")
    if everybody or subjects:
        chosen = wanted
        trained = sorted({table.subjects[i] for i, role in chosen if role == "trained"})
        if trained and not everybody:
            raise UsageError(
                f"{file}: the lifter was trained on {', '.join(trained)}, and an error on training people "
                f"is no measurement; {_way_out(table, found)}"
            )
    else:
        best = "held out" if "held out" in found else found[0]
        chosen = [(i, role) for i, role in wanted if role == best and role not in ("trained", "excluded")]
        if not chosen:
            raise UsageError(
                f"{file}: no clip of anybody whom the lifter was not trained on; {_way_out(table, found)}"
            )
    return Selection(tuple(i for i, _ in chosen), _describe({role for _, role in chosen}))


def _motion(about: Mapping[str, Any], file: str) -> Mapping[str, Any] | None:
    """What the lifter's training configuration says of the file."""
    for motion in (about.get("config") or {}).get("motions") or ():
        if Path(str(motion.get("path", ""))).name == file:
            return {"held_out": motion.get("held_out") or (), "exclude": motion.get("exclude") or ()}
    return None


def _way_out(table: MotionCapture, found: list[Role]) -> str:
    held = sorted({s for s, role in zip(table.subjects, found, strict=True) if role == "held out"})
    kept = f"held out are {', '.join(held)}; " if held else ""
    return f"{kept}--all-subjects measures training people all the same"


def _describe(found: set[Role]) -> str:
    if "trained" in found:
        return "people the lifter was trained on among them: no measure of its accuracy"
    if "unknown" in found:
        return "the lifter's file does not say whom it was trained on; these may be training people"
    if "unseen" in found:
        return "unseen: the lifter's training data names no such file"
    return "kept out of the lifter's training"
