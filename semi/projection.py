"""Project points from camera space to pixels, with finite, non-zero gradients everywhere (paper, §4).

There are three models: a pinhole (a `Lens` without factors), Human3.6M's and OpenCV's (`Lens.model`). In
front of the camera, the formulas are those of `lifting.cameras.distortion`. During training, some points lie
where these formulas are not valid, for example behind the camera. There, the formulas are continued smoothly.
Clamping instead would give zero gradients, so that joints with the largest errors would never be corrected.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..lifting.cameras.distortion import LENS_PARAMETERS, distort

NEAR = 0.2
"""Metres in front of the camera; nearer than this, 1/z is continued by another function."""


def project(points: Tensor, parameters: Tensor, *, near: float = NEAR) -> Tensor:
    """Project points of camera space to pixels.

    Results and gradients are finite for all finite points, also for those in and behind the image plane.

    Args:
        points: (N, …, 3) metres, usually (N, T, J, 3).
        parameters: (N, 14) `Lens.parameters` of each sample's camera, of any precision and on any device.
        near: Metres; see `NEAR`.

    Returns:
        (N, …, 2) pixels.

    Raises:
        ValueError: The shapes do not fit.
    """
    if points.shape[-1] != 3 or parameters.shape != (points.shape[0], LENS_PARAMETERS):
        raise ValueError(
            f"expected points (N, …, 3) and parameters (N, {LENS_PARAMETERS}), "
            f"found {tuple(points.shape)} and {tuple(parameters.shape)}"
        )
    each = parameters.to(points).view(len(points), *(1,) * (points.ndim - 2), LENS_PARAMETERS)
    xy = points[..., :2] * reciprocal(points[..., 2:], near)
    return distort(xy, each[..., 4:]) * each[..., :2] + each[..., 2:4]


def reciprocal(z: Tensor, near: float = NEAR) -> Tensor:
    """Return 1/z from `near` on; for smaller z, a function that grows like a logarithm.

    The function and its derivative are continuous. The function is positive and decreases with z. Therefore
    moving a joint away from the camera always moves its projection towards the middle of the image.
    """
    return 1 / z.clamp(min=near) + torch.log1p(torch.relu(near - z) / near) / near
