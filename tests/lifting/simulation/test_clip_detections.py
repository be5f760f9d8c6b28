from typing import Any

import pytest
import torch
from torch import Tensor

from videopose.lifting.simulation.config import DetectionConfig
from videopose.lifting.simulation.detector_noise import simulate, simulate_clip

WINDOW = 90
FRAMES = 1000
NONE = (1e-9, 1e-9)


def _config(**faults: Any) -> DetectionConfig:
    values: dict[str, Any] = {
        "jitter": NONE,
        "drift": NONE,
        "bias": 0,
        "outliers": 0,
        "episodes": 0,
        "hidden": 0,
    }
    return DetectionConfig(**values | faults)


def _person(frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """A person who walks by, 4 m away: points, depth, distance."""
    still = 0.1 * torch.randn(1, 2, 17, generator=torch.Generator().manual_seed(5))
    return (
        still + torch.linspace(-1, 1, frames)[:, None, None],
        torch.full((frames, 17), 4.0),
        torch.full((frames,), 4.0),
    )


def _errors(config: DetectionConfig, frames: int = FRAMES, seed: int = 0) -> Tensor:
    """(F, 2, 17) in metres at the person."""
    person = _person(frames)
    generator = torch.Generator().manual_seed(seed)
    return 4 * (simulate_clip(*person, config, generator, window=WINDOW) - person[0])


def test_a_clip_within_one_window_is_simulated_as_in_training() -> None:
    points, depth, distance = _person(WINDOW)
    seen = simulate_clip(
        points, depth, distance, DetectionConfig(), torch.Generator().manual_seed(1), window=WINDOW
    )
    same = simulate(
        points[None], depth[None], torch.tensor([0.25]), DetectionConfig(), torch.Generator().manual_seed(1)
    )
    torch.testing.assert_close(seen, same[0], rtol=0, atol=0)


@pytest.mark.parametrize("frames", [1, 2, 89, 91, 164, 165, 166, 241, FRAMES])
@pytest.mark.parametrize("window", [2, 3, WINDOW])
def test_a_perfect_detector_changes_nothing_at_any_seam(frames: int, window: int) -> None:
    points, depth, distance = _person(frames)
    seen = simulate_clip(points, depth, distance, _config(), torch.Generator(), window=window)
    assert seen.shape == points.shape
    assert (seen - points).abs().max() < 1e-6


def test_a_bias_fades_into_the_next_and_keeps_its_spread() -> None:
    errors = torch.stack([_errors(_config(bias=0.02), seed=seed) for seed in range(60)])
    spread = errors.square().mean((0, 2)).sqrt()  # (F, 17), over seeds and axes
    overall = spread.square().mean(0).sqrt()
    assert 0.016 < overall.mean() < 0.024  # keypoints differ in certainty; elbows' is one
    evenness = (spread / overall).mean(1)
    assert 0.9 < evenness.min() < evenness.max() < 1.1
    assert errors.diff(dim=1).abs().max() < 0.02  # a sudden change would reach several times the bias
    early, late = errors[:, 10].flatten(), errors[:, 900].flatten()
    assert abs(float((early * late).mean() / (early.std() * late.std()))) < 0.1
    assert (errors[:, 20] - errors[:, 60]).abs().max() < 1e-5  # and within a window it stands still


def test_jitter_is_as_strong_at_seams_as_between() -> None:
    errors = torch.stack([_errors(_config(jitter=(0.01, 0.01)), seed=seed) for seed in range(30)])
    spread = errors.square().mean((0, 2, 3)).sqrt()
    assert spread.min() > 0.8 * spread.median()
    assert spread.max() < 1.2 * spread.median()


def test_a_long_clip_has_many_episodes() -> None:
    spoilt = (_errors(_config(episodes=1)).abs() > 1e-3).flatten(1).any(1)
    onsets = int((spoilt.int().diff() == 1).sum())
    assert onsets >= 5  # of thirteen windows
    assert spoilt.float().mean() < 0.5


def test_errors_grow_with_the_person_on_the_screen() -> None:
    points, depth, _ = _person(FRAMES)
    distance = torch.linspace(2, 8, FRAMES)
    seen = simulate_clip(
        points, depth, distance, _config(jitter=(0.01, 0.01)), torch.Generator().manual_seed(0), window=WINDOW
    )
    near, far = (seen - points)[:80].std(), (seen - points)[-80:].std()
    assert 2.8 < near / far < 4.2


def test_a_window_of_one_frame_is_an_error() -> None:
    with pytest.raises(ValueError, match="two frames"):
        simulate_clip(*_person(5), _config(), torch.Generator(), window=1)
