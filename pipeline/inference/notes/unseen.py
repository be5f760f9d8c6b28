"""Notes on people of whom the picture shows a part only, so that the rest of their motion is a guess."""

from __future__ import annotations

import numpy as np

from ....lifting.pose_table import PoseTable
from ....skeleton import H36M17

_PARTS = {
    "head": ("head",),
    "elbows": ("lelbow", "relbow"),
    "wrists": ("lwrist", "rwrist"),
    "hips": ("lhip", "rhip"),
    "knees": ("lknee", "rknee"),
    "feet": ("lfoot", "rfoot"),
}


def unseen_notes(table: PoseTable) -> list[str]:
    """Return what is hidden, or outside the picture, on most frames of people, and what follows, as clauses.

    One side of a pair, such as the arm behind a body, is not told.
    """
    people: dict[tuple[str, ...], list[str]] = {}
    for track, rows in table.tracks():
        hidden = table.confidence[rows] == 0
        parts = tuple(
            part
            for part, joints in _PARTS.items()
            if np.mean(hidden[:, [H36M17.index(joint) for joint in joints]].all(1)) > 0.5
        )
        if parts:
            people.setdefault(parts, []).append(str(track))
    notes = [
        f"{_listed(parts)} of {'person' if len(tracks) == 1 else 'people'} {_listed(tracks)} are out of "
        "sight on most frames; their motion is a guess"
        for parts, tracks in people.items()
    ]
    if table.floor_is_guess and any("feet" in parts for parts in people):
        notes.append(
            "no foot is seen at rest, so the height of the floor is a guess; `infer` and `lift` take "
            "--camera-height"
        )
    return notes


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
