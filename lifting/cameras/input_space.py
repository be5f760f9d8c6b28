"""Input spaces of lifters: normalised screen coordinates, rays, and centred rays.

In the space "centred", each frame is converted to a virtual camera that looks at the person's hip. A network
that reads plain rays must learn that the place and the distance of a person do not change the pose. Here the
rays of each frame are rotated until the hip is on the optical axis, and scaled to unit size (as in
perspective crops: Yu, Salzmann, Fua & Rhodin, CVPR 2021). The predicted pose is rotated back. No information
is lost: the direction of the hip and the size of the person are stored in two inputs that would otherwise be
redundant. These are the hip, which is always on the axis, and the spine, which is the mean of other joints.

In the space "centred-visible" (`centre_visible`), keypoints may be hidden: outside the picture or behind an
object. Each joint has a third feature, which is 1 if it is visible and 0 if it is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...skeleton import COCO17, COCO_TO_H36M, H36M17
from .intrinsics import H36M_FOCAL, Intrinsics

_HIP = H36M17.index("hip")
_THORAX = H36M17.index("thorax")
_HEAD = H36M17.index("head")
_SPINE = H36M17.index("spine")  # always midway between hip and thorax, so its input can store other values
_USUAL_LOG_SIZE = -2.0  # of a standing adult at four metres
_LEAST_DEPTH = 0.1  # of a unit ray, which is 84° away from the hip; no keypoint is
_LEAST_SIZE = 1e-4


def to_rays(keypoints: NDArray[np.floating], camera: Intrinsics) -> NDArray[np.float32]:
    """Convert pixels to rays: (x − cx) / fx · 2.29, (y − cy) / fy · 2.29.

    Rays are directions and do not depend on the focal length. The factor 2.29 is Human3.6M's normalised focal
    length, so that rays have the scale of its normalised screen coordinates.

    Args:
        keypoints: Undistorted pixels.
        camera: The intrinsics.

    Shape:
        keypoints and result (…, 2).
    """
    centre = np.array([camera.cx, camera.cy])
    focal = np.array([camera.fx, camera.fy])
    return ((keypoints - centre) / focal * H36M_FOCAL).astype(np.float32)


def to_screen(keypoints: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    """Convert pixels to the paper's normalised screen coordinates: x ↦ 2x/w − 1, y ↦ (2y − h)/w.

    Args:
        keypoints: Pixels.
        size: Width and height of the frame in pixels.

    Shape:
        keypoints and result (…, 2).
    """
    width, height = size
    return (keypoints * (2 / width) - np.array([1.0, height / width])).astype(np.float32)


def centre(rays: Tensor) -> tuple[Tensor, Tensor]:
    """Rotate and scale each frame's rays, so that the hip is on the optical axis.

    Args:
        rays: Of H36M17 joints, (x − cx) / f and (y − cy) / f.

    Returns:
        The network's input, in which the hip's entry is its ray and the spine's y is the logarithm of the
        size; and the rotation of each frame, from the camera to the virtual camera. Predicted poses are in
        the axes of the virtual camera; `turn_back` rotates them to camera space.

    Shape:
        rays: (…, 17, 2).
        inputs: (…, 17, 2).
        rotations: (…, 3, 3).
    """
    rotation = look_at(rays[..., _HIP, :])
    directions = torch.cat([rays, torch.ones_like(rays[..., :1])], -1)
    turned = torch.einsum("...ij,...kj->...ki", rotation, directions)
    centred = turned[..., :2] / turned[..., 2:].clamp(min=_LEAST_DEPTH)
    size = centred.square().sum(-1).mean(-1).sqrt().clamp(min=_LEAST_SIZE)
    inputs = centred / size[..., None, None]
    inputs[..., _HIP, :] = rays[..., _HIP, :]
    inputs[..., _SPINE, 0] = 0  # the size is stored in y only, because mirroring changes the sign of x
    inputs[..., _SPINE, 1] = size.log() - _USUAL_LOG_SIZE
    return inputs, rotation


def centre_visible(rays: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Rotate and scale each frame's rays as `centre` does, where some joints may be hidden.

    The virtual camera looks at the hip if it is visible, otherwise at the thorax, otherwise at the mean of
    the visible joints. If all joints are visible, the first two features are those of `centre`. The hip's
    entry is the ray of the virtual camera's optical axis. Hidden joints are 0 in all three features.

    Args:
        rays: (…, 17, 2) in the Human3.6M layout, (x − cx) / f and (y − cy) / f.
        visible: (…, 17) bool, as of `visible_joints`.

    Returns:
        Inputs (…, 17, 3): x, y, and 1 for visible joints; rotations (…, 3, 3), camera to virtual camera.
    """
    shown = visible.to(rays.dtype)
    count = shown.sum(-1, keepdim=True).clamp(min=1)
    mean = (rays * shown[..., None]).sum(-2) / count
    reference = torch.where(visible[..., _THORAX, None], rays[..., _THORAX, :], mean)
    reference = torch.where(visible[..., _HIP, None], rays[..., _HIP, :], reference)
    rotation = look_at(reference)
    # Coordinate by coordinate, which takes half the time of operations on vectors of three.
    x, y = rays.unbind(-1)
    rows = rotation[..., None].unbind(-3)  # 3 × (…, 3, 1)
    u, v, depth = (row[..., 0, :] * x + row[..., 1, :] * y + row[..., 2, :] for row in rows)
    scale = shown / depth.clamp(min=_LEAST_DEPTH)
    u, v = u * scale, v * scale
    size = ((u.square() + v.square()).sum(-1, keepdim=True) / count).sqrt().clamp(min=_LEAST_SIZE)
    inputs = torch.stack([u / size, v / size, shown], -1)
    inputs[..., _HIP, :2] = reference
    inputs[..., _SPINE, 0] = 0
    inputs[..., _SPINE, 1] = size[..., 0].log() - _USUAL_LOG_SIZE
    return inputs, rotation


def visible_joints(keypoints: Tensor) -> Tensor:
    """Return which H36M17 joints are visible, given the visible COCO17 keypoints: (…, 17) bool → (…, 17)
    bool.

    A joint that is converted from several keypoints is visible if all of them are. The head is visible if one
    keypoint of the face is, because detectors estimate the others well from it.
    """
    sources = _sources(keypoints.device)
    hidden = (~keypoints).to(torch.float32) @ sources[0]
    return hidden < sources[1]


@cache
def _sources(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (17, 17), which COCO keypoints (rows) make each joint; (17,), how many of them hide it."""
    parts = torch.from_numpy(COCO_TO_H36M.copy()).T > 0
    enough = torch.ones(len(H36M17))
    face = [COCO17.index(name) for name in ("nose", "leye", "reye", "lear", "rear")]
    parts[face, _HEAD] = True
    enough[_HEAD] = len(face)
    return parts.to(device, torch.float32), enough.to(device) - 0.5


def look_at(ray: Tensor) -> Tensor:
    """Return rotations (…, 3, 3) into cameras that look along rays (…, 2), without roll."""
    u, v = ray.unbind(-1)
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    forward = torch.nn.functional.normalize(torch.stack([u, v, one], -1), dim=-1)
    right = torch.nn.functional.normalize(torch.stack([one, zero, -u], -1), dim=-1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], -2)


def turn_back(poses: Tensor, rotation: Tensor) -> Tensor:
    """Rotate poses (…, 17, 3) from the virtual cameras to the real one."""
    return torch.einsum("...ji,...kj->...ki", rotation, poses)


def mirrored(values: Tensor, order: Sequence[int]) -> Tensor:
    """Mirror keypoints or poses (…, J, F): x changes its sign, left and right joints are exchanged."""
    values = values[..., list(order), :]  # (a copy)
    values[..., 0] *= -1
    return values


InputSpace = Literal["centred", "centred-visible", "rays", "screen"]
INPUT_SPACES = ("centred", "centred-visible", "rays", "screen")


def num_features(space: InputSpace) -> int:
    """Return the number of features per joint in this input space."""
    return 3 if space == "centred-visible" else 2
