from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videopose.errors import UsageError
from videopose.lifting.cameras.input_space import look_at
from videopose.lifting.cameras.intrinsics import H36M_FOCAL
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation import metrics
from videopose.lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from videopose.lifting.evaluation.scores import METRICS, Sequence3D, lift_with, measure, pool, score
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.predict import predict_poses
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.config import CameraConfig, DetectionConfig
from videopose.skeleton import COCO17, H36M17, HUMANEVA15

PERFECT = DetectionConfig(jitter=(1e-9, 1e-9), drift=(1e-9, 1e-9), bias=0, outliers=0, episodes=0)
Array = NDArray[np.float32]


class _Rigged(TemporalModel):
    """Says what it was told to say, frame by frame; to a mirrored sequence, the mirror image."""

    def __init__(self, answers: Array) -> None:
        super().__init__(filter_widths=(1,), channels=1)
        plain = torch.from_numpy(answers)
        mirrored = plain[:, list(H36M17.mirror)] * torch.tensor([-1.0, 1.0, 1.0])
        self.answers = torch.stack([plain, mirrored])
        self.eval()

    def forward(self, keypoints: Tensor) -> Tensor:
        return self.answers[: len(keypoints)]


def _sequence(frames: int = 12) -> Sequence3D:
    random = np.random.default_rng(0)
    pose = random.normal(0, 0.4, (17, 3)) + 0.05 * random.normal(0, 1, (frames, 17, 3)).cumsum(0)
    rooted: Array = (pose - pose[:, :1]).astype(np.float32)
    return Sequence3D("01", "walk", np.zeros((frames, 17, 2), np.float32), rooted)


def _capture(lengths: tuple[int, ...] = (100, 40)) -> MotionCapture:
    """Clips of a person of random shape that walks along x."""
    random = np.random.default_rng(0)
    still = random.uniform(-0.3, 0.3, (19, 3)) + np.array([0, 0, 1])
    positions = still + 0.1 * np.sin(np.arange(sum(lengths)) / 10)[:, None, None] * random.normal(
        0, 1, (19, 3)
    )
    positions[..., 0] += np.arange(sum(lengths))[:, None] * 0.02
    names = tuple(f"clip {i}" for i in range(len(lengths)))
    return MotionCapture(
        positions.astype(np.float32), np.array(lengths), 50.0, names, names, names, ("made",) * len(lengths)
    )


def _sequences(capture: MotionCapture | None = None, **changes: Any) -> list[Sequence3D]:
    options: dict[str, Any] = {"rate": 50.0, "cameras": CameraConfig(), "detections": PERFECT}
    return list(motion_capture_sequences(capture or _capture(), **options | changes))


@pytest.mark.parametrize("flip", [False, True])
def test_a_perfect_model_makes_no_error(flip: bool) -> None:
    sequence = _sequence()
    errors = measure(_Rigged(sequence.pose), [sequence], "rays", flip=flip)
    assert (errors.mpjpe, errors.p_mpjpe, errors.n_mpjpe, errors.mpjve) == (0, 0, 0, 0)
    assert (errors.limbs_mpjpe, errors.limbs_p_mpjpe) == (0, 0)
    assert errors.frames == 12


def test_a_centred_model_s_poses_are_turned_back() -> None:
    sequence = _sequence()
    walk = np.linspace(-0.8, 0.8, 12)[:, None, None] * np.array([1.0, 0.2])
    rays = (walk + np.zeros((12, 17, 2))).astype(np.float32) * H36M_FOCAL
    turn = look_at(torch.from_numpy(rays[:, 0] / H36M_FOCAL))
    virtual = torch.einsum("nij,nkj->nki", turn, torch.from_numpy(sequence.pose)).numpy()
    moved = Sequence3D("01", "walk", rays, sequence.pose)
    assert measure(_Rigged(virtual), [moved], "centred").mpjpe < 0.01
    assert measure(_Rigged(sequence.pose), [moved], "centred").mpjpe > 50


def test_nothing_to_measure_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        measure(_Rigged(_sequence().pose), [], "rays")


def test_a_hand_worked_case() -> None:
    sequence = _sequence()
    wrong = sequence.pose.copy()
    wrong[:, H36M17.index("lwrist"), 2] += 0.017  # a limb, 17 mm off: 1 mm in the mean of 17 joints
    wrong[6:, H36M17.index("head"), 0] += 0.034  # no limb, 34 mm off in half of the frames: again 1 mm
    errors = measure(_Rigged(wrong), [sequence], "rays")
    assert errors.mpjpe == pytest.approx(2, abs=0.01)
    assert errors.limbs_mpjpe == pytest.approx(17 / len(H36M17.sided), abs=0.01)
    assert errors.mpjve == pytest.approx(2 / 11, abs=0.01)  # one of eleven steps, 34 mm in one joint of 17


def test_a_wrong_size_is_forgiven_by_two_of_three() -> None:
    sequence = _sequence()
    errors = measure(_Rigged(sequence.pose * np.float32(1.25)), [sequence], "rays")
    expected = 250 * np.linalg.norm(sequence.pose, axis=-1).mean()
    assert errors.mpjpe == pytest.approx(expected, rel=1e-3)
    assert errors.p_mpjpe == errors.n_mpjpe == 0


def test_the_root_is_put_at_nought_before_measuring() -> None:
    sequence = _sequence()
    assert measure(_Rigged(sequence.pose + np.float32(0.3)), [sequence], "rays").mpjpe < 0.01


def test_frames_count_alike_over_sequences() -> None:
    class Nothing(_Rigged):
        def forward(self, keypoints: Tensor) -> Tensor:
            return torch.zeros(len(keypoints), keypoints.shape[1], 17, 3)

    one, other = _sequence(30), _sequence(10)
    model = Nothing(one.pose)
    poses = np.concatenate([one.pose, other.pose])
    errors = measure(model, [one, other], "rays")
    assert errors.frames == 40
    assert errors.mpjpe == pytest.approx(1000 * metrics.mpjpe(0 * poses, poses).mean(), abs=0.01)
    assert errors.p_mpjpe == pytest.approx(1000 * metrics.p_mpjpe(0 * poses, poses).mean(), abs=0.01)


def test_limbs_are_those_that_have_a_side() -> None:
    assert [H36M17.names[i] for i in H36M17.sided] == [
        "rhip", "rknee", "rfoot", "lhip", "lknee", "lfoot",
        "lshoulder", "lelbow", "lwrist", "rshoulder", "relbow", "rwrist",
    ]  # fmt: skip


def test_every_clip_is_seen_by_every_camera() -> None:
    seen = _sequences(per_clip=2)
    assert [s.subject for s in seen] == ["clip 0", "clip 0", "clip 1", "clip 1"]
    assert [len(s.pose) for s in seen] == [100, 100, 40, 40]
    for sequence in seen:
        assert sequence.lifter_input.shape == (len(sequence.pose), 17, 2)
        assert sequence.lifter_input.dtype == sequence.pose.dtype == np.float32
        assert (sequence.pose[:, 0] == 0).all()
    assert not np.allclose(seen[0].pose, seen[1].pose)


def test_keypoints_are_the_projection_of_the_poses() -> None:
    for sequence in _sequences():
        rays, pose = (v[:, H36M17.sided].astype(np.float64) for v in (sequence.lifter_input, sequence.pose))
        rays = rays / H36M_FOCAL
        # (P + T)_xy = ray (P + T)_z is linear in the root T of each frame.
        one, zero = np.ones_like(rays[..., 0]), np.zeros_like(rays[..., 0])
        left = np.concatenate(
            [np.stack([one, zero, -rays[..., 0]], -1), np.stack([zero, one, -rays[..., 1]], -1)], 1
        )
        right = rays * pose[..., 2:] - pose[..., :2]
        right = np.concatenate([right[..., 0], right[..., 1]], 1)
        root = np.stack([np.linalg.lstsq(a, b)[0] for a, b in zip(left, right, strict=True)])
        residual = np.einsum("fji,fi->fj", left, root) - right
        assert np.abs(residual).max() < 1e-3
        assert (root[:, 2] > 0.8 * 1.8 - 0.6).all()  # in front of the camera, limbs and all
        steps = np.linalg.norm(np.diff(root, axis=0), axis=1)
        assert np.median(steps) == pytest.approx(0.02, rel=0.5)


def test_poses_are_turned_not_changed() -> None:
    capture = _capture((30,))
    for sequence in _sequences(capture):
        world = capture.positions[:, :17] - capture.positions[:, :1]
        assert metrics.p_mpjpe(sequence.pose, world).max() < 1e-4
        lengths = [np.linalg.norm(v[:, 1:], axis=-1) for v in (sequence.pose, world)]
        np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-4)


@pytest.mark.parametrize(("rate", "frames"), [(50, 101), (25, 51), (30, 61), (100, 201)])
def test_clips_are_read_at_the_lifter_s_rate(rate: float, frames: int) -> None:
    (sequence,) = _sequences(_capture((101,)), rate=rate, per_clip=1)
    (full,) = _sequences(_capture((101,)), per_clip=1)
    assert len(sequence.pose) == frames
    at = np.arange(frames) * 50 / rate
    expected = np.stack([
        np.interp(at, np.arange(101), full.pose[:, j, d]) for j in range(17) for d in range(3)
    ], 1).reshape(frames, 17, 3)  # fmt: skip
    assert metrics.p_mpjpe(sequence.pose, expected).max() < 1e-3


def test_a_clip_of_one_frame() -> None:
    (sequence,) = _sequences(_capture((1,)), rate=30.0, per_clip=1)
    assert sequence.pose.shape == (1, 17, 3)


def test_the_seed_decides() -> None:
    noisy = DetectionConfig()
    one, again, other = (_sequences(detections=noisy, seed=seed) for seed in (1, 1, 2))
    for a, b, c in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(a.lifter_input, b.lifter_input)
        np.testing.assert_array_equal(a.pose, b.pose)
        assert not np.array_equal(a.pose, c.pose)


def test_cameras_step_back_until_everything_is_in_front() -> None:
    capture = _capture((400,))  # walks eight metres
    for sequence in _sequences(capture, cameras=CameraConfig(distance=(2, 2)), per_clip=5):
        assert np.isfinite(sequence.lifter_input).all()
        assert np.abs(sequence.lifter_input).max() < 20


def test_a_long_clip_is_seen_in_windows() -> None:
    biased = PERFECT.model_copy(update={"bias": 0.05})

    def strays(**changes: Any) -> Array:
        noisy, true = (
            _sequences(_capture((600,)), per_clip=1, detections=d, **changes)[0].lifter_input
            for d in (biased, PERFECT)
        )
        error = (noisy - true)[:, H36M17.sided]
        return np.abs(error - error[0]).max((1, 2)) / np.abs(error[0]).max()

    assert strays(window=60.0)[:600].max() < 0.5  # the bias grows on the screen as the person comes near
    assert strays(window=3.0)[300:].max() > 0.8


def test_keypoints_may_be_coco_s() -> None:
    (joints,) = _sequences(per_clip=1, seed=3)[:1]
    (coco,) = _sequences(per_clip=1, seed=3, layout="coco17")[:1]
    np.testing.assert_array_equal(coco.pose, joints.pose)
    for name in ("lwrist", "rknee"):
        ours, theirs = H36M17.index(name), COCO17.index(name)
        np.testing.assert_allclose(coco.lifter_input[:, theirs], joints.lifter_input[:, ours], atol=1e-6)
    assert not np.allclose(coco.lifter_input[:, 0], joints.lifter_input[:, 0])


@pytest.mark.parametrize("space", ["rays", "centred", "screen"])
@pytest.mark.parametrize("flip", [False, True])
def test_a_lifter_lifts_as_its_file_says(space: Any, flip: bool) -> None:
    sequence = _sequences(per_clip=1)[0]
    torch.manual_seed(0)
    model = TemporalModel(filter_widths=(3, 3), channels=8).eval()
    lifted = lift_with(Lifter(model, "h36m17", space, 50.0), flip=flip)(sequence.lifter_input)
    assert lifted.shape == sequence.pose.shape
    assert (lifted[:, 0] == 0).all()
    same = predict_poses(
        model, sequence.lifter_input, "rays" if space == "screen" else space, flip=H36M17 if flip else None
    )
    np.testing.assert_array_equal(lifted, same)


def test_a_lifter_that_reads_coco_is_mirrored_as_coco() -> None:
    rays = np.random.default_rng(0).normal(0, 1, (9, 17, 2)).astype(np.float32)
    mirrored = rays[:, list(COCO17.mirror)] * np.float32([-1, 1])
    torch.manual_seed(0)
    lifter = Lifter(TemporalModel(filter_widths=(3,), channels=8).eval(), "coco17", "rays", 50.0)
    lift = lift_with(lifter, flip=True)
    back = lift(mirrored)[:, list(H36M17.mirror)] * np.float32([-1, 1, 1])
    np.testing.assert_allclose(lift(rays), back, atol=1e-6)
    assert not np.allclose(lift(rays), lift_with(lifter, flip=False)(rays))


def test_other_skeletons_are_refused() -> None:
    model = TemporalModel(num_joints_in=15, num_joints_out=15, filter_widths=(3,), channels=4)
    with pytest.raises(UsageError, match="humaneva15"):
        lift_with(Lifter(model, "humaneva15", "screen", 60.0), flip=True)


def test_scores_are_frame_by_frame() -> None:
    sequence = _sequence()
    wrong = sequence.pose.copy()
    wrong[4, H36M17.index("lwrist"), 0] += 0.017
    scores = score(lambda rays: wrong, sequence)
    assert (scores.subject, scores.action) == ("01", "walk")
    assert [len(scores.errors[name]) for name in METRICS] == [12, 12, 12, 11, 12, 12]
    np.testing.assert_allclose(scores.errors["mpjpe"], np.eye(12)[4], atol=1e-4)
    np.testing.assert_allclose(scores.errors["mpjve"], np.eye(12)[4, :11] + np.eye(12)[3, :11], atol=1e-4)


def test_limbs_follow_the_skeleton() -> None:
    pose = np.zeros((3, 15, 3), np.float32)
    wrong = pose.copy()
    wrong[:, HUMANEVA15.index("rwrist"), 0] = 0.012
    sequence = Sequence3D("S1", "Walking", np.zeros((3, 15, 2), np.float32), pose)
    scores = score(lambda rays: wrong, sequence, skeleton=HUMANEVA15)
    np.testing.assert_allclose(scores.errors["limbs_mpjpe"], 1, atol=1e-4)  # twelve joints have a side
    np.testing.assert_allclose(scores.errors["mpjpe"], 12 / 15, atol=1e-4)


def test_single_frames_have_no_velocity() -> None:
    errors = pool([score(lambda rays: np.zeros((1, 17, 3), np.float32), _sequence(1))])
    assert np.isnan(errors.mpjve)
    assert errors.mpjpe > 0
