"""Random virtual cameras around a person."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .config import CameraConfig


def random_cameras(root: Tensor, config: CameraConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cameras that see a person standing with the root at `root`.

    root: (N, 3) world position, metres, z up. Returns rotations (N, 3, 3), world to camera (x right, y down,
    z forward), and positions (N, 3) in the world. The person stands off the optical axis by a random angle,
    and the camera is rolled a little, as in hand-held footage.
    """
    count = len(root)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    def normal(spread: float) -> Tensor:
        return spread * torch.randn(count, generator=generator).clamp(-2.5, 2.5)

    distance = torch.exp(uniform(*(math.log(v) for v in config.distance)))
    place = torch.rand(count, generator=generator)
    height = torch.where(place < config.high, uniform(*config.high_height), uniform(*config.height))
    if config.low:
        lowest, highest = config.low_height
        # (How far `place` lies within its share is uniform too.)
        low_height = lowest + (highest - lowest) * (place - (1 - config.low)) / config.low
        height = torch.where(place >= 1 - config.low, low_height, height)
    drop = (height - root[:, 2]).clamp(min=-0.9 * distance, max=0.9 * distance)
    ground = (distance.square() - drop.square()).sqrt()
    bearing = uniform(0, 2 * math.pi)
    position = torch.stack(
        [
            root[:, 0] + ground * torch.cos(bearing),
            root[:, 1] + ground * torch.sin(bearing),
            root[:, 2] + drop,
        ],
        1,
    )

    towards = root - position
    pan, tilt = (torch.deg2rad(normal(v)) for v in config.off_axis)
    yaw = torch.atan2(towards[:, 1], towards[:, 0]) + pan
    pitch = torch.atan2(towards[:, 2], towards[:, :2].norm(dim=1)) + tilt
    return _rotation(yaw, pitch, torch.deg2rad(normal(config.roll))), position


def _rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """World-to-camera rotations (N, 3, 3) of cameras that look along (yaw, pitch), z up, rolled by `roll`."""
    forward = torch.stack([pitch.cos() * yaw.cos(), pitch.cos() * yaw.sin(), pitch.sin()], 1)
    right = torch.stack([yaw.sin(), -yaw.cos(), torch.zeros_like(yaw)], 1)
    down = torch.linalg.cross(forward, right)
    c, s = roll.cos()[:, None], roll.sin()[:, None]
    return torch.stack([c * right + s * down, c * down - s * right, forward], 1)
