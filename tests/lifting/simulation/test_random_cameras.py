import math
from typing import Any

import pytest
import torch
from torch import Tensor

from videopose.lifting.simulation.config import CameraConfig
from videopose.lifting.simulation.random_cameras import random_cameras

COUNT = 3000


def _roots() -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.rand(COUNT, 3, generator=generator) * torch.tensor([8.0, 8.0, 0.4]) + torch.tensor(
        [-4.0, -4.0, 0.7]
    )


def _cameras(seed: int = 0, **changes: Any) -> tuple[Tensor, Tensor, Tensor]:
    root = _roots()
    rotation, position = random_cameras(root, CameraConfig(**changes), torch.Generator().manual_seed(seed))
    return rotation, position, torch.einsum("nij,nj->ni", rotation, root - position)


def _degrees(x: Tensor) -> Tensor:
    return x * 180 / math.pi


def test_rotations_are_proper() -> None:
    rotation, _, _ = _cameras()
    torch.testing.assert_close(
        rotation @ rotation.transpose(1, 2), torch.eye(3).expand(COUNT, 3, 3), atol=1e-5, rtol=0
    )
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(COUNT), atol=1e-5, rtol=0)


def test_the_person_stands_in_front_at_the_distance_asked_for() -> None:
    _, position, seen = _cameras()
    assert (seen[:, 2] > 0).all()
    distance = (_roots() - position).norm(dim=1)
    assert float(distance.min()) >= 1.8 - 1e-4
    assert float(distance.max()) <= 9.0 + 1e-4
    # Log-uniform: half of the cameras stand nearer than the geometric mean.
    assert abs(float((distance < math.sqrt(1.8 * 9)).float().mean()) - 0.5) < 0.05


def test_without_chance_the_camera_looks_straight_at_the_root() -> None:
    rotation, _, seen = _cameras(off_axis=(0, 0), roll=0)
    torch.testing.assert_close(seen[:, :2], torch.zeros(COUNT, 2), atol=1e-4, rtol=0)
    assert rotation[:, 0, 2].abs().max() < 1e-6  # level: the world's up has no sideways part
    assert (rotation[:, 1, 2] < 0).all()  # and points up in the image, where y is down


def test_angles_off_the_axis_have_the_size_asked_for() -> None:
    # Clamping at 2.5 deviations leaves 98 % of one; tilting and panning mix a little when looking down.
    _, _, seen = _cameras(off_axis=(8, 0), roll=0, height=(0.9, 0.9), high=0)
    assert abs(float(_degrees(torch.atan2(seen[:, 0], seen[:, 2])).std()) - 8) < 0.5
    _, _, seen = _cameras(off_axis=(0, 5), roll=0)
    assert abs(float(_degrees(torch.atan2(seen[:, 1], seen[:, 2])).std()) - 5) < 0.4
    assert seen[:, 0].abs().max() < 1e-4


def test_roll_has_the_size_asked_for() -> None:
    rotation, _, seen = _cameras(off_axis=(0, 0), roll=4)
    roll = _degrees(torch.atan2(rotation[:, 0, 2], -rotation[:, 1, 2]))
    assert abs(float(roll.std()) - 4) < 0.3
    torch.testing.assert_close(seen[:, :2], torch.zeros(COUNT, 2), atol=1e-4, rtol=0)


def test_heights_are_those_asked_for() -> None:
    _, position, _ = _cameras(height=(0.5, 1.5), high=0.25, high_height=(3.0, 4.0), distance=(6, 9))
    low = (position[:, 2] >= 0.5 - 1e-4) & (position[:, 2] <= 1.5 + 1e-4)
    high = (position[:, 2] >= 3 - 1e-4) & (position[:, 2] <= 4 + 1e-4)
    assert (low | high).all()
    assert abs(float(high.float().mean()) - 0.25) < 0.03


def test_some_cameras_stand_below_the_floor_and_the_others_stay_where_they_were() -> None:
    ranges = {"height": (0.5, 1.5), "distance": (6, 9), "high": 0.1, "high_height": (3.0, 4.0)}
    _, usual, _ = _cameras(**ranges)
    _, position, seen = _cameras(**ranges, low=0.2, low_height=(-3, 0))
    height = position[:, 2]
    low = height <= 1e-4
    assert abs(float(low.float().mean()) - 0.2) < 0.03
    # Uniform between its ends, which are reached (cameras that close are put no lower than they can look).
    assert float(height[low].min()) < -2.9
    assert abs(float(height[low].mean()) + 1.5) < 0.15
    torch.testing.assert_close(position[~low], usual[~low])
    assert (seen[:, 2] > 0).all()


def test_shares_of_cameras_are_one_at_most() -> None:
    with pytest.raises(ValueError, match="together one at most"):
        CameraConfig(high=0.7, low=0.4)


def test_a_near_camera_is_never_straight_above() -> None:
    rotation, position, seen = _cameras(
        distance=(2, 2), height=(5, 5), high_height=(5, 5), off_axis=(0, 0), roll=0
    )
    drop = position[:, 2] - _roots()[:, 2]
    assert float(drop.max()) <= 0.9 * 2 + 1e-4
    assert (rotation[:, 1, 2] < -0.4).all()
    torch.testing.assert_close(seen[:, 2], torch.full((COUNT,), 2.0), atol=1e-4, rtol=0)


def test_cameras_stand_all_round() -> None:
    _, position, _ = _cameras()
    away = position - _roots()
    bearing = _degrees(torch.atan2(away[:, 1], away[:, 0]))
    counts = torch.histc(bearing, 8, -180, 180)
    assert counts.min() > 0.8 * COUNT / 8


def test_the_generator_decides() -> None:
    one, again, other = (_cameras(seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one[0], other[0])
