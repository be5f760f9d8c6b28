"""What keypoints are converted to before a lifter reads them: screen coordinates, rays, or centred rays.

In the space "centred" every frame is seen by a virtual camera that looks straight at the person's hip. A
network that reads plain rays has to learn from examples that a person two steps to the left, or twice as
far away, is the same person. Here each frame's rays are rotated until the hip is on the optical axis, and
scaled to unit size (as in perspective crops: Yu, Salzmann, Fua & Rhodin, CVPR 2021). The resulting pose is
rotated back. No information is lost. The hip's position and the person's size are kept in two inputs that
are free: the hip, which is always on the axis, and the spine, which is the mean of other joints.

In the space "centred-visible" (`centre_visible`) keypoints may be hidden: cut off by the picture's edge or
behind something. Each joint has a third feature, 1 where it is visible and 0 where it is hidden.
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
_SPINE = H36M17.index("spine")  # midway between hip and thorax by construction, so its place is free
_USUAL_LOG_SIZE = -2.0  # of a standing adult at four metres
_LEAST_DEPTH = 0.1  # of a unit ray; no keypoint is 84° away from the hip
_LEAST_SIZE = 1e-4


def to_rays(keypoints: NDArray[np.floating], camera: Intrinsics) -> NDArray[np.float32]:
    """Convert pixels to rays: (x − cx) / fx · 2.29, (y − cy) / fy · 2.29.

    Two cameras that see a person under the same angles give the same rays. The factor is Human3.6M's focal
    length, so that rays have the scale of its normalised screen coordinates.

    Args:
        keypoints: Undistorted pixels.
        camera: The camera that filmed.

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
        The network's input, in which the hip holds its own ray and the spine's y the logarithm of the size;
        and the rotation of each frame, from the camera to the virtual camera. The network's poses are in the
        virtual camera's axes; `turn_back` rotates them.

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
    inputs[..., _SPINE, 0] = 0  # x changes its sign in a mirror, and size does not
    inputs[..., _SPINE, 1] = size.log() - _USUAL_LOG_SIZE
    return inputs, rotation


def centre_visible(rays: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Rays of keypoints that may be hidden → the network's input, and how each frame was turned.

    The virtual camera looks at the hip where it is visible, else at the thorax, else at the mean of what is.
    With everything visible the first two features are those of `centre`. The hip's place holds the ray that
    the camera looks along. Hidden joints are 0 in all three features.

    Args:
        rays: (…, 17, 2) in the Human3.6M layout, (x − cx) / f and (y − cy) / f.
        visible: (…, 17) bool, as of `visible_joints`.

    Returns:
        Inputs (…, 17, 3): x, y, and 1 for visible joints; rotations (…, 3, 3), camera to virtual camera.
    """
    shown = visible.to(rays.dtype)[..., None]
    mean = (rays * shown).sum(-2) / shown.sum(-2).clamp(min=1)
    reference = torch.where(visible[..., _THORAX, None], rays[..., _THORAX, :], mean)
    reference = torch.where(visible[..., _HIP, None], rays[..., _HIP, :], reference)
    rotation = look_at(reference)
    columns = rotation.unsqueeze(-3)  # (…, 1, 3, 3)
    turned = rays[..., :1] * columns[..., 0] + rays[..., 1:] * columns[..., 1] + columns[..., 2]
    centred = turned[..., :2] / turned[..., 2:].clamp(min=_LEAST_DEPTH) * shown
    size = (centred.square().sum((-1, -2)) / shown.sum((-1, -2)).clamp(min=1)).sqrt().clamp(min=_LEAST_SIZE)
    inputs = torch.cat([centred / size[..., None, None], shown], -1)
    inputs[..., _HIP, :2] = reference
    inputs[..., _SPINE, 0] = 0
    inputs[..., _SPINE, 1] = size.log() - _USUAL_LOG_SIZE
    return inputs, rotation


def visible_joints(keypoints: Tensor) -> Tensor:
    """Which joints are visible, from which COCO17 keypoints are: (…, 17) bool → (…, 17) bool, Human3.6M.

    A joint that is made of several keypoints needs all of them. The head needs one of the face's: a detector
    places the eye and ear of the far side well enough by the others.
    """
    sources = _sources(keypoints.device)
    hidden = (~keypoints).to(torch.float32) @ sources[0]
    return hidden < sources[1]


@cache
def _sources(device: torch.device) -> tuple[Tensor, Tensor]:
    """(17, 17): whether a COCO keypoint (row) is part of a joint; (17,): hidden ones that hide the joint."""
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
    """Return how many numbers a joint a network of this input space reads."""
    return 3 if space == "centred-visible" else 2
