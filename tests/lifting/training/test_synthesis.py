from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from videopose.lifting.cameras.input_space import centre, turn_back
from videopose.lifting.cameras.intrinsics import H36M_FOCAL
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.simulation.motion_bank import MotionBank
from videopose.lifting.training.batch import Batch
from videopose.lifting.training.config import TrainingConfig
from videopose.lifting.training.synthetic_batches import synthesise
from videopose.skeleton import H36M17

LIMBS = [i for i, name in enumerate(H36M17.names) if name[0] in "lr"]
PERFECT = {"jitter": (1e-9, 1e-9), "drift": (1e-9, 1e-9), "bias": 0.0, "outliers": 0.0, "episodes": 0.0}
SAME_BODY = {"stature": 0.0, "stature_mean": 1.0, "bone": 0.0, "hip_width": (1.0, 1.0)}
SPEED = 1.5  # metres a second

# A person who looks along x, with y to the left and z up. Only the left arm is raised.
RAISED = {
    "hip": (0, 0, 0.93), "rhip": (0, -0.12, 0.93), "rknee": (0, -0.12, 0.5), "rfoot": (0, -0.12, 0.07),
    "lhip": (0, 0.12, 0.93), "lknee": (0, 0.12, 0.5), "lfoot": (0, 0.12, 0.07),
    "spine": (0, 0, 1.17), "thorax": (0, 0, 1.42), "nose": (0.065, 0, 1.565), "head": (0, 0, 1.72),
    "lshoulder": (0, 0.18, 1.42), "lelbow": (0, 0.3, 1.65), "lwrist": (0, 0.3, 1.9),
    "rshoulder": (0, -0.18, 1.42), "relbow": (0, -0.2, 1.13), "rwrist": (0, -0.22, 0.88),
}  # fmt: skip


def _bank(frames: int = 400) -> MotionBank:
    """The person above, gliding along a circle of 3 m."""
    still = np.array([*(RAISED[n] for n in H36M17.names), (0, 0.075, 1.6), (0, -0.075, 1.6)])
    angle = np.arange(frames) / 50 * SPEED / 3
    cos, sin, zero, one = np.cos(angle), np.sin(angle), 0 * angle, 1 + 0 * angle
    turn = np.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).reshape(-1, 3, 3)
    path = 3 * np.stack([sin, -cos, zero], 1)
    positions = np.einsum("fij,kj->fki", turn, still) + path[:, None]
    lengths = np.array([frames])
    capture = MotionCapture(positions.astype(np.float32), lengths, 50.0, ("a",), ("a",), ("a",), ("a",))
    return MotionBank.build([(capture, 1.0)])


BANK = _bank()


def _config(widths: tuple[int, ...] = (3, 3), *, causal: bool = False, **changes: Any) -> TrainingConfig:
    values: dict[str, Any] = {
        "name": "test", "motions": [{"path": "m.npz"}], "input_space": "rays", "tumble": 0.0,
        "detections": PERFECT, "cameras": {"focal_error": 0.0},
        "model": {"filter_widths": widths, "causal": causal},
    }  # fmt: skip
    return TrainingConfig.model_validate(values | changes)


def _batch(config: TrainingConfig, count: int = 200, seed: int = 0, bank: MotionBank = BANK) -> Batch:
    return synthesise(bank, config, count, torch.Generator().manual_seed(seed))


def _joint(batch: Batch, name: str) -> Tensor:
    return batch.pose[:, H36M17.index(name)]


def test_shapes() -> None:
    batch = _batch(_config((3, 5)), 7)
    assert batch.keypoints.shape == (7, 15, 17, 2)
    assert batch.pose.shape == (7, 17, 3)
    assert batch.root.shape == (7, 3)
    assert (batch.pose[:, 0] == 0).all()
    assert {t.dtype for t in (batch.keypoints, batch.pose, batch.root)} == {torch.float32}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [(1,), (3, 3), (3, 5)])
@pytest.mark.parametrize(
    "changes", [{}, {"tumble": 1.0}, {"bodies": {"bone": 0.1}}, {"mirror": 1.0}], ids=str
)
def test_keypoints_of_the_target_frame_are_the_pose_s_projection(
    widths: tuple[int, ...], causal: bool, changes: dict[str, Any]
) -> None:
    batch = _batch(_config(widths, causal=causal, **changes))
    frames = batch.keypoints.shape[1]
    target = frames - 1 if causal else frames // 2
    placed = batch.pose + batch.root[:, None]
    visible = placed[..., 2].amin(1) > 0.3  # what stands nearer is not projected truly
    assert float(visible.float().mean()) > 0.95
    rays = placed[..., :2] / placed[..., 2:] * H36M_FOCAL
    seen = batch.keypoints[:, target]
    torch.testing.assert_close(seen[visible][:, LIMBS], rays[visible][:, LIMBS], atol=2e-4, rtol=1e-3)
    # The joints that COCO does not have are means of keypoints, as in `skeleton.CONVERSIONS`.
    thorax = (seen[:, H36M17.index("lshoulder")] + seen[:, H36M17.index("rshoulder")]) / 2
    torch.testing.assert_close(seen[:, H36M17.index("thorax")], thorax)
    if frames > 1:
        assert (batch.keypoints[:, 0] - batch.keypoints[:, -1])[:, LIMBS].abs().mean() > 0.01  # it moves


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("rate", "speed"), [(50.0, 1.0), (25.0, 1.0), (30.0, 0.8)])
def test_time_runs_at_the_rate_and_speed_asked_for(rate: float, speed: float, causal: bool) -> None:
    """From the rays of a joint before and after the target frame, its velocity follows."""
    config = _config(
        (9,), causal=causal, rate=rate, speed=(speed, speed), bodies=SAME_BODY, mirror=0.0,
        cameras={"focal_error": 0.0, "distance": (3.0, 6.0)},
    )  # fmt: skip
    inside = MotionBank(BANK.points, BANK.first, BANK.last, _middle(BANK), BANK.rate)
    batch = _batch(config, bank=inside)
    target = 8 if causal else 4
    start = (batch.pose + batch.root[:, None])[:, LIMBS].double()
    rays = batch.keypoints[:, :, LIMBS].double() / H36M_FOCAL
    steps = torch.arange(9) - target
    # (P + s V)_xy = ray (P + s V)_z for the velocity V a frame of each sample, by least squares.
    s = steps[None, :, None, None].expand(*rays.shape[:3], 1)
    p, r = start[:, None], rays
    rows_x = torch.cat([s, 0 * s, -s * r[..., :1]], -1)
    rows_y = torch.cat([0 * s, s, -s * r[..., 1:]], -1)
    right = r * p[..., 2:] - p[..., :2]
    left = torch.cat([rows_x.flatten(1, 2), rows_y.flatten(1, 2)], 1)
    velocity = torch.linalg.lstsq(left, right.permute(0, 3, 1, 2).reshape(len(p), -1, 1)).solution[..., 0]
    expected = SPEED * speed / rate
    assert float(velocity.norm(dim=1).median()) == pytest.approx(expected, rel=0.03)


def _middle(bank: MotionBank) -> Tensor:
    """Chances that keep windows away from the clip's ends."""
    chance = torch.zeros(len(bank.points), dtype=torch.float64)
    chance[50:-50] = 1
    return chance.cumsum(0) / chance.sum()


@pytest.mark.parametrize("causal", [False, True])
def test_centred_batches_are_the_same_seen_by_centred_cameras(causal: bool) -> None:
    plain = _batch(_config(causal=causal))
    centred = _batch(_config(causal=causal, input_space="centred"))
    inputs, rotation = centre(plain.keypoints / H36M_FOCAL)
    torch.testing.assert_close(centred.keypoints, inputs, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(centred.root, plain.root)
    target = 8 if causal else 4
    torch.testing.assert_close(turn_back(centred.pose, rotation[:, target]), plain.pose, atol=1e-5, rtol=0)


def test_people_stand_in_front_of_the_camera_and_upright() -> None:
    batch = _batch(_config(), 1000)
    assert float(batch.root[:, 2].min()) > 0.5
    up = _joint(batch, "head") - _joint(batch, "rfoot")
    assert float(up[:, 1].mean()) < -1.3
    assert float((up[:, 1] < -0.5).float().mean()) > 0.98
    on_screen = (batch.root[:, :2] / batch.root[:, 2:]).abs()
    assert float(on_screen.max()) < 1.2


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_left_stays_left(mirror: float) -> None:
    """Left × up points where the person looks, mirrored or not: nobody is turned inside out."""
    batch = _batch(_config(mirror=mirror, tumble=0.5))
    left = _joint(batch, "lhip") - _joint(batch, "rhip")
    up = _joint(batch, "thorax") - _joint(batch, "hip")
    ahead = _joint(batch, "nose") - (_joint(batch, "thorax") + _joint(batch, "head")) / 2
    facing = torch.nn.functional.cosine_similarity(torch.linalg.cross(left, up), ahead)
    assert float(facing.min()) > 0.9


def test_mirroring_changes_the_raised_arm() -> None:
    def raised(batch: Batch, side: str) -> Tensor:
        return (_joint(batch, side + "wrist") - _joint(batch, side + "shoulder"))[:, 1] < 0

    plain, mirrored, both = (_batch(_config(mirror=share), 500) for share in (0.0, 1.0, 0.4))
    assert float(raised(plain, "l").float().mean()) > 0.98
    assert float(raised(plain, "r").float().mean()) < 0.02
    assert float(raised(mirrored, "l").float().mean()) < 0.02
    assert float(raised(mirrored, "r").float().mean()) > 0.98
    assert float(raised(both, "r").float().mean()) == pytest.approx(0.4, abs=0.08)


def test_the_same_body_keeps_its_bones() -> None:
    batch = _batch(_config(bodies=SAME_BODY, tumble=0.5, mirror=0.0))
    for child, parent in H36M17.bones:
        length = np.linalg.norm(np.subtract(RAISED[H36M17.names[child]], RAISED[H36M17.names[parent]]))
        found = (batch.pose[:, child] - batch.pose[:, parent]).norm(dim=1)
        torch.testing.assert_close(found, torch.full_like(found, float(length)), atol=2e-3, rtol=0)


def test_tumbling_tips_people_over() -> None:
    batch = _batch(_config(tumble=1.0), 1000)
    up = (_joint(batch, "head") - _joint(batch, "hip"))[:, 1]
    assert 0.2 < float((up > 0).float().mean()) < 0.5  # angles up to 126°
    assert float((up < -0.5).float().mean()) > 0.2
    assert batch.keypoints.isfinite().all()


def test_a_wrong_focal_length_scales_the_keypoints() -> None:
    true, wrong = (_batch(_config(cameras={"focal_error": error})) for error in (0.0, 0.1))
    torch.testing.assert_close(true.pose, wrong.pose)
    ratio = (wrong.keypoints * true.keypoints).sum((1, 2, 3)) / true.keypoints.square().sum((1, 2, 3))
    torch.testing.assert_close(wrong.keypoints, ratio[:, None, None, None] * true.keypoints)
    assert float(ratio.log().std()) == pytest.approx(0.1, rel=0.2)


def test_noise_has_the_size_asked_for() -> None:
    quiet = _config(detections=PERFECT | {"hidden": 0.0})
    noisy = _config(detections=PERFECT | {"hidden": 0.0, "jitter": (0.02, 0.02)})
    a, b = _batch(quiet, 500), _batch(noisy, 500)
    torch.testing.assert_close(a.pose, b.pose)
    error = (b.keypoints - a.keypoints)[:, :, H36M17.index("lelbow")] / H36M_FOCAL * b.root[:, None, 2:]
    assert float(error.std()) == pytest.approx(0.02, rel=0.05)


def test_the_generator_decides() -> None:
    config = TrainingConfig.model_validate({"name": "a", "motions": [{"path": "m.npz"}]})
    state = torch.get_rng_state()
    one, again, other = (_batch(config, 50, seed) for seed in (1, 1, 2))
    for name in ("keypoints", "pose", "root"):
        assert torch.equal(getattr(one, name), getattr(again, name))
        assert not torch.equal(getattr(one, name), getattr(other, name))
    assert torch.equal(torch.get_rng_state(), state)  # the global generator is not used


HIDING: dict[str, Any] = {
    "input_space": "centred-visible",
    "cameras": {"focal_error": 0.0, "near": 0.5, "rolled": 0.3},
    "picture": {"cut": 0.5, "framed": 0.3, "limbs": 0.3},
    "recombination": {"share": 0.7},
}


def test_batches_with_hidden_keypoints() -> None:
    """Inputs have a third feature, some joints are hidden, and all numbers are finite."""
    batch = _batch(_config(**HIDING), 300)
    assert batch.keypoints.shape == (300, 9, 17, 3)
    visible = batch.keypoints[..., 2]
    assert set(visible.unique().tolist()) == {0.0, 1.0}
    assert 0.1 < float((visible.amin((1, 2)) == 0).float().mean()) < 0.9
    assert float(visible[:, 4, H36M17.index("lfoot")].mean()) < float(
        visible[:, 4, H36M17.index("nose")].mean()
    )
    for values in (batch.keypoints, batch.pose, batch.root):
        assert bool(values.isfinite().all())


def test_near_cameras_are_near() -> None:
    """Half of the cameras stand within two metres."""
    distance = _batch(_config(**HIDING), 1000).root.norm(dim=1)
    assert float((distance < 1.8).float().mean()) == pytest.approx(0.5, abs=0.08)
    assert float(distance.min()) > 0.2


def test_poses_belong_to_the_virtual_camera_of_their_frame() -> None:
    """With everything visible, the new space gives `centred`'s numbers."""
    plain = _batch(_config(input_space="centred"))
    seen = _batch(_config(input_space="centred-visible", picture={"misplaced": 0.0}))
    joints = [i for i, name in enumerate(H36M17.names) if name not in ("hip", "spine")]
    assert torch.allclose(seen.pose.norm(dim=-1), plain.pose.norm(dim=-1), atol=1e-4)
    assert torch.allclose(seen.keypoints[..., joints, :2], plain.keypoints[..., joints, :], atol=1e-3)
