from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videopose import parts
from videopose.errors import UsageError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.input_space import InputSpace, num_features, to_rays, to_screen
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.predict import predict, predict_poses, to_network
from videopose.lifting.inference.pretrained import DEFAULT, load_lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.config import CameraConfig, DetectionConfig
from videopose.skeleton import COCO17, H36M17, HUMANEVA15, convert

SIZE = (1280, 720)
CAMERA = Intrinsics(900, 950, 600, 370)
Array = NDArray[np.float32]


def _model(widths: tuple[int, ...] = (3, 3, 3), *, causal: bool = False, **other: Any) -> TemporalModel:
    torch.manual_seed(0)
    model = TemporalModel(filter_widths=widths, causal=causal, channels=16, **other)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.bias)
    return model.eval()


def _sequence(frames: int) -> Array:
    return np.random.default_rng(0).normal(0, 0.5, (frames, 17, 2)).astype(np.float32)


class _Echo(TemporalModel):
    """Puts each joint where its keypoint is, at depth 0, and remembers how much it was given at once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(channels=1, **options)
        self.longest = 0
        self.eval()

    def forward(self, keypoints: Tensor) -> Tensor:
        self.longest = max(self.longest, keypoints.shape[1])
        before, after = self.padding
        middle = keypoints[:, before : keypoints.shape[1] - after]
        return torch.cat([middle, torch.zeros_like(middle[..., :1])], -1)


def _echo(layout: str = "h36m17", space: InputSpace = "rays", rate: float | None = 30.0) -> Lifter:
    return Lifter(_Echo(filter_widths=(3, 3)), layout, space, rate)


def _moving(times: NDArray[np.float64]) -> Array:
    """COCO17 keypoints of a person whose joints all move at their own constant speeds."""
    random = np.random.default_rng(1)
    start, speed = random.uniform(200, 500, (17, 2)), random.uniform(-60, 60, (17, 2))
    keypoints = np.ones((len(times), 17, 3), np.float32)
    keypoints[..., :2] = start + times[:, None, None] * speed
    return keypoints


def _trembling(frames: int) -> Array:
    return np.random.default_rng(2).uniform(0.3, 600, (frames, 17, 3)).astype(np.float32)


def _echoed(keypoints: Array) -> Array:
    """What the echo should say: the joints' rays, from the hip."""
    rays = to_rays(convert(keypoints, COCO17, H36M17)[..., :2], CAMERA)
    return np.concatenate([rays - rays[:, :1], np.zeros_like(rays[..., :1])], -1)


def _lift(lifter: Lifter, keypoints: Array, times: NDArray[np.float64], **options: Any) -> Array:
    return lifter.lift_track(keypoints, times, lens=Lens(CAMERA), size=SIZE, **options).pose


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("chunk", [1, 7, 26, 27, 28, 50, 99])
def test_chunks_give_the_numbers_of_one_pass(chunk: int, causal: bool) -> None:
    model, sequence = _model(causal=causal), _sequence(100)
    whole = predict(model, sequence, flip=H36M17, frames_per_pass=10_000)
    parts = predict(model, sequence, flip=H36M17, frames_per_pass=chunk)
    assert whole.shape == (100, 17, 3)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(parts, whole, atol=1e-5)


@pytest.mark.parametrize(("causal", "before", "after"), [(False, 13, 13), (True, 26, 0)])
@pytest.mark.parametrize("frames", [1, 2, 13, 26, 27, 80])
def test_only_the_ends_are_padded(frames: int, causal: bool, before: int, after: int) -> None:
    model, sequence = _model(causal=causal), _sequence(frames)
    padded = np.concatenate([sequence[:1].repeat(before, 0), sequence, sequence[-1:].repeat(after, 0)])
    with torch.no_grad():
        expected = model(torch.from_numpy(padded)[None])[0].numpy()
    np.testing.assert_allclose(predict(model, sequence, frames_per_pass=16), expected, atol=1e-5)


def _walk(frames: int = 150) -> MotionCapture:
    """Somebody who walks along x and swings arms and legs, z up, with both ears behind the 17 joints."""
    names = (*H36M17.names, "lear", "rear")
    swing = np.sin(np.arange(frames) / 50 * 2 * np.pi)
    points = np.zeros((frames, len(names), 3))
    points[..., 0] += 1.3 * np.arange(frames)[:, None] / 50
    points[..., 2] = 0.92
    for side, sign in (("l", 1), ("r", -1)):
        for joints, lengths, y, z, angle in (
            (("hip", "knee", "foot"), (0.45, 0.42), 0.12, 0.92, 0.5 * sign * swing),
            (("shoulder", "elbow", "wrist"), (0.29, 0.25), 0.18, 1.42, -0.5 * sign * swing),
        ):
            at = points[:, 0] + (0, sign * y, z - 0.92)
            points[:, names.index(side + joints[0])] = at
            for joint, length, bend in zip(joints[1:], lengths, (1.0, 0.6), strict=True):
                at = at + length * np.stack([np.sin(bend * angle), 0 * angle, -np.cos(bend * angle)], 1)
                points[:, names.index(side + joint)] = at
        points[:, names.index(side + "ear")] += (0, sign * 0.075, 0.7)
    for joint, x, z in (("spine", 0, 0.25), ("thorax", 0, 0.5), ("nose", 0.1, 0.65), ("head", 0, 0.8)):
        points[:, names.index(joint)] += (x, 0, z)
    lengths = np.array([frames])
    return MotionCapture(points.astype(np.float32), lengths, 50.0, ("a",), ("walk",), ("a",), ("a",))


@pytest.mark.parametrize("flip", [None, H36M17])
def test_bfloat16_moves_the_shipped_lifter_s_joints_by_less_than_half_a_millimetre(flip: Any) -> None:
    lifter = load_lifter(DEFAULT)
    views = motion_capture_sequences(
        _walk(), rate=lifter.rate or 30, cameras=CameraConfig(), detections=DetectionConfig(), per_clip=2
    )
    for view in views:
        exact, near = (
            predict_poses(each.network, view.lifter_input, lifter.input_space, flip=flip)
            for each in (lifter, lifter.in_precision("bfloat16"))
        )
        assert 1 < np.ptp(exact[..., 1], axis=1).mean() < 2.5  # somebody upright
        distance = np.linalg.norm(near - exact, axis=-1)
        assert 0 < distance.mean() < 0.0005


def test_a_track_is_lifted_in_the_lifter_s_precision() -> None:
    lifter = Lifter(_model(), "h36m17", "rays", 30.0)
    keypoints, times = _trembling(40), np.arange(40) / 30
    exact, near = (_lift(each, keypoints, times) for each in (lifter, lifter.in_precision("bfloat16")))
    assert 0 < np.abs(near - exact).max() < 0.05 * np.abs(exact).max()
    np.testing.assert_array_equal(_lift(lifter.in_precision("float32"), keypoints, times), exact)


def test_an_empty_sequence_gives_no_poses() -> None:
    assert predict(_model(), _sequence(0), flip=H36M17).shape == (0, 17, 3)
    assert predict(_model(num_joints_out=1), _sequence(0)).shape == (0, 1, 3)


def test_a_pass_never_sees_more_than_a_chunk_and_its_overlap() -> None:
    model = _Echo(filter_widths=(3, 3, 3))
    predict(model, _sequence(1000), flip=H36M17, frames_per_pass=64)
    assert model.longest == 64 + 26
    for frames, chunk in ((8000, 1024), (9000, 512)):
        model.longest = 0
        predict(model, _sequence(frames))
        assert model.longest == chunk + 26


def test_a_causal_model_knows_nothing_of_the_future() -> None:
    sequence = _sequence(100)
    changed = sequence.copy()
    changed[50] += 1
    for causal, affected in ((True, range(50, 77)), (False, range(37, 64))):
        model = _model(causal=causal)
        moved = np.abs(predict(model, changed) - predict(model, sequence)).max((1, 2)) > 1e-6
        assert np.flatnonzero(moved).tolist() == list(affected)


@pytest.mark.parametrize("skeleton", [H36M17, COCO17], ids=["h36m17", "coco17"])
def test_a_mirrored_person_is_lifted_to_the_mirror_image(skeleton: Any) -> None:
    model, sequence = _model(), _sequence(40)
    mirrored = sequence[:, list(skeleton.mirror)] * np.array([-1, 1], np.float32)
    out = predict(model, sequence, flip=skeleton)
    expected = out[:, list(H36M17.mirror)] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(predict(model, mirrored, flip=skeleton), expected, atol=1e-6)
    assert np.abs(predict(model, sequence) - out).max() > 0.01  # the model alone is not symmetric


def test_flipping_averages_two_predictions() -> None:
    model, sequence = _model(), _sequence(40)
    mirrored = sequence[:, list(H36M17.mirror)] * np.array([-1, 1], np.float32)
    back = predict(model, mirrored)[:, list(H36M17.mirror)] * np.array([-1, 1, 1], np.float32)
    expected = (predict(model, sequence) + back) / 2
    np.testing.assert_allclose(predict(model, sequence, flip=H36M17), expected, atol=1e-6)


def test_a_trajectory_has_one_joint_to_flip() -> None:
    model, sequence = _model(num_joints_out=1), _sequence(40)
    mirrored = sequence[:, list(H36M17.mirror)] * np.array([-1, 1], np.float32)
    expected = (predict(model, sequence) + predict(model, mirrored) * np.array([-1, 1, 1], np.float32)) / 2
    out = predict(model, sequence, flip=H36M17, flip_out=None)
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_poses_of_other_joints_are_not_flipped_as_human36m() -> None:
    model, sequence = _model(num_joints_in=15, num_joints_out=15), _sequence(30)[:, :15]
    with pytest.raises(ValueError, match="15 joints"):
        predict(model, sequence, flip=HUMANEVA15)
    assert predict(model, sequence, flip=HUMANEVA15, flip_out=HUMANEVA15).shape == (30, 15, 3)


def test_human_eva_s_lifters_do_not_read_videos() -> None:
    lifter = Lifter(_model(num_joints_in=15, num_joints_out=15), "humaneva15", "screen", 60.0)
    with pytest.raises(UsageError, match="reads humaneva15"):
        _lift(lifter, _trembling(5), np.arange(5) / 60)


def test_prediction_needs_no_gradient_and_changes_nothing() -> None:
    model, sequence = _model(), _sequence(30)
    before = sequence.copy()
    out = predict(model, sequence, flip=H36M17)
    np.testing.assert_array_equal(sequence, before)
    out += 1  # an ordinary, writable array


@pytest.mark.parametrize("fps", [23.976, 25.0, 30.0, 40.0])
def test_tracks_near_the_lifter_s_rate_are_taken_as_they_are(fps: float) -> None:
    keypoints = _trembling(50)
    jitter = np.random.default_rng(3).uniform(-0.1, 0.1, 50)
    out = _lift(_echo(), keypoints, 2 + (np.arange(50) + jitter) / fps)
    assert out.shape == (50, 17, 3)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, _echoed(keypoints), atol=1e-5)


def test_a_lifter_of_unknown_rate_takes_every_track_as_it_is() -> None:
    keypoints = _trembling(50)
    out = _lift(_echo(rate=None), keypoints, np.arange(50) / 240)
    np.testing.assert_allclose(out, _echoed(keypoints), atol=1e-5)


@pytest.mark.parametrize("fps", [10.0, 15.0, 50.0, 59.94, 60.0, 90.0, 120.0, 240.0])
def test_poses_come_back_at_their_own_times(fps: float) -> None:
    times = 7 + np.arange(round(3 * fps)) / fps
    keypoints = _moving(times)
    out, expected = _lift(_echo(), keypoints, times), _echoed(keypoints)
    inside = (times > times[0] + 0.1) & (times < times[-1] - 0.1)  # averages are one-sided at the ends
    np.testing.assert_allclose(out[inside], expected[inside], atol=2e-4)
    np.testing.assert_allclose(out, expected, atol=0.01)


def test_a_slow_track_passes_through_its_own_frames() -> None:
    keypoints = _trembling(20)
    out = _lift(_echo(), keypoints, np.arange(20) / 15)
    np.testing.assert_allclose(out, _echoed(keypoints), atol=1e-5)


def test_uneven_time_stamps_are_respected() -> None:
    times = np.cumsum(np.random.default_rng(4).uniform(0.005, 0.065, 200))
    times[50] = times[49]  # two frames of one time stamp
    keypoints = _moving(times)
    np.testing.assert_allclose(_lift(_echo(), keypoints, times), _echoed(keypoints), atol=2e-4)


def test_the_model_sees_its_own_rate_whatever_the_video_s() -> None:
    class Speed(_Echo):
        """Joint 16 (a wrist) is put where its keypoint moves to within a frame."""

        def forward(self, keypoints: Tensor) -> Tensor:
            out = super().forward(keypoints) * 0
            out[:, :, 16, :2] = (keypoints[:, 2:] - keypoints[:, :-2])[:, :, 16] / 2
            return out

    lifter = Lifter(Speed(filter_widths=(3,)), "h36m17", "rays", 30.0)
    for fps in (15.0, 30.0, 60.0):
        times = np.arange(round(2 * fps)) / fps
        keypoints = _moving(times)
        rays = to_rays(convert(keypoints, COCO17, H36M17)[..., :2], CAMERA)
        a_second = (rays[-1] - rays[0])[16] / (times[-1] - times[0])
        out = _lift(lifter, keypoints, times, flip=False)
        np.testing.assert_allclose(out[len(out) // 2, 16, :2] * 30, a_second, rtol=0.01)


def test_screen_coordinates_go_to_lifters_that_read_them() -> None:
    keypoints = _trembling(30)
    out = _lift(_echo(space="screen"), keypoints, np.arange(30) / 30)
    screen = to_screen(convert(keypoints, COCO17, H36M17)[..., :2], SIZE)
    np.testing.assert_allclose(out[..., :2], screen - screen[:, :1], atol=1e-5)


def test_coco_keypoints_go_to_lifters_that_read_them() -> None:
    keypoints = _trembling(30)
    out = _lift(_echo("coco17"), keypoints, np.arange(30) / 30, flip=False)
    rays = to_rays(keypoints[..., :2], CAMERA)
    np.testing.assert_allclose(out[..., :2], rays - rays[:, :1], atol=1e-5)


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_short_tracks(frames: int) -> None:
    lifter = Lifter(_model(), "h36m17", "rays", 30.0)
    for fps in (5.0, 30.0, 240.0):
        out = _lift(lifter, _trembling(frames), np.arange(frames) / fps)
        assert out.shape == (frames, 17, 3)
        assert np.isfinite(out).all()
        assert (out[:, 0] == 0).all()


def test_frames_of_one_and_the_same_time_are_taken_as_they_are() -> None:
    keypoints = _trembling(5)
    np.testing.assert_allclose(_lift(_echo(), keypoints, np.zeros(5)), _echoed(keypoints), atol=1e-5)


def test_the_keypoints_are_left_alone() -> None:
    keypoints = _trembling(20)
    before = keypoints.copy()
    _lift(_echo("coco17"), keypoints, np.arange(20) / 60)
    np.testing.assert_array_equal(keypoints, before)


@pytest.mark.parametrize("space", ["centred", "centred-visible"])
def test_long_tracks_are_centred_in_parts(space: InputSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = np.random.default_rng(3).normal(size=(25, 17, num_features(space))).astype(np.float32)
    whole, turned = to_network(sequence, space)
    monkeypatch.setattr(parts, "PART", 10)
    joined, rotation = to_network(sequence, space)
    assert turned is not None
    assert rotation is not None
    np.testing.assert_allclose(joined, whole, atol=1e-6)
    np.testing.assert_allclose(rotation, turned, atol=1e-6)
