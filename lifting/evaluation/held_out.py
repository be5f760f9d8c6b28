"""Select the people that a lifter may be measured on: those it was not trained on, by its file's metadata."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import UsageError
from ..datasets.motion_capture import MotionCapture

Role = Literal["held out", "excluded", "trained", "other data", "unknown"]
"""How a clip was used in a lifter's training.

held out: kept for measuring. excluded: left out of training because it may show a held-out person. trained:
used for training. other data: the training data names no such file. unknown: the lifter's file does not name
its training data.
"""


@dataclass(frozen=True)
class Selection:
    """The clips to measure on.

    Attributes:
        clips: Indices into the table.
        people: Who these people are, in words, such as that the lifter was not trained on them.
    """

    clips: tuple[int, ...]
    people: str


def roles(table: MotionCapture, about: Mapping[str, Any], *, file: str) -> list[Role]:
    """Return the role of every clip of a motion-capture table.

    Tables are recognised by their files' names. A table of another name whose people have names of held-out
    people counts as training data.

    Args:
        table: The motion capture.
        about: Metadata of the lifter.
        file: Name of the table's file.
    """
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
    return ["other data" if training else "unknown"] * len(table)


def select_held_out(
    table: MotionCapture,
    about: Mapping[str, Any],
    *,
    file: str,
    subjects: Collection[str] = (),
    actions: Collection[str] = (),
    all_subjects: bool = False,
) -> Selection:
    """Select the clips to measure on: of the given people and actions, by default of all held-out people.

    Args:
        table: The motion capture.
        about: Metadata of the lifter.
        file: Name of the table's file.
        subjects: People to measure on.
        actions: Actions to measure on; empty for all.
        all_subjects: Include people that the lifter was trained on.

    Raises:
        UsageError: No clip is left, or the lifter was trained on a given person.
    """
    found = roles(table, about, file=file)
    wanted = [
        (i, role)
        for i, role in enumerate(found)
        if (not subjects or table.subjects[i] in subjects) and (not actions or table.actions[i] in actions)
    ]
    if not wanted:
        raise UsageError(f"{file}: no clip of these subjects and actions")
    if all_subjects or subjects:
        chosen = wanted
        trained = sorted({table.subjects[i] for i, role in chosen if role == "trained"})
        if trained and not all_subjects:
            raise UsageError(
                f"{file}: the lifter was trained on {', '.join(trained)}, and an error on training people "
                f"is no measurement; {_way_out(table, found)}"
            )
    else:
        best = "held out" if "held out" in found else found[0]
        chosen = [(i, role) for i, role in wanted if role == best and role not in ("trained", "excluded")]
        if not chosen:
            raise UsageError(
                f"{file}: no clip of a person that the lifter was not trained on; {_way_out(table, found)}"
            )
    return Selection(tuple(i for i, _ in chosen), _describe({role for _, role in chosen}))


def _motion(about: Mapping[str, Any], file: str) -> Mapping[str, Any] | None:
    """Return what the lifter's training configuration says about the file, if anything."""
    for motion in (about.get("config") or {}).get("motions") or ():
        if Path(str(motion.get("path", ""))).name == file:
            return {"held_out": motion.get("held_out") or (), "exclude": motion.get("exclude") or ()}
    return None


def _way_out(table: MotionCapture, found: list[Role]) -> str:
    held = sorted({s for s, role in zip(table.subjects, found, strict=True) if role == "held out"})
    kept = f"held out are {', '.join(held)}; " if held else ""
    return f"{kept}--all-subjects measures on training people too"


def _describe(found: set[Role]) -> str:
    if "trained" in found:
        return "the lifter was trained on some of them: no measure of its accuracy"
    if "unknown" in found:
        return "the lifter's file does not name its training data; these may be training people"
    if "other data" in found:
        return "held out: the lifter's training data names no such file"
    return "held out of the lifter's training"
