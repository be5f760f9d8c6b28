"""Find how a camera turned: rotations between views of the background, joined without drift.

The camera is assumed to turn about its centre. If it also moved, near and far background move differently,
and fewer matches agree with the rotation (`Turn.agreeing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_LEAST_MATCHES = 8  # with fewer, no rotation is fitted
_TRIALS = 40  # pairs of matches tried as a first guess
_LOOSE = 4.0  # times the usual error: a match that is further off does not agree
_ROUNDS = 4
_SURE = 0.7  # of the matches; if fewer agree with the first guess, others are tried


@dataclass(frozen=True)
class Turn:
    """A rotation between two views.

    Attributes:
        rotation: (3, 3), first view's camera space ← second view's.
        agreeing: the fraction of matches that agree with it, 0–1.
        matches: how many matches there were.
    """

    rotation: NDArray[np.float64]
    agreeing: float
    matches: int

    @property
    def angle(self) -> float:
        """The angle of the rotation in degrees."""
        from scipy.spatial.transform import Rotation  # imported here because that takes a third of a second

        return float(np.degrees(Rotation.from_matrix(self.rotation).magnitude()))


@dataclass(frozen=True)
class Edge:
    """A measured rotation between two keyframes: keyframe `first` ← keyframe `second`, with a weight."""

    first: int
    second: int
    rotation: NDArray[np.float64]
    weight: float = 1.0


def fit_turn(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    *,
    error: float,
    guess: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Turn | None:
    """Fit the rotation that takes one view's rays to the other's, robustly.

    Args:
        first: (M, 3) unit rays of the matches in the first view's camera space.
        second: (M, 3) the same in the second view's.
        error: the usual error of a match, radians.
        guess: (3, 3), about the rotation. If few matches agree with it, random pairs are tried.
        seed: of the random pairs.

    Returns:
        The rotation; None for too few matches, or if no two of them agree with others.
    """
    if len(first) < _LEAST_MATCHES:
        return None
    rotation = _refine(first, second, np.eye(3) if guess is None else guess, error)
    off = _apart(first, second, rotation)
    if guess is None or (off < _LOOSE * error).mean() < _SURE:
        pairs = np.random.default_rng(seed).integers(0, len(first), (_TRIALS, 2))
        guesses = _align(first[pairs], second[pairs], np.ones(pairs.shape))
        costs = np.minimum(_apart(first, second, guesses) / (_LOOSE * error), 1).sum(1)
        if costs.min() < np.minimum(off / (_LOOSE * error), 1).sum():
            rotation = _refine(first, second, guesses[np.argmin(costs)], error)
            off = _apart(first, second, rotation)
    agreeing = off < _LOOSE * error
    if agreeing.sum() < _LEAST_MATCHES:
        return None
    return Turn(rotation, float(agreeing.mean()), len(first))


def join_turns(count: int, edges: Sequence[Edge]) -> NDArray[np.float64]:
    """Find all keyframes' rotations from the rotations measured between them.

    Keyframe 0 is not turned. If a keyframe was compared with several others, their measurements differ a
    little. The difference is spread over all of them by least squares on rotation vectors.

    Args:
        count: keyframes.
        edges: the measured rotations. Those from each keyframe to the next must be among them.

    Returns:
        (count, 3, 3), keyframe 0's camera space ← each keyframe's.
    """
    from scipy.spatial.transform import Rotation  # imported here because that takes a third of a second

    rotations = np.tile(np.eye(3), (count, 1, 1))
    for edge in sorted(edges, key=lambda edge: edge.second):
        if edge.second == edge.first + 1:
            rotations[edge.second] = rotations[edge.first] @ edge.rotation
    if count < 2 or not edges:
        return rotations
    matrix = np.zeros((len(edges) + 1, count))
    matrix[-1, 0] = 1e3  # keyframe 0 stays
    for _ in range(3):
        values = np.zeros((len(edges) + 1, 3))
        for row, edge in enumerate(edges):
            # A small turn w of keyframe k on the left, exp(w) R: the residual is linear in w.
            should = rotations[edge.first] @ edge.rotation @ rotations[edge.second].T
            weight = np.sqrt(edge.weight)
            matrix[row, edge.first], matrix[row, edge.second] = -weight, weight
            values[row] = weight * Rotation.from_matrix(should).as_rotvec()
        small = np.linalg.lstsq(matrix, values, rcond=None)[0]
        rotations = Rotation.from_rotvec(small).as_matrix() @ rotations
    return rotations


def fill_in(rotations: NDArray[np.float64], measured: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Interpolate the rotations of frames that were not measured (spherically, evenly in frames).

    Args:
        rotations: (T, 3, 3).
        measured: (T,). Frames before the first measured one get the rotation of that one, frames after the
            last one that of the last.
    """
    from scipy.spatial.transform import Rotation  # imported here because that takes a third of a second

    at = np.flatnonzero(measured)
    if not len(at):
        return np.tile(np.eye(3), (len(rotations), 1, 1))
    out = rotations.copy()
    out[: at[0]], out[at[-1] :] = rotations[at[0]], rotations[at[-1]]
    for before, after in pairwise(at.tolist()):
        if after - before > 1:
            whole = Rotation.from_matrix(rotations[before].T @ rotations[after]).as_rotvec()
            parts = np.arange(1, after - before)[:, None] / (after - before) * whole
            out[before + 1 : after] = rotations[before] @ Rotation.from_rotvec(parts).as_matrix()
    return out


def _refine(
    first: NDArray[np.floating], second: NDArray[np.floating], rotation: NDArray[np.float64], error: float
) -> NDArray[np.float64]:
    """Fit repeatedly, each time with weights by how well each match agrees (Geman–McClure)."""
    for _ in range(_ROUNDS):
        weights = 1 / (1 + (_apart(first, second, rotation) / (2 * error)) ** 2) ** 2
        rotation = _align(first, second, weights)
    return rotation


def _apart(
    first: NDArray[np.floating], second: NDArray[np.floating], rotation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far matches (M, 3) are apart under rotations (…, 3, 3): (…, M), about radians."""
    return np.asarray(np.linalg.norm(first - second @ np.swapaxes(rotation, -1, -2), axis=-1), np.float64)


def _align(
    first: NDArray[np.floating], second: NDArray[np.floating], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The rotations (…, 3, 3) that bring `second` (…, M, 3) onto `first`, by least squares (Kabsch)."""
    u, _, vt = np.linalg.svd(np.swapaxes(first * weights[..., None], -1, -2) @ second)
    u[..., -1] *= np.sign(np.linalg.det(u @ vt))[..., None]
    return np.asarray(u @ vt, np.float64)
