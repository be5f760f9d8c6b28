from typing import Any

import pytest
import torch
from torch import Tensor

from videopose.lifting.simulation.config import DetectionConfig
from videopose.lifting.simulation.detector_noise import simulate
from videopose.skeleton import COCO17

NOTHING: dict[str, Any] = {
    "jitter": (1e-9, 1e-9), "drift": (1e-9, 1e-9), "bias": 0.0,
    "hidden": 0.0, "outliers": 0.0, "episodes": 0.0,
}  # fmt: skip
COUNT, FRAMES, SCALE = 400, 27, 0.25  # a person 4 m away
ELBOW, WRIST, NOSE, HIP = (COCO17.index(n) for n in ("lelbow", "lwrist", "nose", "lhip"))


def _points() -> Tensor:
    return torch.randn(COUNT, FRAMES, 2, 17, generator=torch.Generator().manual_seed(1)) * 0.1


def _simulate(
    seed: int = 0, depth: Tensor | None = None, scale: Tensor | None = None, **changes: Any
) -> Tensor:
    """Detected minus true, in metres at the person."""
    points = _points()
    scale = torch.full((COUNT,), SCALE) if scale is None else scale
    depth = torch.full((COUNT, FRAMES, 17), 4.0) if depth is None else depth
    config = DetectionConfig(**NOTHING | changes)
    seen = simulate(points, depth, scale, config, torch.Generator().manual_seed(seed))
    assert seen.shape == points.shape
    assert torch.equal(points, _points())  # left alone
    return (seen - points) / scale[:, None, None, None]


def test_a_perfect_detector_sees_the_truth() -> None:
    assert _simulate().abs().max() < 1e-6


def test_jitter_has_the_size_asked_for_at_an_elbow() -> None:
    error = _simulate(jitter=(0.01, 0.01))
    # 21 600 draws: one standard deviation of the estimate is half a percent.
    assert float(error[..., ELBOW].std()) == pytest.approx(0.01, rel=0.03)
    assert float(error[..., NOSE].std()) == pytest.approx(0.0045, rel=0.03)
    assert float(error[..., HIP].std()) == pytest.approx(0.013, rel=0.03)
    assert float(error[..., ELBOW].mean()) == pytest.approx(0, abs=3e-4)
    now, then = error[:, :-1, :, ELBOW].flatten(), error[:, 1:, :, ELBOW].flatten()
    assert abs(float((now * then).mean())) < 0.03 * 0.01**2  # no memory from frame to frame


def test_jitter_differs_between_windows_within_its_range() -> None:
    spread = _simulate(jitter=(0.002, 0.02))[..., 5:11].std((1, 2, 3))
    assert float(spread.min()) > 0.8 * 0.002
    assert float(spread.max()) < 1.2 * 0.02
    assert float(spread.median()) == pytest.approx((0.002 * 0.02) ** 0.5, rel=0.2)  # log-uniform


def test_bias_lasts_as_long_as_the_window() -> None:
    error = _simulate(bias=0.02)
    torch.testing.assert_close(error, error[:, :1].expand_as(error), atol=1e-6, rtol=0)
    assert float(error[:, 0, :, ELBOW].std()) == pytest.approx(0.02, rel=0.1)


def test_drift_is_slow() -> None:
    error = _simulate(drift=(0.02, 0.02))
    step = (error[:, 1:] - error[:, :-1])[..., ELBOW]
    assert 0.4 * 0.02 < float(error[..., ELBOW].std()) < 0.02
    assert float(step.std()) < 0.3 * 0.02
    assert float(error[..., ELBOW].std(1).mean()) > 0.2 * 0.02  # but it does move


def test_errors_grow_with_the_size_of_the_person() -> None:
    scale = torch.linspace(0.1, 0.5, COUNT)
    near = _simulate(jitter=(0.01, 0.01), scale=scale)
    assert float(near[:200].std()) == pytest.approx(float(near[200:].std()), rel=0.05)  # equal in metres


def test_the_side_turned_away_is_seen_worse() -> None:
    depth = torch.full((COUNT, FRAMES, 17), 4.0)
    depth[..., list(COCO17.left)] += 1
    depth[..., list(COCO17.right)] -= 1
    error = _simulate(depth=depth, jitter=(0.01, 0.01), hidden=1.5)
    assert float(error[..., ELBOW].std()) == pytest.approx(0.025, rel=0.05)
    assert float(error[..., COCO17.index("relbow")].std()) == pytest.approx(0.01, rel=0.05)


def test_stray_points_are_as_many_and_as_far_as_asked_for() -> None:
    error = _simulate(outliers=0.1, outlier_size=0.2)
    stray = error.abs().amax(2) > 1e-5
    assert float(stray.float().mean()) == pytest.approx(0.1, rel=0.05)
    assert float(error.transpose(2, 3)[stray].std()) == pytest.approx(0.2, rel=0.05)


def _episodes() -> tuple[Tensor, Tensor]:
    """Where (N, F, 17) points are not where they should be, and where they are on their twin's place."""
    points, error = _points(), _simulate(episodes=1.0) * SCALE
    seen = points + error
    moved = error.abs().amax(2) > 1e-5
    swapped = (seen - points[..., list(COCO17.mirror)]).abs().amax(2) < 1e-5
    return moved, swapped & moved


def test_limbs_are_taken_for_their_twins_and_sides_exchanged() -> None:
    _, swapped = _episodes()
    whole = [COCO17.index(n) for n in ("lhip", "lknee", "lankle", "rhip", "rknee", "rankle")]
    arm = [COCO17.index(n) for n in ("lelbow", "lwrist")]
    both_legs = swapped[..., whole].all(-1).any(1)
    one_arm = (swapped.sum(-1) == 2) & swapped[..., arm].all(-1)
    assert 0.08 < float(both_legs.float().mean()) < 0.25  # a sixth
    assert 0.05 < float(one_arm.any(1).float().mean()) < 0.2  # two thirds of a sixth
    assert not swapped[..., :5].any()  # faces are not touched


def test_limbs_are_lost_and_guessed() -> None:
    moved, swapped = _episodes()
    guessed = moved & ~swapped
    assert 0.1 < float(guessed.any((1, 2)).float().mean()) < 0.35  # a third of four sixths
    assert int(guessed.sum(-1).max()) == 2


def test_episodes_are_of_one_piece_and_pass() -> None:
    moved = _episodes()[0].any(-1)
    changes = (moved[:, 1:] != moved[:, :-1]).sum(1)
    assert int(changes.max()) <= 2
    assert int(moved.sum(1).max()) <= 20
    assert float(moved.any(1).float().mean()) > 0.9


def test_only_some_windows_have_an_episode() -> None:
    moved = _simulate(episodes=0.3).abs().amax((1, 2, 3)) > 1e-5
    assert float(moved.float().mean()) == pytest.approx(0.3, abs=0.08)


def test_severity_scales_a_window_s_errors_and_their_chances() -> None:
    full = _simulate(jitter=(0.01, 0.01), outliers=0.05, outlier_size=5.0, severity=(1.0, 1.0))
    half = _simulate(jitter=(0.01, 0.01), outliers=0.05, outlier_size=5.0, severity=(0.5, 0.5))

    def stray(error: Tensor) -> Tensor:
        return error.norm(dim=2) > 0.5

    assert float(stray(half).float().mean() / stray(full).float().mean()) == pytest.approx(0.5, abs=0.05)
    spread = _simulate(jitter=(0.01, 0.01), severity=(0.1, 1.0))[..., 5:11].std((1, 2, 3))
    assert float(spread.median()) == pytest.approx(0.01 * 0.1**0.5, rel=0.2)  # log-uniform


@pytest.mark.parametrize("frames", [1, 2, 9, 81])
def test_windows_of_any_length(frames: int) -> None:
    points = torch.zeros(3, frames, 2, 17)
    depth, scale = torch.ones(3, frames, 17), torch.ones(3)
    seen = simulate(points, depth, scale, DetectionConfig(episodes=1), torch.Generator().manual_seed(0))
    assert seen.shape == points.shape
    assert seen.isfinite().all()


def test_the_generator_decides() -> None:
    torch.manual_seed(0)
    everything: dict[str, Any] = {
        "jitter": (0.01, 0.02),
        "drift": (0.01, 0.02),
        "bias": 0.1,
        "outliers": 0.1,
        "episodes": 0.5,
    }
    state = torch.get_rng_state()
    one, again, other = (_simulate(seed, **everything) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)  # the global generator is not used
