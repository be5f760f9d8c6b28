"""Sample random simulated cameras around a person."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .config import CameraConfig


def random_cameras(
    root: Tensor,
    config: CameraConfig,
    generator: torch.Generator,
    *,
    head: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Place cameras around people.

    The person stands off the optical axis by a random angle, and the camera is rolled a little, as in
    hand-held footage. A near camera looks at a point between hip and head instead of the hip.

    Args:
        root: The people's hips, (N, 3) in the world, metres, z up.
        config: How the cameras vary.
        generator: Random numbers, on the device of `root`.
        head: The people's heads, (N, 3); needed where `config.near` is not 0.

    Returns:
        Rotations (N, 3, 3), world to camera (x right, y down, z forward), and positions (N, 3) in the world.
    """
    count, device = len(root), root.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator, device=device)

    def normal(spread: float) -> Tensor:
        return spread * torch.randn(count, generator=generator, device=device).clamp(-2.5, 2.5)

    distance = torch.exp(uniform(*(math.log(v) for v in config.distance)))
    place = torch.rand(count, generator=generator, device=device)
    height = torch.where(place < config.high, uniform(*config.high_height), uniform(*config.height))
    if config.low:
        lowest, highest = config.low_height
        # The position of `place` within its share is uniformly distributed too, so it is used as a random
        # number.
        low_height = lowest + (highest - lowest) * (place - (1 - config.low)) / config.low
        height = torch.where(place >= 1 - config.low, low_height, height)
    aim, steepest = root, 0.9 * distance
    if config.near and head is not None:
        near = uniform(0, 1) < config.near
        near_distance = torch.exp(uniform(*(math.log(v) for v in config.near_distance)))
        distance = torch.where(near, near_distance, distance)
        steepest = torch.where(near, 0.7, 0.9) * distance
        height = torch.where(near, uniform(*config.near_height), height)
        aim = root + torch.where(near, uniform(0.3, 1), 0.0)[:, None] * (head - root)
    drop = (height - aim[:, 2]).clamp(min=-steepest, max=steepest)
    ground = (distance.square() - drop.square()).sqrt()
    bearing = uniform(0, 2 * math.pi)
    position = torch.stack(
        [
            aim[:, 0] + ground * torch.cos(bearing),
            aim[:, 1] + ground * torch.sin(bearing),
            aim[:, 2] + drop,
        ],
        1,
    )

    towards = aim - position
    pan, tilt = (torch.deg2rad(normal(v)) for v in config.off_axis)
    yaw = torch.atan2(towards[:, 1], towards[:, 0]) + pan
    pitch = torch.atan2(towards[:, 2], towards[:, :2].norm(dim=1)) + tilt
    roll = normal(config.roll)
    if config.rolled:
        rolled = uniform(0, 1) < config.rolled
        roll = torch.where(rolled, uniform(-config.rolled_angle, config.rolled_angle), roll)
    return _rotation(yaw, pitch, torch.deg2rad(roll)), position


def _rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """World-to-camera rotations (N, 3, 3) of cameras that look along (yaw, pitch), z up, rolled by `roll`."""
    forward = torch.stack([pitch.cos() * yaw.cos(), pitch.cos() * yaw.sin(), pitch.sin()], 1)
    right = torch.stack([yaw.sin(), -yaw.cos(), torch.zeros_like(yaw)], 1)
    down = torch.linalg.cross(forward, right)
    c, s = roll.cos()[:, None], roll.sin()[:, None]
    return torch.stack([c * right + s * down, c * down - s * right, forward], 1)
