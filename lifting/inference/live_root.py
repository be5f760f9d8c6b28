"""Follow the roots of people through camera space, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..cameras.intrinsics import Intrinsics
from .pinhole_equations import (
    ACCELERATION,
    DEPTHS,
    LATERAL_ERROR,
    equations,
    limb_points,
    limb_rays,
    robust_weight,
    trusted,
)

_ROUNDS = 2  # of reweighting
_FASTEST = 2.0  # metres/s: usual speed of a person who appears
_UNKNOWN = 100.0  # metres: where a person may be who appears
_START = np.diag([_UNKNOWN**2] * 3 + [_FASTEST**2] * 3)  # covariance of position and velocity

# Which entries of a covariance are of position, of velocity, and of one with the other.
_OF_POSITION = np.diag([1.0] * 3 + [0.0] * 3)
_OF_VELOCITY = np.diag([0.0] * 3 + [1.0] * 3)
_OF_BOTH = np.eye(6, k=3) + np.eye(6, k=-3)


class LiveRoots:
    """Estimates the root of each person with a Kalman filter.

    As in `fit_root`, the pinhole equations are linear in the root, keypoints weigh by their scores, and less
    if their residuals are large (Geman–McClure). The filter's state is the root and its velocity. It expects
    the accelerations of `fit_root`, but knows the past only.

    Args:
        people: Number of people that can be tracked at a time.
        camera: The camera that films, without distortion.
    """

    def __init__(self, people: int, camera: Intrinsics) -> None:
        self._camera = camera
        self._state = np.zeros((people, 6))
        self._covariance = np.tile(_START, (people, 1, 1))
        self._time: float | None = None

    def step(
        self,
        pose: NDArray[np.float32],
        keypoints: NDArray[np.float32],
        begins: NDArray[np.bool_],
        seconds: float,
    ) -> NDArray[np.float32]:
        """Return the roots in the next frame.

        Args:
            pose: H36M17 poses in metres, root at 0.
            keypoints: COCO17 x, y in undistorted pixels, and score.
            begins: True for people who are new in this frame.
            seconds: Time since the frame before.

        Returns:
            Roots in camera space, metres. NaN where too few keypoints are trusted or the root is behind the
            camera.

        Shape:
            pose and keypoints (P, 17, 3); begins (P,); result (P, 3).
        """
        self._state[begins], self._covariance[begins] = 0, _START
        move = np.eye(6)
        move[:3, 3:] = seconds * np.eye(3)
        state = self._state @ move.T
        covariance = move @ self._covariance @ move.T + _disturbance(seconds)
        prior = np.linalg.inv(covariance)
        rays, score = limb_rays(keypoints, self._camera)
        points = limb_points(pose)
        weight, solved = score**2, state
        information = prior
        for _ in range(_ROUNDS):
            normal, right = equations(points, rays, weight / LATERAL_ERROR**2)
            information = prior.copy()
            information[:, :3, :3] += normal
            wanted = np.einsum("pij,pj->pi", prior, state)
            wanted[:, :3] += right
            solved = np.linalg.solve(information, wanted[..., None])[..., 0]
            weight = robust_weight(points + solved[:, None, :3], rays, score)
        self._state, self._covariance = solved, np.linalg.inv(information)
        root = solved[:, :3].astype(np.float32)
        known = trusted(score) & (root[:, 2] > DEPTHS[0]) & (root[:, 2] < DEPTHS[1])
        self._covariance[~known], self._state[~known] = _START, 0
        return np.where(known[:, None], root, np.float32(np.nan))


def _disturbance(seconds: float) -> NDArray[np.float64]:
    """Covariance that accelerations add to position and velocity in this time."""
    dt = max(seconds, 1e-3)
    return ACCELERATION**2 * (dt**4 / 4 * _OF_POSITION + dt**3 / 2 * _OF_BOTH + dt**2 * _OF_VELOCITY)
