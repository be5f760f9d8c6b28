"""Recombined motion keeps bones, floor and people who do not stand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from videopose.lifting.simulation.config import RecombinationConfig
from videopose.lifting.simulation.motion_bank import PARENTS
from videopose.lifting.simulation.recombination import recombine
from videopose.lifting.simulation.recombination.body_frames import (
    from_rotation_vectors,
    pelvis_axes,
    product,
    rotate,
)
from videopose.lifting.simulation.recombination.plausible import plausible_arms, plausible_legs

FRAMES, TARGET = 9, 4
STANDING = torch.tensor(
    [
        [0, 0, 0.95], [0, -0.1, 0.95], [0, -0.12, 0.52], [0, -0.14, 0.08], [0, 0.1, 0.95], [0, 0.12, 0.52],
        [0, 0.14, 0.08], [0, 0, 1.2], [0, 0, 1.45], [0.07, 0, 1.55], [0, 0, 1.68], [0, 0.17, 1.42],
        [0, 0.22, 1.15], [0.05, 0.25, 0.9], [0, -0.17, 1.42], [0, -0.22, 1.15], [0.05, -0.25, 0.9],
        [0, 0.08, 1.6], [0, -0.08, 1.6], [0.1, 0, 1.55], [0.08, 0.03, 1.6], [0.08, -0.03, 1.6],
    ]
)  # fmt: skip
PARENT = torch.tensor(PARENTS[1:])


def _windows(count: int, seed: int = 0) -> Tensor:
    """Standing people who lift their arms sideways by an angle of their own, turned about the upright."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(count, 3, generator=generator)
    points = STANDING.expand(count, FRAMES, -1, -1).clone()
    for side, shoulder, part in ((1, 11, slice(12, 14)), (-1, 14, slice(15, 17))):
        axis = torch.zeros(count, 1, 3)
        axis[:, 0, 0] = side * 1.5 * draws[:, (side + 1) // 2]
        joint = points[:, :, shoulder, None]
        turn = from_rotation_vectors(axis).expand(-1, FRAMES, -1, -1)
        points[:, :, part] = joint + rotate(turn, points[:, :, part] - joint)
    axis = torch.zeros(count, 1, 3)
    axis[:, 0, 2] = 6 * draws[:, 2]
    return rotate(from_rotation_vectors(axis).expand(-1, FRAMES, -1, -1), points).flatten(2)


def _recombined(windows: Tensor, seed: int = 1, **values: float) -> Tensor:
    config = RecombinationConfig.model_validate({"share": 1.0, "jumps": 0.0} | values)
    generator = torch.Generator().manual_seed(seed)
    out = recombine(windows.clone(), config, generator, target=TARGET, rate=30.0)
    return out.view(*windows.shape[:2], 22, 3)


def _lengths(points: Tensor) -> Tensor:
    return (points[:, :, 1:] - points[:, :, PARENT]).norm(dim=-1)


def test_bones_keep_their_lengths() -> None:
    """All test people have the same bones, so parts of others fit too."""
    windows = _windows(200)
    out = _recombined(windows)
    assert torch.allclose(_lengths(out), _lengths(windows.view_as(out)), atol=1e-4)
    changed = (out - windows.view_as(out)).abs().amax((1, 2, 3)) > 0.01
    assert float(changed.float().mean()) > 0.7


def test_share_zero_changes_nothing() -> None:
    """Without recombination windows stay as they are."""
    windows = _windows(10)
    assert torch.equal(_recombined(windows, share=0.0).flatten(2), windows)


def test_parts_of_all_windows_come_from_others() -> None:
    """If every window gets an upper body, none gets its own back."""
    windows = _windows(40)
    none = {"arm": 0.0, "leg": 0.0, "trunk": 0.0, "legs": 0.0, "arms": 0.0}
    changed = (_recombined(windows, upper_body=1.0, **none) - windows.view(40, FRAMES, 22, 3)).abs()
    assert int((changed.amax((1, 2, 3)) > 0.01).sum()) > 30


def test_only_the_share_is_changed() -> None:
    """Only so many windows of a batch are touched."""
    windows = _windows(100)
    changed = (_recombined(windows, share=0.3).flatten(2) != windows).any(2).any(1)
    assert int(changed[30:].sum()) == 0
    assert int(changed[:30].sum()) > 15


def test_hips_stay_and_feet_stand_on_the_floor() -> None:
    """Pelvis and hips keep their place sideways; the lowest ankle keeps its height."""
    windows = _windows(100)
    out = _recombined(windows)
    before = windows.view_as(out)
    assert torch.allclose(out[:, :, (0, 1, 4), :2], before[:, :, (0, 1, 4), :2], atol=1e-5)
    lowest, expected = (v[:, :, (3, 6), 2].amin((1, 2)) for v in (out, before))
    assert torch.allclose(lowest, expected, atol=1e-5)


def test_jumps_leave_the_floor() -> None:
    """Some windows are lifted off the floor, none is pushed into it."""
    out = _recombined(_windows(100), jumps=1.0)
    lowest = out[:, :, (3, 6), 2].amin(2)
    assert float(lowest.min()) > 0.07
    assert float(lowest.amax(1).median()) > 0.2


def test_people_who_lie_stay_as_they_are() -> None:
    """Floor motion keeps its contacts."""
    lying = _windows(20).view(20, FRAMES, 22, 3)[..., (2, 1, 0)].contiguous()
    assert torch.equal(_recombined(lying.flatten(2)), lying)


def test_results_are_plausible() -> None:
    """What was changed has passed the checks; old legs under a new trunk rarely reach the hips' limits."""
    windows = _windows(300)
    out = _recombined(windows)[:, ::8]
    assert bool(plausible_arms(out).all())
    assert float(plausible_legs(out).float().mean()) > 0.95
    unchecked = (windows.view(300, FRAMES, 22, 3)[:, ::8] - out).abs().amax((1, 2, 3)) < 1e-6
    assert float(unchecked.float().mean()) < 0.4


def test_same_seed_same_motion() -> None:
    """Batches can be made again."""
    windows = _windows(50)
    assert torch.equal(_recombined(windows, seed=3), _recombined(windows, seed=3))
    assert not torch.equal(_recombined(windows, seed=3), _recombined(windows, seed=4))


@pytest.mark.parametrize(
    ("joint", "place", "check"),
    [
        (16, (0.0, 0.02, 1.2), plausible_arms),  # a wrist in the trunk
        (16, (0.0, 0.0, 1.62), plausible_arms),  # a wrist in the head
        (15, (-0.2, 0.05, 1.35), plausible_arms),  # an upper arm behind the back
        (3, (0.0, 0.13, 0.2), plausible_legs),  # an ankle in the other shank
        (2, (-0.4, -0.1, 1.0), plausible_legs),  # a thigh drawn back above the hip
    ],
)
def test_implausible(joint: int, place: tuple[float, float, float], check: object) -> None:
    """Poses that no body can take are found."""
    pose = STANDING.clone()[None, None]
    assert callable(check)
    assert bool(check(pose))
    pose[0, 0, joint] = torch.tensor(place)
    assert not bool(check(pose))


def test_axes_and_rotations() -> None:
    """Pelvis axes are a rotation: forward, left, up; products and rotation vectors agree with torch's."""
    axes = pelvis_axes(STANDING)
    assert torch.allclose(axes, torch.eye(3), atol=1e-6)
    vectors = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    turns = from_rotation_vectors(vectors)
    skew = torch.zeros(5, 3, 3)
    skew[:, 0, 1], skew[:, 0, 2], skew[:, 1, 2] = -vectors[:, 2], vectors[:, 1], -vectors[:, 0]
    assert torch.allclose(turns, torch.matrix_exp(skew - skew.transpose(1, 2)), atol=1e-5)
    assert torch.allclose(product(turns, turns), turns @ turns, atol=1e-5)
