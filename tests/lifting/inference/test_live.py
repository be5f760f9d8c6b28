from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import UsageError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.live import LiveLifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.network.temporal_model import TemporalModel

SIZE = (1280, 720)
CAMERA = Intrinsics(900, 950, 600, 370)


def _lifter(layout: str, space: Any, **options: Any) -> Lifter:
    model = TemporalModel(filter_widths=(3, 3), channels=16, **{"causal": True} | options)
    return Lifter(model.eval(), layout, space, 30.0)


def _keypoints(people: int, frames: int) -> NDArray[np.float32]:
    """People who tremble and drift."""
    random = np.random.default_rng(0)
    at = random.uniform(200, 500, (people, 1, 17, 2)) + random.normal(0, 3, (people, frames, 1, 2)).cumsum(1)
    keypoints = np.ones((people, frames, 17, 3), np.float32)
    keypoints[..., :2] = at + random.normal(0, 2, (people, frames, 17, 2))
    return keypoints


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    "lifter",
    [
        load_lifter("causal"),
        _lifter("coco17", "rays"),
        _lifter("h36m17", "screen"),
    ],
    ids=["pretrained", "rays", "screen"],
)
def test_the_poses_are_those_of_the_whole_tracks(lifter: Lifter, flip: bool) -> None:
    people = _keypoints(2, 40)
    live = LiveLifter(lifter, camera=CAMERA, size=SIZE, people=2, flip=flip)
    poses = np.stack([live.step(people[:, frame]) for frame in range(40)], 1)
    for pose, keypoints in zip(poses, people, strict=True):
        whole = lifter.lift_track(keypoints, np.arange(40) / 30, lens=Lens(CAMERA), size=SIZE, flip=flip).pose
        np.testing.assert_allclose(pose, whole, atol=2e-5)


def _causal_visible() -> Lifter:
    model = TemporalModel(filter_widths=(3, 3), channels=16, causal=True, in_features=3)
    return Lifter(model.eval(), "h36m17", "centred-visible", 30.0)


@pytest.mark.parametrize("rate", [15.0, 20.0, 24.0, 45.0, 50.0, 60.0, 100.0])
@pytest.mark.parametrize("lifter", [load_lifter("causal"), _causal_visible()], ids=["pretrained", "visible"])
def test_at_other_frame_rates_they_are_too(lifter: Lifter, rate: float) -> None:
    people, times = _keypoints(2, 50), np.arange(50) / rate
    people[0, 20:35, 11:, 2] = 0.1  # hidden for a while
    people[1, 10, :, 2] = 0.1  # a dip
    live = LiveLifter(lifter, camera=CAMERA, size=SIZE, people=2, rate=rate)
    frames = [live.lift(people[:, frame], time=times[frame]) for frame in range(50)]
    for person, keypoints in enumerate(people):
        whole = lifter.lift_track(keypoints, times, lens=Lens(CAMERA), size=SIZE)
        np.testing.assert_allclose([f.pose[person] for f in frames], whole.pose, atol=2e-5)
        np.testing.assert_array_equal([f.confidence[person] for f in frames], whole.confidence)


def test_a_measured_rate_gives_the_same_after_a_moment() -> None:
    people, times = _keypoints(1, 120), np.arange(120) / 60
    lifter = _lifter("h36m17", "rays")
    live = LiveLifter(lifter, camera=CAMERA, size=SIZE)
    poses = [live.step(people[:, frame], time=times[frame])[0] for frame in range(120)]
    whole = lifter.lift_track(people[0], times, lens=Lens(CAMERA), size=SIZE).pose
    np.testing.assert_allclose(poses[60:], whole[60:], atol=2e-5)


@pytest.mark.parametrize("lifter", [load_lifter("causal"), _causal_visible()], ids=["pretrained", "visible"])
def test_a_missing_keypoint_spoils_one_joint_in_one_frame(lifter: Lifter) -> None:
    people = _keypoints(1, 60)
    spoilt = people.copy()
    wrist, left_wrist = 9, 13
    spoilt[0, 30, wrist] = np.nan
    lives = [LiveLifter(lifter, camera=CAMERA, size=SIZE) for _ in range(2)]
    good = [lives[0].lift(people[:, frame]) for frame in range(60)]
    bad = [lives[1].lift(spoilt[:, frame]) for frame in range(60)]
    apart = np.array([np.linalg.norm(a.pose - b.pose, axis=-1)[0] for a, b in zip(good, bad, strict=True)])
    assert np.isfinite(apart).all()
    assert (apart[:30] == 0).all()
    others = np.delete(apart, left_wrist, 1)
    assert others.max() < 0.01
    assert apart[31:].max() < 0.01
    assert bad[30].confidence[0, left_wrist] == 0
    assert good[30].confidence[0, left_wrist] > 0
    assert (np.delete(bad[30].confidence, left_wrist, 1) > 0).all()
    np.testing.assert_array_equal(
        np.isfinite([frame.root for frame in bad]), np.isfinite([frame.root for frame in good])
    )


def test_missing_keypoints_in_the_first_frame_and_all_at_once() -> None:
    people = _keypoints(2, 30)
    people[0, 0, 3:9] = np.nan
    people[1, 12] = np.inf
    live = LiveLifter(load_lifter("causal"), camera=CAMERA, size=SIZE, people=2)
    frames = [live.lift(people[:, frame]) for frame in range(30)]
    assert np.isfinite([frame.pose for frame in frames]).all()
    assert np.isnan(frames[12].root[1]).all()
    assert np.isfinite(frames[13].root[1]).all()
    assert people[1, 12, 0, 0] == np.inf  # the caller's array is left alone


@pytest.mark.parametrize("rate", [30.0, 60.0])
def test_people_who_come_at_another_rate(rate: float) -> None:
    people, times = _keypoints(2, 60), np.arange(60) / rate
    lifter = _lifter("h36m17", "rays")
    live = LiveLifter(lifter, camera=CAMERA, size=SIZE, people=2, rate=rate)
    poses = [
        live.step(people[:, frame], np.array([False, frame == 31]), time=times[frame])[1]
        for frame in range(60)
    ]
    own = lifter.lift_track(people[1, 31:], times[31:], lens=Lens(CAMERA), size=SIZE).pose
    # At the double rate the second network repeats the second frame instead of the first.
    begun = 0 if rate == 30 else 9
    np.testing.assert_allclose(poses[31 + begun :], own[begun:], atol=0.05 if rate == 60 else 2e-5)


def test_a_distorted_lens() -> None:
    lens = Lens.of_model(CAMERA, "opencv", (-0.2, 0.05, 0, 0))
    people, times = _keypoints(1, 30), np.arange(30) / 30
    lifter = load_lifter("causal")
    live = LiveLifter(lifter, camera=lens, size=SIZE)
    whole = lifter.lift_track(people[0], times, lens=lens, size=SIZE)
    np.testing.assert_allclose([live.step(people[:, f])[0] for f in range(30)], whole.pose, atol=2e-5)


def test_somebody_new() -> None:
    people = _keypoints(1, 30)
    lifter = _lifter("h36m17", "rays")
    live, fresh = (LiveLifter(lifter, camera=CAMERA, size=SIZE) for _ in range(2))
    for frame in range(20):
        live.step(people[:, frame])
    begun = live.step(people[:, 20], np.array([True]))
    np.testing.assert_array_equal(begun, fresh.step(people[:, 20]))
    assert np.abs(live.step(people[:, 21]) - begun).max() > 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"causal": False},
            "only a causal, dilated model can be fed frame by frame, such as the lifter causal",
        ),
        ({"num_joints_out": 15}, "gives 15 joints"),
    ],
)
def test_lifters_that_cannot_be_fed(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        LiveLifter(_lifter("h36m17", "rays", **options), camera=CAMERA, size=SIZE)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"lifter": None}, "lifter: expected a Lifter"),
        ({"camera": None}, "camera: expected Intrinsics or a Lens, found None"),
        ({"size": (0, 720)}, "size: expected width and height in pixels"),
        ({"size": None}, "size: expected width and height in pixels"),
        ({"people": 0}, "people: expected a number from 1 on, found 0"),
        ({"people": 1.5}, "people: expected a number from 1 on"),
        ({"rate": 0}, "rate: expected frames per second or None, found 0"),
        ({"rate": "30"}, "rate: expected frames per second"),
        ({"precision": "int8"}, "precision: expected float32 or bfloat16, found 'int8'"),
    ],
    ids=str,
)
def test_impossible_values_are_told_at_once(options: dict[str, Any], complaint: str) -> None:
    given = {"lifter": _lifter("h36m17", "rays"), "camera": CAMERA, "size": SIZE} | options
    with pytest.raises(UsageError, match=complaint):
        LiveLifter(given.pop("lifter"), **given)


def test_what_a_program_feeds_is_checked_and_lists_are_taken() -> None:
    live = LiveLifter(_lifter("h36m17", "rays"), camera=CAMERA, size=np.array(SIZE), people=np.int64(1))
    keypoints = _keypoints(1, 1)[:, 0]
    assert live.step(keypoints.tolist(), time=np.float32(0)).shape == (1, 17, 3)
    for wrong in (keypoints[0], keypoints[..., :2], None, "x", keypoints.astype(object)):
        with pytest.raises(UsageError, match=r"expected keypoints of shape \(1, 17, 3\), found "):
            live.step(wrong)
    for time in (float("nan"), float("inf"), "soon"):
        with pytest.raises(UsageError, match="time: expected seconds, found "):
            live.step(keypoints, time=time)
