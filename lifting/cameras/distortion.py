"""Lens distortion: Human3.6M's model and OpenCV's.

Both distort a point (x, y) = (X/Z, Y/Z), with s = x² + y², by one formula:

    distorted = (x, y) · (radial(s) + t · (x, y)·q) + q · s
    radial(s) = (1 + k1 s + k2 s² + k3 s³) / (1 + k4 s + k5 s² + k6 s³)

- human36m: t = 1, q = (p1, p2), no k4 to k6, as in VideoPose3D's code, by which the common file
  `data_2d_h36m_gt.npz` was made. The dataset's own code exchanges the two tangential factors. The difference
  is one pixel at the edge of the picture, and less elsewhere.
- opencv: t = 2, q = (p2, p1), as in OpenCV's documentation of `calibrateCamera`.

Such polynomials are fitted to points inside the picture. Further out they may decrease or rise steeply. From
the radius at which that begins, the formula is continued linearly along the direction of the point. Therefore
different points far off the axis stay different, and gradients neither vanish nor explode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .intrinsics import Intrinsics

if TYPE_CHECKING:  # torch is imported only by the functions that need it; a pinhole camera does not
    from torch import Tensor

Model = Literal["human36m", "opencv"]

LENS_PARAMETERS = 14
"""The length of `Lens.parameters`."""

_RADII = np.geomspace(1e-3, 20.0, 2000)  # tan of the angle off axis; 20 is 87°
_SLOPES = (0.03, 6.0)  # range of the derivative of the distorted radius in which the formula is used
_NEWTON_STEPS = 6
_STEP = 1e-6  # of central differences, the numerical derivatives, in float64


@dataclass(frozen=True)
class Lens:
    """A camera with radial and tangential distortion. Without factors it is a pinhole (the linear model).

    Attributes:
        intrinsics: In pixels.
        radial: k1, k2, k3; for "opencv" optionally k4, k5, k6.
        tangential: p1, p2.
        model: The formula.

    Raises:
        ValueError: If a value is not finite, or the number of factors is not the model's.
    """

    intrinsics: Intrinsics
    radial: tuple[float, ...] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    model: Model = "human36m"

    def __post_init__(self) -> None:
        if self.model not in get_args(Model):
            raise ValueError(f"there is no distortion model {self.model!r}; there are human36m and opencv")
        if len(self.radial) not in ((3,) if self.model == "human36m" else (3, 6)):
            raise ValueError("a lens has three radial factors (OpenCV's may have six)")
        if len(self.tangential) != 2:
            raise ValueError("a lens has two tangential factors")
        if not all(math.isfinite(v) for v in (*self.radial, *self.tangential)):
            raise ValueError("distortion must be finite")
        if self._reach <= _RADII[0]:
            raise ValueError("such distortion leaves no part of the picture")

    @classmethod
    def of_model(cls, intrinsics: Intrinsics, model: Model, coefficients: Sequence[float]) -> Lens:
        """Make a lens from its factors in the order that the model's own tools use.

        Args:
            intrinsics: In pixels.
            model: The formula.
            coefficients: human36m: k1 k2 k3 p1 p2. opencv: k1 k2 p1 p2, then nothing, k3, or k3 k4 k5 k6.

        Raises:
            ValueError: If a value is not finite, or the number of factors is not the model's.
        """
        given = tuple(float(c) for c in coefficients)
        if model == "human36m":
            if len(given) != 5:
                raise ValueError("human36m distortion is k1 k2 k3 p1 p2")
            return cls(intrinsics, given[:3], (given[3], given[4]), model)
        if len(given) not in (4, 5, 8):
            raise ValueError("opencv distortion is k1 k2 p1 p2, then nothing, k3, or k3 k4 k5 k6")
        k1, k2, p1, p2, *rest = given
        return cls(intrinsics, (k1, k2, *(rest or [0.0])), (p1, p2), model)

    @property
    def coefficients(self) -> tuple[float, ...]:
        """The factors in the order of `of_model`."""
        if self.model == "human36m":
            return (*self.radial, *self.tangential)
        return (*self.radial[:2], *self.tangential, *self.radial[2:])

    @property
    def distortion(self) -> dict[str, object] | None:
        """Model and coefficients as `of_model` takes them, for JSON; None for a pinhole."""
        return None if self.linear else {"model": self.model, "coefficients": list(self.coefficients)}

    @property
    def linear(self) -> bool:
        """Whether this is a pinhole, which keeps straight lines straight."""
        return not any(self.coefficients)

    @cached_property
    def parameters(self) -> Tensor:
        """(14,) float64: fx, fy, cx, cy, and the ten numbers of `distort`."""
        import torch

        camera = self.intrinsics
        formula = (*self._radial, *self._q, self._twist, self._reach)
        return torch.tensor((camera.fx, camera.fy, camera.cx, camera.cy, *formula), dtype=torch.float64)

    @property
    def _radial(self) -> tuple[float, ...]:
        return (*self.radial, 0.0, 0.0, 0.0)[:6]

    @property
    def _q(self) -> tuple[float, ...]:
        return self.tangential if self.model == "human36m" else self.tangential[::-1]

    @property
    def _twist(self) -> float:
        return 1.0 if self.model == "human36m" else 2.0

    @cached_property
    def _reach(self) -> float:
        """The radius up to which the formula is used, because the slope is inside `_SLOPES` up to there."""
        with np.errstate(all="ignore"):  # the denominator may have a root, and the factors may be meaningless
            factor, steepness = _radial(_RADII**2, *self._radial)
            slope = factor + 2 * _RADII**2 * steepness
            least = slope - 2 * _RADII * math.hypot(*self._q) * (1 + self._twist)
            sound = (least > _SLOPES[0]) & (slope < _SLOPES[1])
        return float(_RADII[-1] if sound.all() else _RADII[max(0, int(np.argmin(sound)) - 1)])

    def project(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Project points into the picture.

        Shape:
            points: (…, 3), camera space, metres, in front of the camera.
            result: (…, 2), pixels.
        """
        import torch

        xy = torch.from_numpy(points[..., :2].astype(np.float64) / points[..., 2:])
        pixels = distort(xy, self.parameters[4:]) * self.parameters[:2] + self.parameters[2:4]
        return pixels.numpy().astype(np.float32)

    def undistort(self, keypoints: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return keypoints where a pinhole with the same intrinsics would have them.

        Shape:
            keypoints: (…, 2 or more), x, y in pixels; further values (scores) are kept.
        """
        straight = np.array(keypoints, np.float32)
        if not self.linear:
            focal, centre = self.parameters[:2].numpy(), self.parameters[2:4].numpy()
            distorted = (keypoints[..., :2].astype(np.float64) - centre) / focal
            straight[..., :2] = self._straighten(distorted) * focal + centre
        return straight

    def _straighten(self, distorted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Invert `distort`: by a table of radii, then by Newton's method for the tangential part."""
        import torch

        radii = np.append(_RADII[self._reach > _RADII], self._reach)
        distorted_radii = radii * _radial(radii**2, *self._radial)[0]
        far = np.linalg.norm(distorted, axis=-1, keepdims=True)
        near = np.interp(far, np.append(0, distorted_radii), np.append(0, radii))
        wanted = torch.from_numpy(distorted)
        xy = wanted * torch.from_numpy(np.divide(near, far, out=np.ones_like(far), where=far > 0))
        right, down = _STEP * torch.eye(2, dtype=torch.float64)
        for _ in range(_NEWTON_STEPS):
            a, c = self._difference(xy, right)
            b, d = self._difference(xy, down)
            e, f = (distort(xy, self.parameters[4:]) - wanted).unbind(-1)
            xy = xy - torch.stack([d * e - b * f, a * f - c * e], -1) / (a * d - b * c).unsqueeze(-1)
        return xy.numpy()

    def _difference(self, xy: Tensor, step: Tensor) -> tuple[Tensor, ...]:
        """The derivatives of distorted x and y as the true point moves along a step."""
        there, here = (distort(at, self.parameters[4:]) for at in (xy + step, xy - step))
        return ((there - here) / (2 * _STEP)).unbind(-1)


def distort(xy: Tensor, parameters: Tensor) -> Tensor:
    """Distort points by the formula above. It has a continuous derivative everywhere.

    Args:
        xy: X/Z and Y/Z.
        parameters: k1 to k6, q, t, and the radius beyond which the formula is continued linearly.

    Returns:
        Distorted X/Z and Y/Z, not in pixels yet.

    Shape:
        xy: (…, 2).
        parameters: (…, 10), broadcast against the points.
        result: (…, 2).
    """
    import torch

    k1, k2, k3, k4, k5, k6, _, _, twist, reach = (p.unsqueeze(-1) for p in parameters.unbind(-1))
    q = parameters[..., 6:8]
    # A point beyond the reach is `stretch` times the point in the same direction at the reach.
    stretch = torch.maximum(xy.square().sum(-1, keepdim=True), reach.square()).sqrt() / reach
    inner = xy / stretch
    s = inner.square().sum(-1, keepdim=True)
    factor, steepness = _radial(s, k1, k2, k3, k4, k5, k6)
    tangential = twist * inner * (inner * q).sum(-1, keepdim=True) + q * s
    # outwards, the first term grows by factor + 2 s steepness, and the second is of degree two
    beyond = stretch - 1
    return inner * (factor + beyond * (factor + 2 * s * steepness)) + tangential * (1 + 2 * beyond)


def _radial(s: Any, k1: Any, k2: Any, k3: Any, k4: Any, k5: Any, k6: Any) -> tuple[Any, Any]:
    """radial(s) of the formula above, and its derivative, of arrays or tensors."""
    below = 1 + s * (k4 + s * (k5 + s * k6))
    factor = (1 + s * (k1 + s * (k2 + s * k3))) / below
    steepness = (k1 + s * (2 * k2 + s * 3 * k3) - factor * (k4 + s * (2 * k5 + s * 3 * k6))) / below
    return factor, steepness
