"""People through time: who on this frame is who on the last, and what happens where somebody is missing.

The usual order is `link`, then `most_present`, then `fill_gaps`: a person who is out of sight for a while is
still one track after `link`, and becomes several only in `fill_gaps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import linear_sum_assignment

from ..people import NUM_KEYPOINTS, People
from .similarity import iou, keypoint_boxes, sizes

MIN_SEEN = 5  # fewer sightings than this are a flicker of the detector, not a person

# How far a person's keypoints may lie from where they are expected, in sizes (see `similarity.sizes`; about
# 0.7 m on an adult): at once, more for every second since the last sighting, and at most.
_REACH, _REACH_PER_SECOND, _REACH_LIMIT = 0.6, 4.0, 4.0
_RECENT = 0.15  # seconds that a velocity is measured over
_PERSISTENCE = 0.3  # seconds that a velocity is trusted for
_FILLED_SCORE = 0.5  # a filled keypoint's score, as a part of the lower of the two it lies between


@dataclass(frozen=True)
class Track:
    """One person through time.

    id: not negative. frames: (n,) int32, rising frame numbers, n at least 1. keypoints: (n, 17, 3) float32,
    COCO17 x, y in pixels and score 0–1. filled: (n,) bool, True where the keypoints were interpolated.
    Raises `ValueError` where these disagree.
    """

    id: int
    frames: NDArray[np.int32]
    keypoints: NDArray[np.float32]
    filled: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.frames)
        if self.id < 0 or count == 0 or self.frames.ndim != 1:
            raise ValueError(f"a track needs an id and frames, not {self.id} and {self.frames.shape}")
        if self.keypoints.shape != (count, NUM_KEYPOINTS, 3) or self.filled.shape != (count,):
            raise ValueError(
                f"shapes disagree: frames {self.frames.shape}, keypoints {self.keypoints.shape}, "
                f"filled {self.filled.shape}"
            )
        if (np.diff(self.frames) <= 0).any() or not np.isfinite(self.keypoints).all():
            raise ValueError("frames must rise and keypoints must be finite")

    def __len__(self) -> int:
        return len(self.frames)


def link(
    people: Sequence[People],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    max_absence: float = 2.0,
    min_seen: int = MIN_SEEN,
) -> list[Track]:
    """Give the people of successive frames their identities.

    people: one entry per frame. frames: (n,) their numbers, rising. times: (n,) their times in seconds,
    rising. max_absence: seconds after which somebody who returns is somebody else. min_seen: tracks with
    fewer sightings are dropped, as far as the clip is long enough to tell (twice that many frames).

    Everybody is expected where they were last seen, moved on at their recent velocity. The assignment
    (Hungarian) makes the sum of three things least: the mean distance of keypoints from there, weighted by
    scores, in units of the person's size; the lack of overlap of the boxes; and the seconds of absence.
    Tracks are numbered from 0 by first appearance, those of one frame in the detector's order.
    """
    _check_clock(frames, times)
    if len(people) != len(frames):
        raise ValueError(f"{len(people)} frames of people, {len(frames)} frame numbers")
    histories: list[_History] = []
    for index, (present, time) in enumerate(zip(people, times, strict=True)):
        open_ones = [history for history in histories if time - history.times[-1] <= max_absence]
        matched = _assign(open_ones, present.keypoints, float(time))
        for person, keypoints in enumerate(present.keypoints):
            if person in matched:
                history = open_ones[matched[person]]
            else:
                history = _History([], [], [])
                histories.append(history)
            history.indices.append(index)
            history.times.append(float(time))
            history.keypoints.append(keypoints)
    least = _least_seen(min_seen, len(people))
    return [
        Track(
            number,
            frames[history.indices].astype(np.int32),
            np.stack(history.keypoints).astype(np.float32),
            np.zeros(len(history.indices), np.bool_),
        )
        for number, history in enumerate(h for h in histories if len(h.indices) >= least)
    ]


def fill_gaps(
    tracks: Sequence[Track],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    max_gap: float = 0.5,
    min_seen: int = MIN_SEEN,
) -> list[Track]:
    """Interpolate short gaps and split tracks at long ones.

    frames, times: as for `link`; every frame number of the tracks is among `frames`. A gap is one or more of
    these frames without a sighting between two with one; its length is the time between those two. Up to
    `max_gap` seconds it is filled in real time by monotone cubic interpolation (PCHIP: smooth, and never
    beyond its neighbours), marked `filled`, and each keypoint scores half the lower of its scores before and
    after. At a longer gap the track ends and another begins; nothing is interpolated across. Pieces with
    fewer than `min_seen` sightings are dropped as in `link`.
    Ids are given anew, from 0 by first appearance (on one frame: in the order of the old ids).
    """
    _check_clock(frames, times)
    least = _least_seen(min_seen, len(frames))
    pieces = []
    for track in sorted(tracks, key=lambda track: track.id):
        places = np.searchsorted(frames, track.frames)
        if not np.array_equal(frames[np.minimum(places, len(frames) - 1)], track.frames):
            raise ValueError(f"track {track.id} has frames that are not among the given ones")
        long_gaps = (np.diff(places) > 1) & (np.diff(times[places]) > max_gap)
        edges = [0, *(np.flatnonzero(long_gaps) + 1).tolist(), len(track)]
        for first, last in pairwise(edges):
            if last - first >= least:
                pieces.append(_filled(track, slice(first, last), places, frames, times))
    pieces.sort(key=lambda piece: int(piece.frames[0]))
    return [replace(piece, id=number) for number, piece in enumerate(pieces)]


def most_present(tracks: Sequence[Track], count: int | None, size: tuple[int, int]) -> list[Track]:
    """The `count` tracks that are longest, largest and surest; all of them where `count` is None.

    size: width, height of the frame. A track's presence is the sum over its frames of the square root of the
    area of the box around its keypoints, within the frame, times their mean score. Returned in the order of
    ids. Somebody whom `fill_gaps` split counts as several, so choose before splitting.
    """
    if count is not None and count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    ranked = sorted(tracks, key=lambda track: (-_presence(track, size), track.id))
    return sorted(ranked[:count], key=lambda track: track.id)


# linking ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _History:
    """The sightings of one person so far: indices into the clip, times in seconds, keypoints."""

    indices: list[int]
    times: list[float]
    keypoints: list[NDArray[np.float32]]

    def expected(self, time: float) -> NDArray[np.float32]:
        """(17, 3) keypoints where they should be at `time`: moved as a whole, at the recent velocity."""
        expected = self.keypoints[-1].copy()
        before = len(self.times) - 2
        while before > 0 and self.times[-1] - self.times[before] < _RECENT:
            before -= 1
        elapsed = self.times[-1] - self.times[before] if before >= 0 else 0.0
        if elapsed > 0:
            # the median is the motion of the body: limbs swing, single keypoints jump
            moved = np.median(self.keypoints[-1][:, :2] - self.keypoints[before][:, :2], axis=0)
            expected[:, :2] += moved / elapsed * min(time - self.times[-1], _PERSISTENCE)
        return expected


def _assign(histories: Sequence[_History], keypoints: NDArray[np.float32], time: float) -> dict[int, int]:
    """Which person, by index into `keypoints`, is which history; the others are new."""
    if not histories or not len(keypoints):
        return {}
    expected = np.stack([history.expected(time) for history in histories])
    boxes, expected_boxes = keypoint_boxes(keypoints), keypoint_boxes(expected)
    scale = np.maximum(np.maximum(sizes(expected_boxes)[:, None], sizes(boxes)[None]), 1)
    weight = np.sqrt(np.clip(expected[:, None, :, 2], 1e-3, 1) * np.clip(keypoints[None, :, :, 2], 1e-3, 1))
    apart = np.linalg.norm(expected[:, None, :, :2] - keypoints[None, :, :, :2], axis=-1)
    distance = (apart * weight).sum(-1) / weight.sum(-1) / scale
    absence = np.array([time - history.times[-1] for history in histories])[:, None]
    reach = np.minimum(_REACH + _REACH_PER_SECOND * absence, _REACH_LIMIT)
    impossible = 1e3  # more than any sum of possible pairs, so that it never pays to force one
    cost = np.where(
        distance <= reach, distance + (1 - iou(expected_boxes, boxes)) + absence, impossible
    )  # fmt: skip
    pairs = zip(*linear_sum_assignment(cost), strict=True)
    return {int(person): int(history) for history, person in pairs if cost[history, person] < impossible}


def _least_seen(min_seen: int, length: int) -> int:
    return min(min_seen, max(length // 2, 1))


def _check_clock(frames: NDArray[np.int32], times: NDArray[np.float64]) -> None:
    if frames.shape != times.shape or frames.ndim != 1:
        raise ValueError(f"shapes disagree: frames {frames.shape}, times {times.shape}")
    if (np.diff(frames) <= 0).any() or (np.diff(times) <= 0).any():
        raise ValueError("frame numbers and times must rise")


# gaps and presence --------------------------------------------------------------------------------------


def _filled(
    track: Track,
    piece: slice,
    places: NDArray[np.intp],
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
) -> Track:
    """A piece of a track with a row for each frame from its first to its last."""
    seen = places[piece]
    known = track.keypoints[piece]
    everything = np.arange(seen[0], seen[-1] + 1)
    missing = np.setdiff1d(everything, seen)
    filled = np.isin(everything, missing)
    filled[seen[track.filled[piece]] - seen[0]] = True
    keypoints = np.empty((len(everything), NUM_KEYPOINTS, 3), np.float32)
    keypoints[seen - seen[0]] = known
    if len(missing):
        curve = PchipInterpolator(times[seen], known[..., :2].astype(np.float64), axis=0)
        keypoints[missing - seen[0], :, :2] = curve(times[missing])
        after = np.searchsorted(seen, missing)
        keypoints[missing - seen[0], :, 2] = _FILLED_SCORE * np.minimum(
            known[after - 1, :, 2], known[after, :, 2]
        )
    return Track(track.id, frames[everything].astype(np.int32), keypoints, filled)


def _presence(track: Track, size: tuple[int, int]) -> float:
    boxes = keypoint_boxes(track.keypoints)
    boxes = np.clip(boxes, 0, np.array(size * 2, np.float32))
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return float((np.sqrt(areas) * track.keypoints[..., 2].mean(1)).sum())
