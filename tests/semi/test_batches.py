import numpy as np
import pytest
import torch

from videopose.lifting.network.temporal_model import TemporalModel
from videopose.semi.batches import UnlabeledBatches
from videopose.semi.footage import RAYS, Footage, FootageSpan, compared_joints
from videopose.skeleton import H36M17

JOINTS = compared_joints(H36M17, exact=False)


def _span(frames: int, number: int) -> FootageSpan:
    """Every number of it tells the span, the frame and the joint."""
    seen = (1000 * number + np.arange(frames)[:, None, None] + np.arange(17)[:, None] / 100) * np.ones(2)
    seen = seen.astype(np.float32)
    weight = np.linspace(0, 1, frames)[:, None] * np.ones(len(JOINTS))
    return FootageSpan(seen, seen[:, list(JOINTS)], weight.astype(np.float32), RAYS + number, number)


FOOTAGE = Footage.of((_span(5, 1), _span(8, 2)), JOINTS, H36M17, H36M17.mirror)


def _batches(chunk: int = 1, *, flip: bool = False, causal: bool = False) -> UnlabeledBatches:
    model = TemporalModel(filter_widths=(3, 3), channels=4, causal=causal)
    return UnlabeledBatches(FOOTAGE, model, chunk=chunk, flip=flip, seed=3)


def test_limbs_and_hip_are_compared() -> None:
    names = [H36M17.names[j] for j in JOINTS]
    assert names[0] == "hip"
    assert sorted(n[0] for n in names[1:]) == ["l"] * 6 + ["r"] * 6
    assert compared_joints(H36M17, exact=True) == tuple(range(17))


@pytest.mark.parametrize("causal", [False, True])
def test_a_window_holds_the_frames_about_its_target(causal: bool) -> None:
    batch = _batches(causal=causal).sample(0, 13)
    assert batch.keypoints.shape == (13, 9, 17, 2)
    at = 8 if causal else 4
    torch.testing.assert_close(batch.keypoints[:, at, list(JOINTS)], batch.target[:, 0])
    frames = batch.target[:, 0, 0, 0]
    assert sorted(frames.tolist()) == [*range(1000, 1005), *range(2000, 2008)]  # each once
    low = torch.where(frames < 2000, 1000, 2000)
    high = torch.where(frames < 2000, 1004, 2007)
    wanted = (frames[:, None] + torch.arange(9) - at).clamp(low[:, None], high[:, None])
    torch.testing.assert_close(batch.keypoints[:, :, 0, 0], wanted)
    torch.testing.assert_close(batch.camera[:, 2], torch.where(frames < 2000, 1.0, 2.0))  # (RAYS has 0)
    torch.testing.assert_close(batch.person, torch.where(frames < 2000, 1, 2))


@pytest.mark.parametrize("chunk", [2, 3, 8])
def test_chunks_are_neighbouring_frames(chunk: int) -> None:
    batches = _batches(chunk)
    batch = batches.sample(0, len(batches))
    assert batch.keypoints.shape[1] == 8 + chunk
    torch.testing.assert_close(batch.keypoints[:, 4 : 4 + chunk, list(JOINTS)], batch.target)
    assert {int(v) for v in batch.target[:, :, 0, 0].flatten()} == {*range(1000, 1005), *range(2000, 2008)}


def test_half_of_the_samples_are_mirror_images() -> None:
    batch = _batches(flip=True).sample(0, 26)
    mirrored = batch.target[:, 0, 0, 0] < 0
    assert mirrored.sum() == 13
    plain = {float(f): i for i, f in enumerate(batch.target[:, 0, 0, 0]) if f > 0}
    for i in mirrored.nonzero()[:, 0].tolist():
        twin = plain[-float(batch.target[i, 0, 0, 0])]
        order = list(FOOTAGE.mirror_target)
        turned = batch.target[twin][:, order] * torch.tensor([-1.0, 1.0])
        torch.testing.assert_close(batch.target[i], turned)
        torch.testing.assert_close(batch.weight[i], batch.weight[twin][:, order])
        turned = batch.keypoints[twin][:, list(H36M17.mirror)] * torch.tensor([-1.0, 1.0])
        torch.testing.assert_close(batch.keypoints[i], turned)
        assert batch.camera[i, 2] == -batch.camera[twin, 2]


def test_it_goes_on_for_ever_in_a_new_order() -> None:
    whole = _batches().sample(0, 39)
    first, second = (whole.target[i : i + 13, 0, 0, 0] for i in (0, 13))
    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, second.sort().values)
    parts = _batches().sample(11, 20)  # across the seam, and without having drawn what comes before
    torch.testing.assert_close(parts.target, whole.target[11:31])


def test_arrays_that_disagree() -> None:
    with pytest.raises(ValueError, match="same number of frames"):
        FootageSpan(np.zeros((5, 17, 2)), np.zeros((4, 13, 2)), np.zeros((4, 13)), RAYS)
