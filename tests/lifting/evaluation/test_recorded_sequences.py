from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.intrinsics import H36M_FOCAL
from videopose.lifting.datasets import humaneva
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.lifting.datasets.recordings import Recording, RecordingSet
from videopose.lifting.evaluation.recorded_sequences import lift_recorded, rate_read, recorded_sequences
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.skeleton import COCO17, COCO_TO_H36M, H36M17, HUMANEVA15, Skeleton

Array = NDArray[np.float32]


def _recordings(frames: int = 12, layout: Skeleton = H36M17) -> RecordingSet:
    """A person whom S9's four cameras see, each with its own bent lens."""
    random = np.random.default_rng(0)
    world = random.normal((0, 0, 1), 0.3, (17, 3)) + 0.02 * random.normal(0, 1, (frames, 17, 3)).cumsum(0)
    recordings = []
    for camera in CAMERAS["S9"]:
        seen = camera.extrinsics.to_camera(world)
        assert camera.lens is not None
        pixels = camera.lens.project(seen)
        root = seen[:, 0]
        recordings.append(Recording("S9", "Photo 1", camera, pixels, seen - root[:, None], root))
    return RecordingSet(tuple(recordings), H36M17, layout, 50.0)


def _lifter(space: Any = "screen", layout: str = "h36m17", rate: float | None = 50.0, **model: Any) -> Lifter:
    torch.manual_seed(0)
    shape: dict[str, Any] = {"filter_widths": (3, 3), "channels": 8}
    return Lifter(TemporalModel(**shape | model).eval(), layout, space, rate)


def test_screen_lifters_read_the_screen_of_each_camera() -> None:
    data = _recordings()
    for sequence, recording in zip(recorded_sequences(data, _lifter()), data.recordings, strict=True):
        width, height = recording.camera.size
        expected = recording.keypoints / width * 2 - [1, height / width]
        np.testing.assert_allclose(sequence.lifter_input, expected, atol=1e-6)
        np.testing.assert_array_equal(sequence.pose, recording.pose)
        assert (sequence.subject, sequence.action) == ("S9", "Photo")
        assert sequence.lifter_input.dtype == sequence.pose.dtype == np.float32
    assert {c.size for c in CAMERAS["S9"]} == {(1000, 1000), (1000, 1002)}  # they do differ


@pytest.mark.parametrize("space", ["rays", "centred"])
def test_rays_are_those_of_a_camera_that_bends_nothing(space: Any) -> None:
    data = _recordings()
    for sequence, recording in zip(recorded_sequences(data, _lifter(space)), data.recordings, strict=True):
        seen = recording.pose + recording.root[:, None]
        np.testing.assert_allclose(
            sequence.lifter_input, seen[..., :2] / seen[..., 2:] * H36M_FOCAL, atol=2e-6
        )


def test_coco_keypoints_are_converted_where_they_must_be() -> None:
    coco = _recordings(layout=COCO17)
    (as_it_is, *_) = recorded_sequences(coco, _lifter(layout="coco17"))
    (converted, *_) = recorded_sequences(coco, _lifter())
    np.testing.assert_allclose(
        converted.lifter_input, np.einsum("hc,tcd->thd", COCO_TO_H36M, as_it_is.lifter_input), atol=1e-6
    )


@pytest.mark.parametrize(
    ("layout", "reads", "joints_out"),
    [
        (H36M17, "coco17", 17),
        (COCO17, "h36m17", 15),  # a HumanEva model of whose input a .bin says nothing
        (HUMANEVA15, "h36m17", 17),
        (COCO17, "humaneva15", 15),
    ],
)
def test_other_layouts_are_refused(layout: Skeleton, reads: str, joints_out: int) -> None:
    joints = 15 if reads == "humaneva15" else 17
    lifter = _lifter(layout=reads, num_joints_in=joints, num_joints_out=joints_out)
    with pytest.raises(UsageError, match=f"reads {reads} keypoints .*--keypoints .*--lifter-layout"):
        next(recorded_sequences(_recordings(layout=layout), lifter))


def test_rays_need_a_lens() -> None:
    data = _recordings()
    blind = replace(data.recordings[0], camera=humaneva.CAMERAS["S1"][0])
    data = replace(data, recordings=(blind,))
    with pytest.raises(UsageError, match=r"rays.*a lifter that reads screen coordinates"):
        next(recorded_sequences(data, _lifter("rays")))
    (sequence,) = recorded_sequences(data, _lifter())
    np.testing.assert_allclose(
        sequence.lifter_input[..., 1], (2 * blind.keypoints[..., 1] - 480) / 640, atol=1e-6
    )


def test_missing_keypoints_are_named() -> None:
    data = _recordings()
    data.recordings[2].keypoints[3:5, 0, 1] = np.nan
    with pytest.raises(InputError, match="S9 'Photo 1', camera 58860488: 2 frames without keypoints"):
        list(recorded_sequences(data, _lifter()))


@pytest.mark.parametrize(
    ("own", "read"), [(50.0, 50.0), (60.0, 50.0), (None, 50.0), (40.0, 50.0), (30.0, 30.0), (10.0, 10.0)]
)
def test_a_lifter_made_for_another_rate_reads_at_its_own(own: float | None, read: float) -> None:
    data = _recordings(101)
    assert rate_read(_lifter(rate=own), data.rate) == read
    (sequence, *_) = recorded_sequences(data, _lifter(rate=own))
    assert len(sequence.pose) == len(sequence.lifter_input) == 1 + 2 * read
    if read == 10:  # frames thrown away
        np.testing.assert_allclose(sequence.pose, data.recordings[0].pose[::5], atol=1e-6)


def _independent(model: TemporalModel, seen: Array, mode: Any, flip: bool, mirror: Any, back: Any) -> Array:
    """The model over a padded sequence, and over its mirror image."""
    before, after = model.padding
    padded = torch.from_numpy(np.pad(seen, ((before, after), (0, 0), (0, 0)), mode=mode))[None]
    with torch.no_grad():
        out = model(padded)[0]
        if flip:
            other = padded[:, :, list(mirror)] * torch.tensor([-1.0, 1.0])
            out = (out + model(other)[0][:, list(back)] * torch.tensor([-1.0, 1.0, 1.0])) / 2
    return out.numpy()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_the_model_s_own_root_is_measured(flip: bool, causal: bool) -> None:
    lifter = _lifter(causal=causal)
    (sequence, *_) = recorded_sequences(_recordings(), lifter)
    lifted = lift_recorded(lifter, flip=flip, skeleton=H36M17)(sequence.lifter_input)
    expected = _independent(lifter.model, sequence.lifter_input, "edge", flip, H36M17.mirror, H36M17.mirror)
    np.testing.assert_allclose(lifted, expected, atol=1e-5)
    assert np.abs(lifted[:, 0]).max() > 1e-3


def test_a_lifter_trained_with_zeros_beyond_the_ends_gets_zeros() -> None:
    about = {"config": {"recordings": {"data_set": "h36m", "padding": "zero"}}}
    lifter = replace(_lifter(), about=about)
    (sequence, *_) = recorded_sequences(_recordings(), lifter)
    lifted = lift_recorded(lifter, flip=True, skeleton=H36M17)(sequence.lifter_input)
    expected = _independent(
        lifter.model, sequence.lifter_input, "constant", True, H36M17.mirror, H36M17.mirror
    )
    np.testing.assert_allclose(lifted, expected, atol=1e-5)
    plain = lift_recorded(_lifter(), flip=True, skeleton=H36M17)(sequence.lifter_input)
    np.testing.assert_allclose(lifted[4:-4], plain[4:-4], atol=1e-5)
    assert not np.allclose(lifted[:4], plain[:4], atol=1e-4)


def test_input_and_output_are_mirrored_each_as_its_own_skeleton() -> None:
    lifter = _lifter(layout="coco17", num_joints_out=15)
    seen = np.random.default_rng(1).normal(0, 1, (10, 17, 2)).astype(np.float32)
    lifted = lift_recorded(lifter, flip=True, skeleton=HUMANEVA15)(seen)
    expected = _independent(lifter.model, seen, "edge", True, COCO17.mirror, HUMANEVA15.mirror)
    np.testing.assert_allclose(lifted, expected, atol=1e-5)


def test_a_centred_lifter_s_poses_are_turned_back() -> None:
    lifter = _lifter("centred")
    (sequence, *_) = recorded_sequences(_recordings(), lifter)
    lifted = lift_recorded(lifter, flip=True, skeleton=H36M17)(sequence.lifter_input)
    assert lifted.shape == sequence.pose.shape
    assert (lifted[:, 0] == 0).all()


def test_poses_of_another_skeleton_are_refused() -> None:
    with pytest.raises(UsageError, match="gives 17 joints, and the true poses have humaneva15's 15"):
        lift_recorded(_lifter(), flip=False, skeleton=HUMANEVA15)
