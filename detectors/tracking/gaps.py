"""Frames on which a person was not detected: short gaps are interpolated, long ones stay empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..people import NUM_KEYPOINTS
from .track import MIN_SIGHTINGS, Track, check_clock, fewest_sightings, watched_time

_FILLED_SCORE = 0.5  # a filled keypoint's score, relative to the lower of its scores before and after the gap


def fill_gaps(
    tracks: Sequence[Track],
    *,
    frames: NDArray[np.int32],
    times: NDArray[np.float64],
    max_gap: float = 0.5,
    min_seen: int = MIN_SIGHTINGS,
) -> list[Track]:
    """Interpolate short gaps.

    A gap is one or more frames of the clip without a sighting, between two frames with one. Its length is the
    time between those two, as `watched_time` counts it. A short gap is filled by monotone cubic interpolation
    over time (PCHIP), which is smooth and stays between its neighbours. Filled frames are marked `filled`,
    and a filled keypoint scores half the lower of its scores before and after. In a long gap the track has no
    rows; the person has the same number before and after.

    Args:
        tracks: From `link`.
        frames: (n,) the clip's frame numbers, rising.
        times: (n,) their times in seconds, rising.
        max_gap: Seconds up to which a gap is short.
        min_seen: Pieces between long gaps with fewer sightings are dropped, if the clip has at least twice
            that many frames.

    Returns:
        Tracks with new ids from 0, in the order of their first frames. Tracks that begin on the same frame
        are in the order of their old ids.

    Raises:
        ValueError: If a track has a frame that is not among `frames`, or `frames` and `times` disagree.
    """
    check_clock(frames, times)
    watched = watched_time(times)
    least = fewest_sightings(min_seen, len(frames))
    filled: list[Track] = []
    for track in sorted(tracks, key=lambda track: track.id):
        places = np.searchsorted(frames, track.frames)
        if not np.array_equal(frames[np.minimum(places, len(frames) - 1)], track.frames):
            raise ValueError(f"track {track.id} has frames that are not among the given ones")
        long_gaps = (np.diff(places) > 1) & (np.diff(watched[places]) > max_gap)
        edges = [0, *(np.flatnonzero(long_gaps) + 1).tolist(), len(track)]
        if least <= len(track) and places[-1] - places[0] < len(track):  # no gap: no copy, which takes memory
            filled.append(track)
            continue
        pieces = [
            _filled(track, slice(first, last), places, frames, times)
            for first, last in pairwise(edges)
            if last - first >= least
        ]
        if pieces:
            filled.append(
                Track(
                    track.id,
                    np.concatenate([piece.frames for piece in pieces]),
                    np.concatenate([piece.keypoints for piece in pieces]),
                    np.concatenate([piece.filled for piece in pieces]),
                    None
                    if track.extra is None
                    else np.concatenate([piece.extra for piece in pieces if piece.extra is not None]),
                    track.extra_names,
                )
            )
    filled.sort(key=lambda track: int(track.frames[0]))
    return [replace(track, id=number) for number, track in enumerate(filled)]


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
    if track.extra is not None:
        known = np.concatenate([known, track.extra[piece]], 1)
    everything = np.arange(seen[0], seen[-1] + 1)
    missing = np.setdiff1d(everything, seen)
    filled = np.isin(everything, missing)
    filled[seen[track.filled[piece]] - seen[0]] = True
    keypoints = np.empty((len(everything), *known.shape[1:]), np.float32)
    keypoints[seen - seen[0]] = known
    if len(missing):
        from scipy.interpolate import (
            PchipInterpolator,  # imported here because that takes a third of a second
        )

        curve = PchipInterpolator(times[seen], known[..., :2].astype(np.float64), axis=0)
        keypoints[missing - seen[0], :, :2] = curve(times[missing])
        after = np.searchsorted(seen, missing)
        keypoints[missing - seen[0], :, 2] = _FILLED_SCORE * np.minimum(
            known[after - 1, :, 2], known[after, :, 2]
        )
    extra = None if track.extra is None else keypoints[:, NUM_KEYPOINTS:]
    numbers = frames[everything].astype(np.int32)
    return Track(track.id, numbers, keypoints[:, :NUM_KEYPOINTS], filled, extra, track.extra_names)
