from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from videopose.lifting.inference.live_network import LiveNetwork
from videopose.lifting.inference.predict import predict
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import COCO17, H36M17, HUMANEVA15, Skeleton

Array = NDArray[np.float32]


def _model(widths: tuple[int, ...] = (3, 3, 3), **options: Any) -> TemporalModel:
    torch.manual_seed(0)
    model = TemporalModel(filter_widths=widths, **{"channels": 32, "causal": True} | options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(tensor)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    # Poses a metre in size, as a trained model's are.
    nn.init.normal_(model.shrink.weight, std=0.02)
    return model.eval()


def _people(count: int, frames: int, joints: int = 17) -> Array:
    random = np.random.default_rng(0)
    return random.normal(0, 0.5, (count, frames, joints, 2)).astype(np.float32)


def _fed(streamer: LiveNetwork, people: Array) -> Array:
    return np.stack([streamer.step(people[:, t]) for t in range(people.shape[1])], 1)


@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 3, 3, 3), (5, 1, 3), (3, 11), (1, 1), (3,)])
def test_live_poses_are_those_of_the_whole_sequence(widths: tuple[int, ...]) -> None:
    model, people = _model(widths), _people(1, 200)
    poses = _fed(LiveNetwork(model), people)
    assert poses.dtype == np.float32
    np.testing.assert_allclose(poses[0], predict(model, people[0]), atol=1e-5)


def test_past_its_receptive_field_it_is_the_forward_pass() -> None:
    model, people = _model(), _people(1, 60)
    with torch.no_grad():
        expected = model(torch.from_numpy(people))[0].numpy()
    np.testing.assert_allclose(_fed(LiveNetwork(model), people)[0, 26:], expected, atol=1e-5)


@pytest.mark.parametrize("skeleton", [None, H36M17, COCO17])
def test_several_people_and_their_mirror_images(skeleton: Skeleton | None) -> None:
    model, people = _model(), _people(3, 70)
    poses = _fed(LiveNetwork(model, people=3, flip=skeleton), people)
    for pose, person in zip(poses, people, strict=True):
        np.testing.assert_allclose(pose, predict(model, person, flip=skeleton), atol=1e-5)


def test_people_come_and_go() -> None:
    model, people = _model(), _people(2, 120)
    streamer = LiveNetwork(model, people=2, flip=H36M17)
    poses = []
    for frame in range(120):
        begins = np.array([frame == 77, frame in (13, 40)])
        poses.append(streamer.step(people[:, frame], begins if begins.any() else None))
    found = np.stack(poses, 1)
    for place, starts in enumerate(((0, 77, 120), (0, 13, 40, 120))):
        for start, stop in pairwise(starts):
            expected = predict(model, people[place, start:stop], flip=H36M17)
            np.testing.assert_allclose(found[place, start:stop], expected, atol=1e-5)


def test_other_skeletons_and_a_trajectory() -> None:
    model, people = _model(num_joints_in=15, num_joints_out=15), _people(1, 40, 15)
    poses = _fed(LiveNetwork(model, flip=HUMANEVA15, flip_out=HUMANEVA15), people)
    expected = predict(model, people[0], flip=HUMANEVA15, flip_out=HUMANEVA15)
    np.testing.assert_allclose(poses[0], expected, atol=1e-5)
    model, people = _model(num_joints_out=1), _people(1, 40)
    expected = predict(model, people[0], flip=H36M17)
    np.testing.assert_allclose(_fed(LiveNetwork(model, flip=H36M17), people)[0], expected, atol=1e-5)


def test_bfloat16_is_near_for_ever() -> None:
    model, people = _model(channels=128), _people(1, 300)
    poses = _fed(LiveNetwork(model, precision="bfloat16"), people)
    exact = predict(model, people[0])
    error = np.linalg.norm(poses[0] - exact, axis=-1).mean(1) / np.linalg.norm(exact, axis=-1).mean()
    assert error[:100].mean() < 0.01
    assert error[-100:].mean() < 0.01  # nothing adds up


def test_a_frame_leaves_nothing_behind_that_grows() -> None:
    def size(streamer: LiveNetwork) -> int:
        streams = [streamer._first, *(wide for wide, _ in streamer._pairs)]
        return sum(t.numel() for s in streams for t in vars(s).values() if isinstance(t, torch.Tensor))

    streamer, people = LiveNetwork(_model()), _people(1, 100)
    before = size(streamer)
    _fed(streamer, people)
    assert size(streamer) == before


def test_its_poses_are_the_caller_s() -> None:
    streamer, people = LiveNetwork(_model()), _people(1, 2)
    first = streamer.step(people[:, 0])
    kept = first.copy()
    people[:, 0] = 9
    streamer.step(people[:, 1])
    np.testing.assert_array_equal(first, kept)
    first += 1  # ordinary and writable


@pytest.mark.parametrize("options", [{"causal": False}, {"dense": True}])
def test_models_that_cannot_be_fed_frame_by_frame(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="causal, dilated"):
        LiveNetwork(_model(**options))


@pytest.mark.parametrize("shape", [(17, 2), (2, 17, 2), (1, 16, 2), (1, 17, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected keypoints of shape \(1, 17, 2\)"):
        LiveNetwork(_model()).step(np.zeros(shape, np.float32))
