"""Centred rays: every frame seen by a virtual camera that looks straight at the person's hip.

A network that reads plain rays has to learn from examples that a person two steps to the left, or twice as
far away, is the same person. Here each frame's rays are turned until the hip lies on the optical axis and
scaled to unit size (the idea of perspective crops: Yu, Salzmann, Fua & Rhodin, CVPR 2021), and the pose that
comes out is turned back. Nothing is lost: where the hip was and how large the person was take the two places
that the turning and the layout leave without information.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ...skeleton import H36M17

_HIP = H36M17.index("hip")
_SPINE = H36M17.index("spine")  # midway between hip and thorax by construction, so its place is free
_USUAL_LOG_SIZE = -2.0  # of a standing adult at four metres
_LEAST_DEPTH = 0.1  # of a unit ray; no keypoint is 84° away from the hip
_LEAST_SIZE = 1e-4


def centre(rays: Tensor) -> tuple[Tensor, Tensor]:
    """Rays in the Human3.6M layout → the network's input, and how each frame was turned.

    rays: (…, 17, 2), (x − cx) / f and (y − cy) / f. Returns inputs (…, 17, 2) and rotations (…, 3, 3), camera
    to virtual camera; a pose that the network gives belongs to the virtual camera of its frame (`turn_back`).
    In the input the hip's place holds the hip's own ray, and the spine's y the logarithm of the size.
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


def look_at(ray: Tensor) -> Tensor:
    """(…, 2) rays → (…, 3, 3) rotations into cameras that look along them, without roll."""
    u, v = ray.unbind(-1)
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    forward = torch.nn.functional.normalize(torch.stack([u, v, one], -1), dim=-1)
    right = torch.nn.functional.normalize(torch.stack([one, zero, -u], -1), dim=-1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], -2)


def turn_back(poses: Tensor, rotation: Tensor) -> Tensor:
    """Poses (…, 17, 3) from the virtual cameras into the real one."""
    return torch.einsum("...ji,...kj->...ki", rotation, poses)


def mirrored(values: Tensor, order: Sequence[int]) -> Tensor:
    """Keypoints or poses (…, J, F) seen in a mirror: x turned about, joints in the mirror's order."""
    values = values[..., list(order), :]  # (a copy)
    values[..., 0] *= -1
    return values


InputSpace = Literal["centred", "rays", "screen"]
INPUT_SPACES = ("centred", "rays", "screen")
