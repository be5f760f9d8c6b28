"""Errors between predicted and true poses (§6.1). Arrays are (…, J, 3), results in the unit of the input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Poses = NDArray[np.floating]


def mpjpe(predicted: Poses, target: Poses) -> NDArray[np.float64]:
    """Return the mean per-joint position error of each pose ("Protocol 1"): (…, J, 3) → (…)."""
    _check(predicted, target)
    error: NDArray[np.float64] = np.linalg.norm(
        np.asarray(predicted, np.float64) - np.asarray(target, np.float64), axis=-1
    ).mean(-1)
    return error


def p_mpjpe(predicted: Poses, target: Poses) -> NDArray[np.float64]:
    """Return the MPJPE after the best rigid alignment with scale ("Protocol 2"): (…, J, 3) → (…)."""
    return mpjpe(procrustes(predicted, target), target)


def n_mpjpe(predicted: Poses, target: Poses) -> NDArray[np.float64]:
    """Return the MPJPE after the best scaling ("Protocol 3", Rhodin et al. 2018): (…, J, 3) → (…)."""
    _check(predicted, target)
    predicted = np.asarray(predicted, np.float64)
    power = (predicted**2).sum((-1, -2))
    scale = (predicted * target).sum((-1, -2)) / np.where(power > 0, power, 1)
    return mpjpe(scale[..., None, None] * predicted, target)


def mpjve(predicted: Poses, target: Poses) -> NDArray[np.float64]:
    """Return the mean per-joint velocity error (§6.1), distance per frame: (T, J, 3) → (T − 1,)."""
    return mpjpe(np.diff(predicted, axis=0), np.diff(target, axis=0))


def procrustes(predicted: Poses, target: Poses) -> NDArray[np.float64]:
    """Move, rotate (without mirroring) and scale `predicted` onto `target`, by least squares.

    Umeyama's closed form (TPAMI 1991): the rotation follows from the SVD of the covariance; the sign of its
    last column is changed if the determinant would be −1.
    """
    _check(predicted, target)
    predicted, target = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    centre_p, centre_t = predicted.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    p, t = predicted - centre_p, target - centre_t
    u, s, vt = np.linalg.svd(np.swapaxes(t, -1, -2) @ p)
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., -1] *= sign[..., None]
    s[..., -1] *= sign
    power = (p**2).sum((-1, -2))
    scale = s.sum(-1) / np.where(power > 0, power, 1)
    rotation = u @ vt
    aligned: NDArray[np.float64] = scale[..., None, None] * p @ np.swapaxes(rotation, -1, -2) + centre_t
    return aligned


def _check(predicted: Poses, target: Poses) -> None:
    if predicted.shape != target.shape or predicted.ndim < 2 or predicted.shape[-1] != 3:
        raise ValueError(f"expected two equal shapes (…, J, 3), found {predicted.shape} and {target.shape}")
