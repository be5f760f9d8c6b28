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
