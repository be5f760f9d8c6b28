"""People's keypoints on the frames of a video, in the layout of the program that made them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bounded import as_float32
from ...errors import InputError, NoPeopleError
from ...skeleton import COCO17, H36M17, Skeleton
from .layouts import LAYOUTS, find_layout, looks_like_body25, looks_like_h36m, recognise_layout

UNKNOWN_PERSON = -1
"""The person's number if the file does not give one."""

MOST_PEOPLE = 1000
"""People on one frame that are read."""


@dataclass(frozen=True)
class Sightings:
    """People's keypoints on the frames of one video; one row for each person on each frame.

    Attributes:
        format: The name of the file's format.
        layout: The keypoints, in order.
        frame: (N,) int64, 0-based.
        keypoints: (N, J, 3) float32, x and y in pixels and score 0–1; all three are 0 if a keypoint was not
            found.
        person: (N,) int64, the person's number, or `UNKNOWN_PERSON`.
        size: The video's width and height in pixels, if the file gives it.
        length: The video's number of frames, if the file gives it.
        numbered: Whether frames have the numbers of image files, which some programs count from 1.
        first: The lowest of these numbers if every frame has one, also a frame without people.
        notes: What was assumed, as clauses for the user.
    """

    format: str
    layout: Skeleton
    frame: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    person: NDArray[np.int64]
    size: tuple[int, int] | None = None
    length: int | None = None
    numbered: bool = False
    first: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One person on one frame.

    Attributes:
        frame: 0-based.
        keypoints: (J, 2 or 3), x, y and optionally score.
        person: The person's number.
    """

    frame: int
    keypoints: NDArray[np.float32]
    person: int = UNKNOWN_PERSON


def make_sightings(
    format: str, rows: Iterable[Row], layout: str | None, hint: Skeleton | None = None
) -> Sightings:
    """Make sightings of the rows of a file.

    Args:
        format: The name of the file's format.
        rows: People on frames.
        layout: The name of the layout, if the user gives it.
        hint: The left and right joints, if the file gives them.

    Raises:
        NoPeopleError: If no row has a keypoint.
        InputError: If people have different numbers of keypoints, or their layout is not known.
        UsageError: If `layout` is not known or does not fit.
    """
    rows, notes = _with_scores(list(rows))
    people = [(row, _scored(row.keypoints)) for row in rows]
    people = [(row, keypoints) for row, keypoints in people if (keypoints[:, 2] > 0).any()]
    if not people:
        raise NoPeopleError("it holds no person's keypoints")
    counts = sorted({len(keypoints) for _, keypoints in people})
    if len(counts) > 1:
        raise InputError(f"layouts are mixed: some people have {counts[0]} keypoints, some {counts[-1]}")
    number, crowd = Counter(row.frame for row, _ in people).most_common(1)[0]
    if crowd > MOST_PEOPLE:
        raise InputError(
            f"it has {crowd:,} people on frame {number}, more than the {MOST_PEOPLE} that are read"
        )
    keypoints = np.stack([keypoints for _, keypoints in people])
    if counts == [18] and (layout == "body25" or (not layout and not hint and looks_like_body25(keypoints))):
        chosen = LAYOUTS["body25"]
        keypoints = np.pad(keypoints, ((0, 0), (0, len(chosen) - 18), (0, 0)))  # not seen
        if not layout:
            notes.append(
                "its keypoints lie as the first 18 of OpenPose's BODY_25 do, so they are read in the layout "
                "body25; --keypoint-layout coco18 reads them as its COCO model's"
            )
    elif layout:
        chosen = find_layout(layout, counts[0])
    else:
        chosen = recognise_layout(hint or counts[0])
        if hint is None and chosen is COCO17 and looks_like_h36m(keypoints):
            chosen = H36M17
            notes.append(
                "its keypoints lie as Human3.6M's do, so they are read in the layout h36m17; "
                "--keypoint-layout coco17 reads them as COCO's"
            )
    return Sightings(
        format,
        chosen,
        np.array([row.frame for row, _ in people], np.int64),
        keypoints,
        np.array([row.person for row, _ in people], np.int64),
        notes=tuple(notes),
    )


def _with_scores(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows with a score for each keypoint, and what was assumed for it.

    If all scores of a file are 0, or there are none, keypoints that have a position score 1.
    """
    scored = [row.keypoints[:, 2] for row in rows if row.keypoints.shape[1] == 3]
    if any((score > 0).any() for score in scored):
        return rows, []
    found = [replace(row, keypoints=row.keypoints[:, :2]) for row in rows]
    return found, ["all its scores are 0, so every keypoint with a position is believed"] if scored else []


def _scored(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """(J, 2 or 3) → (J, 3); keypoints that were not found become 0, scores are at most 1.

    A keypoint was not found if a number is not finite, its score is 0 or less, or it has no score and lies in
    the picture's corner (0, 0), or both its coordinates are negative.
    """
    if keypoints.shape[1] == 2:
        with np.errstate(invalid="ignore"):
            somewhere = (keypoints != 0).any(1) & ~(keypoints < 0).all(1)
        keypoints = np.column_stack([keypoints, somewhere.astype(np.float32)])
    found = np.isfinite(keypoints).all(1, keepdims=True) & (keypoints[:, 2:] > 0)
    keypoints = np.where(found, keypoints, np.float32(0))
    keypoints[:, 2] = np.minimum(keypoints[:, 2], 1)
    return keypoints


def triples(flat: Any) -> NDArray[np.float32]:
    """Return [x, y, score, x, …], or [[x, y, score], …], as (J, 3). Scores that are null count as 0."""
    numbers = as_float32(flat)
    if numbers.ndim == 2 and numbers.shape[1] in (2, 3):
        return numbers
    return numbers.reshape(-1, 3)


def person_number(value: Any) -> int:
    """Return a person's number, which OpenPose and AlphaPose wrap in lists."""
    while isinstance(value, list) and value:
        value = value[0]
    number = UNKNOWN_PERSON if value is None or value == [] else int(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise InputError(f"expected a person's number, found {number}")
    return number


def frame_number(image: object) -> int:
    """Return the last number in an image's name.

    12 is the number of 12, "12.jpg", "frame_0012.png" and "clip_000000000012_keypoints.json".

    Raises:
        InputError: If the name has no number.
    """
    if isinstance(image, int):
        return image
    if isinstance(image, float) and image.is_integer():
        return int(image)
    if not isinstance(image, str):
        raise InputError(f"expected the number or the name of an image, found {str(image)[:80]!r}")
    numbers = re.findall(r"\d+", Path(image).stem)
    if not numbers:
        raise InputError(f"expected a frame number in the name {image[:80]!r}, found none")
    if len(numbers[-1]) > 15:
        raise InputError(f"expected a frame number in the name {image[:80]!r}, found {numbers[-1][:40]}")
    return int(numbers[-1])
