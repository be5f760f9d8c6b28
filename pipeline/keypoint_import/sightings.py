"""People's keypoints on the frames of a video, in the layout of the program that made them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, NoPeopleError
from ...skeleton import Skeleton
from .layouts import find_layout, recognise_layout

UNKNOWN_PERSON = -1
"""The person's number if the file does not give one."""


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
    """

    format: str
    layout: Skeleton
    frame: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    person: NDArray[np.int64]
    size: tuple[int, int] | None = None
    length: int | None = None
    numbered: bool = False


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
    rows = [row for row in rows if (_scored(row.keypoints)[:, 2] > 0).any()]
    if not rows:
        raise NoPeopleError("it holds no person's keypoints")
    counts = sorted({len(row.keypoints) for row in rows})
    if len(counts) > 1:
        raise InputError(f"layouts are mixed: some people have {counts[0]} keypoints, some {counts[-1]}")
    chosen = find_layout(layout, counts[0]) if layout else recognise_layout(hint or counts[0])
    return Sightings(
        format,
        chosen,
        np.array([row.frame for row in rows], np.int64),
        np.stack([_scored(row.keypoints) for row in rows]),
        np.array([row.person for row in rows], np.int64),
    )


def _scored(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """(J, 2 or 3) → (J, 3); keypoints that are not finite or score 0 become 0, scores are at most 1."""
    if keypoints.shape[1] == 2:
        keypoints = np.column_stack([keypoints, np.ones(len(keypoints), np.float32)])
    found = np.isfinite(keypoints).all(1, keepdims=True) & (keypoints[:, 2:] > 0)
    keypoints = np.where(found, keypoints, np.float32(0))
    keypoints[:, 2] = np.minimum(keypoints[:, 2], 1)
    return keypoints


def as_float32(values: Any) -> NDArray[np.float32]:
    """Return values from a file as an array."""
    return np.asarray(values, np.float32)


def triples(flat: Any) -> NDArray[np.float32]:
    """Return [x, y, score, x, …] as (J, 3)."""
    return as_float32(flat).reshape(-1, 3)


def person_number(value: Any) -> int:
    """Return a person's number, which OpenPose and AlphaPose wrap in lists."""
    while isinstance(value, list) and value:
        value = value[0]
    return UNKNOWN_PERSON if value is None or value == [] else int(value)


def frame_number(image: int | str) -> int:
    """Return the last number in an image's name.

    12 is the number of 12, "12.jpg", "frame_0012.png" and "clip_000000000012_keypoints.json".

    Raises:
        InputError: If the name has no number.
    """
    if isinstance(image, int):
        return image
    numbers = re.findall(r"\d+", Path(image).stem)
    if not numbers:
        raise InputError(f"expected a frame number in the name {image!r}, found none")
    return int(numbers[-1])
