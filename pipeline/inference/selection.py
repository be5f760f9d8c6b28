"""Which people of a video are kept: a number of them, their ids, or where they are in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

from ...detectors.tracking import keypoint_boxes, most_present
from ...errors import UsageError
from ...lifting.pose_table import PoseTable
from ..option_types import is_of

_MARGIN = 0.1  # the body extends beyond its outermost keypoints: share of the box's longer side
_NEAR_IN_TIME = 0.5  # seconds between the time that is given and a frame with people


@dataclass(frozen=True)
class Place:
    """A point in the picture, which chooses the person who is there.

    Attributes:
        x: Pixels of the upright frame, from the left.
        y: Pixels of the upright frame, from the top.
        time: Seconds; None for the first frame on which a person is there.

    Raises:
        UsageError: A value is not a finite number.
    """

    x: float
    y: float
    time: float | None = None

    def __post_init__(self) -> None:
        values = [self.x, self.y, *([] if self.time is None else [self.time])]
        if not all(is_of(value, Real) and math.isfinite(value) for value in values):
            raise UsageError(f"--select-at takes X,Y or X,Y@SECONDS, found {self}")

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return the place that a text such as "640,360" or "640,360@2.5" names.

        Raises:
            UsageError: The text is not of this form.
        """
        at, _, seconds = text.partition("@")
        try:
            x, y = (float(part) for part in at.split(","))
            return cls(x, y, float(seconds) if "@" in text else None)
        except ValueError:
            raise UsageError(
                f"--select-at takes X,Y or X,Y@SECONDS, such as 640,360@2.5, found {text!r}"
            ) from None

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        return f"{self.x:g},{self.y:g}" + ("" if self.time is None else f"@{self.time:g}")


def parse_ids(text: str) -> tuple[int, ...]:
    """Return the ids that a text such as "2,5" lists.

    Raises:
        UsageError: The text is not of this form.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"--select takes ids of people, such as 2,5, found {text!r}")
    return tuple(int(part) for part in parts)


@dataclass(frozen=True)
class Selection:
    """Which people are kept.

    Attributes:
        people: How many, those who are most present; None for all. Used if no one is chosen by id or place.
        ids: The ids of people.
        places: Points in the picture at which people are.

    Raises:
        UsageError: A value is impossible.
    """

    people: int | None = None
    ids: tuple[int, ...] = ()
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if self.people is not None and not (is_of(self.people, Integral) and self.people >= 1):
            raise UsageError("--people takes a number from 1 on, or all (from Python: None)")
        if not all(is_of(each, Integral) and each >= 0 for each in self.ids):
            raise UsageError(f"--select takes ids of people, such as 2,5, found {self.ids}")

    @property
    def by_name(self) -> bool:
        """Whether people are chosen by id or place."""
        return bool(self.ids or self.places)


def select_people(table: PoseTable, selection: Selection) -> PoseTable:
    """Return the table with the chosen people only. They keep their ids.

    Args:
        table: The people of a video.
        selection: Whom to keep.

    Returns:
        The table. If people were left out because of `selection.people`, `meta["others"]` is their number.

    Raises:
        UsageError: There is no person of a chosen id, or no person at a chosen place.
    """
    tracks = dict(table.tracks())
    if selection.by_name:
        chosen = {*_known(selection.ids, tracks), *(_person_at(table, place) for place in selection.places)}
        return table if len(chosen) == len(tracks) else table[np.isin(table.track, list(chosen))]
    if selection.people is None or len(tracks) <= selection.people:
        return table
    seen = {track: table.keypoints[rows][~table.filled[rows]] for track, rows in tracks.items()}
    main = most_present(seen, selection.people, table.size)
    others = len(tracks) - len(main)
    return replace(table[np.isin(table.track, main)], meta={**table.meta, "others": others})


def _known(ids: tuple[int, ...], tracks: dict[int, slice]) -> tuple[int, ...]:
    """Return `ids` if there is a person of each."""
    if missing := [each for each in ids if each not in tracks]:
        found = ", ".join(map(str, tracks))
        raise UsageError(
            f"--select {missing[0]}: expected one of the people {found}; `videopose people` shows them"
        )
    return ids


def _person_at(table: PoseTable, place: Place) -> int:
    """Return the id of the person at a place, on the given frame or on the first that has one there."""
    boxes = body_boxes(table.keypoints)
    inside = (
        (boxes[:, 0] <= place.x)
        & (place.x <= boxes[:, 2])
        & (boxes[:, 1] <= place.y)
        & (place.y <= boxes[:, 3])
    )
    if place.time is not None:
        shown = np.unique(table.frame)
        away = np.abs(table.time[shown] - place.time)
        if away.min() > _NEAR_IN_TIME:
            seen = table.time[shown[away.argmin()]]
            raise UsageError(
                f"--select-at {place}: nobody is seen near {place.time:g} s; the nearest frame with a person "
                f"is at {seen:.2f} s"
            )
        inside &= table.frame == shown[away.argmin()]
    if not inside.any():
        when = "on any frame" if place.time is None else f"at {place.time:g} s"
        raise UsageError(
            f"--select-at {place}: expected a person there, found none {when}; `videopose people` shows "
            "who is where"
        )
    rows = np.flatnonzero(inside)
    rows = rows[table.frame[rows] == table.frame[rows].min()]
    # Of several people the one whose middle is nearest, in units of that person's box.
    middle = (boxes[rows, :2] + boxes[rows, 2:]) / 2
    extent = np.maximum(boxes[rows, 2:] - boxes[rows, :2], 1)
    apart = np.linalg.norm((middle - (place.x, place.y)) / extent, axis=1)
    return int(table.track[rows[np.argmin(apart)]])


def body_boxes(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return boxes around bodies, which extend a little beyond their keypoints.

    Shape:
        keypoints: (N, 17, 3).
        result: (N, 4), x0, y0, x1, y1 in pixels, not cut at the picture's edge.
    """
    boxes = keypoint_boxes(keypoints)
    margin = _MARGIN * (boxes[:, 2:] - boxes[:, :2]).max(-1, keepdims=True)
    return np.asarray(boxes + margin * np.array([-1, -1, 1, 1], np.float32), np.float32)
