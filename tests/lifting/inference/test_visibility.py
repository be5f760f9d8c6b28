from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.live import LiveLifter
from videopose.lifting.inference.visibility import (
    PATIENCE,
    VisibilityState,
    confidence,
    next_visible,
    visible_keypoints,
)
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import COCO17, H36M17

SIZE = (640, 480)
LANKLE, LWRIST, LHIP = (COCO17.index(name) for name in ("lankle", "lwrist", "lhip"))


def _track(frames: int = 30, score: float = 0.8) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    keypoints = np.full((frames, 17, 3), score, np.float32)
    keypoints[..., :2] = random.uniform(100, 400, (1, 17, 2)) + random.normal(0, 2, (frames, 17, 2))
    return keypoints


def _live(keypoints: NDArray[np.float32]) -> NDArray[np.bool_]:
    state: VisibilityState | None = None
    found = []
    for frame in keypoints:
        visible, state = next_visible(state, frame[None], SIZE)
        found.append(visible[0])
    return np.array(found)


def test_short_dips_are_ignored_and_long_ones_are_not() -> None:
    keypoints = _track()
    keypoints[10 : 10 + PATIENCE - 1, LWRIST, 2] = 0.05
    keypoints[10 : 10 + PATIENCE, LANKLE, 2] = 0.05
    visible = visible_keypoints(keypoints, SIZE)
    assert visible[:, LWRIST].all()
    assert visible[:, LANKLE].sum() == 30 - PATIENCE
    assert not visible[10 : 10 + PATIENCE, LANKLE].any()


def test_a_score_between_the_two_limits_changes_nothing() -> None:
    keypoints = _track()
    keypoints[:, LANKLE, 2] = np.repeat([0.8, 0.25, 0.1, 0.25, 0.8], 6)
    visible = visible_keypoints(keypoints, SIZE)
    assert visible[:, LANKLE].tolist() == [True] * 12 + [False] * 12 + [True] * 6
    assert _live(keypoints)[:, LANKLE].tolist() == [True] * 16 + [False] * 8 + [True] * 6


def test_keypoints_outside_the_picture_are_hidden_whatever_they_score() -> None:
    keypoints = _track()
    keypoints[:, LANKLE, 1] = SIZE[1] + 20
    keypoints[:, LWRIST, 0] = -5
    for visible in (visible_keypoints(keypoints, SIZE), _live(keypoints)):
        assert not visible[:, [LANKLE, LWRIST]].any()
        assert visible.sum() == 30 * 15


def test_interpolated_frames_are_as_visible_as_those_before() -> None:
    keypoints = _track(score=0.35)
    keypoints[10:20, :, 2] = 0.17  # half the score, as gaps are filled
    filled = np.zeros(30, np.bool_)
    filled[10:20] = True
    assert visible_keypoints(keypoints, SIZE, filled=filled).all()
    keypoints[:10, LANKLE, 2] = keypoints[20:, LANKLE, 2] = 0.1
    assert not visible_keypoints(keypoints, SIZE, filled=filled)[:, LANKLE].any()


def test_a_frame_with_hardly_a_visible_keypoint_keeps_those_that_have_a_score() -> None:
    keypoints = _track(score=0.1)
    keypoints[:, LANKLE] = 0
    for visible in (visible_keypoints(keypoints, SIZE), _live(keypoints)):
        assert visible.sum() == 30 * 16
        assert not visible[:, LANKLE].any()


def test_a_new_person_in_the_place_of_another() -> None:
    keypoints = _track()[:, None]
    hidden = keypoints.copy()
    hidden[..., LANKLE, 2] = 0
    _, state = next_visible(None, keypoints[0], SIZE)
    assert next_visible(state, hidden[1], SIZE)[0][0, LANKLE]
    assert not next_visible(state, hidden[1], SIZE, np.array([True]))[0][0, LANKLE]


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_short_tracks(frames: int) -> None:
    keypoints = _track(3)[:frames]
    keypoints[:, LANKLE, 2] = 0
    visible = visible_keypoints(keypoints, SIZE)
    assert visible.shape == (frames, 17)
    assert visible.sum() == frames * 16


def test_confidence() -> None:
    keypoints = _track(1, 0.6)[0]
    visible = np.ones(17, np.bool_)
    np.testing.assert_allclose(confidence(keypoints, visible), 0.6, rtol=1e-5)
    keypoints[LHIP, 2] = 0.2
    by_name = dict(zip(H36M17.names, confidence(keypoints, visible), strict=True))
    assert by_name["hip"] == pytest.approx(0.4)
    assert by_name["lhip"] == pytest.approx(0.2)
    visible[LHIP] = False
    by_name = dict(zip(H36M17.names, confidence(keypoints, visible), strict=True))
    assert {name for name, value in by_name.items() if value == 0} == {"hip", "lhip", "spine"}


def _lifter(space: Any, **options: Any) -> Lifter:
    features = 3 if space == "centred-visible" else 2
    return Lifter(
        TemporalModel(filter_widths=(3, 3), channels=16, in_features=features, **options).eval(),
        "h36m17",
        space,
        30.0,
    )


@pytest.mark.parametrize("space", ["centred", "centred-visible"])
def test_places_of_hidden_keypoints_matter_to_lifters_without_a_mask_only(space: Any) -> None:
    lifter, lens, times = _lifter(space), Lens(Intrinsics(600, 600, 320, 240)), np.arange(30) / 30
    keypoints = _track()
    keypoints[:, LANKLE, 2] = 0
    moved = keypoints.copy()
    moved[:, LANKLE, :2] += 60
    lifted, again = (lifter.lift_track(k, times, lens=lens, size=SIZE) for k in (keypoints, moved))
    assert np.allclose(lifted.pose, again.pose, atol=1e-6) == (space == "centred-visible")
    for each in (lifted, again):
        assert (each.confidence[:, H36M17.index("lfoot")] == 0).all()
        assert (each.confidence[:, H36M17.index("rfoot")] > 0.5).all()


def test_hidden_keypoints_live() -> None:
    lifter = _lifter("centred-visible", causal=True)
    camera = Intrinsics(600, 600, 320, 240)
    keypoints = _track()
    keypoints[:, LANKLE, 2] = 0
    live = LiveLifter(lifter, camera=camera, size=SIZE)
    poses = np.concatenate([live.step(frame[None]) for frame in keypoints])
    whole = lifter.lift_track(keypoints, np.arange(30) / 30, lens=Lens(camera), size=SIZE).pose
    np.testing.assert_allclose(poses, whole, atol=2e-5)
