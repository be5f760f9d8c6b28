"""From camera space back to pixels, so that gradients always tell which way a joint should move (paper §4).

Three models, each named: the linear one (a `Lens` without factors), Human3.6M's and OpenCV's (`Lens.model`).
In front of the camera these are the formulas of `lifting.distortion`. Training strays to where formulas break
down, and there they are continued smoothly rather than cut off: a clamp would say that moving makes no
difference, and give up the joints that are furthest off.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..lifting.cameras.distortion import LENS_PARAMETERS, Lens, distort

NEAR = 0.2
"""Metres before the camera at which 1/z begins to be continued."""


def camera_parameters(lenses: Sequence[Lens]) -> Tensor:
    """(N, 14) float64, one row a sample; cameras of different models may stand side by side."""
    return torch.stack([lens.parameters for lens in lenses])


def project(points: Tensor, parameters: Tensor, *, near: float = NEAR) -> Tensor:
    """Camera space → pixels.

    points: (N, …, 3) metres, commonly (N, T, J, 3). parameters: (N, 14) of `camera_parameters`, in any
    precision and on any device. Returns (N, …, 2), finite, and so are the gradients, for any finite points:
    also for those beside, in and behind the image plane. Raises `ValueError` where shapes do not fit.
    """
    if points.shape[-1] != 3 or parameters.shape != (points.shape[0], LENS_PARAMETERS):
        raise ValueError(
            f"points (N, …, 3) need parameters (N, {LENS_PARAMETERS}), "
            f"not {tuple(points.shape)} and {tuple(parameters.shape)}"
        )
    each = parameters.to(points).view(len(points), *(1,) * (points.ndim - 2), LENS_PARAMETERS)
    xy = points[..., :2] * reciprocal(points[..., 2:], near)
    return distort(xy, each[..., 4:]) * each[..., :2] + each[..., 2:4]


def reciprocal(z: Tensor, near: float = NEAR) -> Tensor:
    """1/z from `near` on; nearer and behind, it goes on growing like a logarithm the further back z is.

    It is continuous and so is its derivative; it is always positive and always falls with z. So wherever a
    joint is, moving it forward draws it to the middle of the picture, as it does before a camera.
    """
    return 1 / z.clamp(min=near) + torch.log1p(torch.relu(near - z) / near) / near
