"""A known motion through real models: where the networks say the truth, nothing is left of the loss."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.extrinsics import Extrinsics
from videopose.lifting.cameras.input_space import InputSpace, centre, look_at
from videopose.lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from videopose.lifting.datasets.recordings import CalibratedCamera, Recording, RecordingSet
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.config import BodyConfig, CameraConfig, DetectionConfig
from videopose.lifting.training.batch import Batch
from videopose.lifting.training.config import TrainingConfig
from videopose.lifting.training.synthetic_batches import synthesise
from videopose.semi.batches import UnlabeledBatch, UnlabeledBatches
from videopose.semi.config import SemiRecordedLosses
from videopose.semi.footage import RAYS, Footage, compared_joints, recorded_footage, span_of_video
from videopose.semi.networks import PoseAndTrajectory, Prediction, camera_rotation, predict
from videopose.semi.projection import project
from videopose.semi.training import labeled_losses, unlabeled_losses
from videopose.skeleton import H36M17

DEPTH, SIZE = 4.0, 0.35  # metres: of the flat people of these tests
JOINTS = compared_joints(H36M17, exact=False)
HIP, SPINE = 0, H36M17.index("spine")


def _echo(*, causal: bool, joints: int, weight: Tensor, bias: Tensor) -> TemporalModel:
    """A model that gives a linear function of its target frame: weight (3 · joints, 34), bias."""
    model = TemporalModel(filter_widths=(3, 3), channels=68, causal=causal, num_joints_out=joints).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        tap = 2 if causal else 1
        model.expand_conv.weight[:34, :, tap] = torch.eye(34)
        model.expand_conv.weight[34:, :, tap] = -torch.eye(34)
        for norm in (model.expand_bn, *model.layers_bn):
            norm.weight.fill_(math.sqrt(1 + norm.eps))
        model.shrink.weight[..., 0] = torch.cat([weight, -weight], 1)
        model.shrink.bias[:] = bias
    return model


def _flat(causal: bool, chunk: int, scale: Tensor, origin: Tensor) -> PoseAndTrajectory:
    """Everybody stands flat at one depth: metres = scale · (keypoint − origin)."""
    pose, root = torch.zeros(51, 34), torch.zeros(3, 34)
    for joint in range(17):
        for axis in range(2):
            pose[3 * joint + axis, 2 * joint + axis] = scale[axis]
            pose[3 * joint + axis, 2 * HIP + axis] -= scale[axis]
    for axis in range(2):
        root[axis, 2 * HIP + axis] = scale[axis]
    place = torch.tensor([*(-scale * origin).tolist(), DEPTH])
    return PoseAndTrajectory(
        _echo(causal=causal, joints=17, weight=pose, bias=torch.zeros(51)),
        _echo(causal=causal, joints=1, weight=root, bias=place),
        strided=chunk == 1,
    )


def _centred(causal: bool, chunk: int) -> PoseAndTrajectory:
    """Flat people of one size, each facing the virtual camera: metres = size · input, but for the hip."""
    pose = SIZE * torch.eye(51)[:, [3 * j + a for j in range(17) for a in range(2)]]
    pose[:3] = 0
    return PoseAndTrajectory(
        _echo(causal=causal, joints=17, weight=pose, bias=torch.zeros(51)),
        _echo(causal=causal, joints=1, weight=torch.zeros(3, 34), bias=torch.tensor([0.0, 0.0, DEPTH])),
        strided=chunk == 1,
    )


def _prediction(networks: PoseAndTrajectory, batch: UnlabeledBatch, space: InputSpace) -> Prediction:
    with torch.no_grad():
        return predict(networks, batch.keypoints, padding=networks.pose.padding, input_space=space)


def _loss(prediction: Prediction, batch: UnlabeledBatch, footage: Footage) -> float:
    return float(unlabeled_losses(prediction, batch, prediction.pose, footage)["reprojection"])


def _zero_at_the_truth_only(
    networks: PoseAndTrajectory, footage: Footage, causal: bool, chunk: int, space: str
) -> None:
    batches = UnlabeledBatches(footage, networks.pose, chunk=chunk)
    batch = batches.sample(0, len(batches))
    assert _loss(_prediction(networks, batch, space), batch, footage) < 2e-5
    late = UnlabeledBatch(batch.keypoints.roll(1, 1), batch.target, batch.weight, batch.camera, batch.person)
    assert _loss(_prediction(networks, late, space), batch, footage) > 1e-2


def _motion(frames: int = 30) -> NDArray[np.float32]:
    """(T, 17, 2) rays · 2.29; nobody stands still."""
    random = np.random.default_rng(0)
    phase = np.arange(frames)[:, None, None]
    swing = np.sin(phase * random.uniform(0.5, 1.5, (17, 2)) + random.uniform(0, 6, (17, 2)))
    return (random.normal(0, 0.2, (17, 2)) + 0.2 * swing + 0.02 * phase).astype(np.float32)


every_way = pytest.mark.parametrize(
    ("causal", "chunk"), [(False, 1), (True, 1), (False, 4), (True, 4)], ids=str
)


@every_way
def test_rays(causal: bool, chunk: int) -> None:
    seen = _motion()
    scores = np.ones((len(seen), 17), np.float32)
    span = span_of_video(seen, scores[:, JOINTS], seen, person=0, space="rays", joints=JOINTS)
    footage = Footage.of((span,), JOINTS, H36M17, H36M17.mirror)
    scale = torch.full((2,), DEPTH / H36M_FOCAL)
    _zero_at_the_truth_only(_flat(causal, chunk, scale, torch.zeros(2)), footage, causal, chunk, "rays")


@every_way
def test_centred(causal: bool, chunk: int) -> None:
    """In each frame's virtual camera the person is flat, and so slants in the real one."""
    random = torch.Generator().manual_seed(0)
    flat = torch.randn(30, 17, 2, generator=random)
    flat[:, HIP] = 0
    flat = flat / flat.square().sum(-1).mean(-1).sqrt()[:, None, None]
    hip = 0.4 * torch.randn(30, 2, generator=random)
    there = torch.cat([flat * SIZE / DEPTH, torch.ones(30, 17, 1)], -1)
    there = torch.einsum("tji,tkj->tki", look_at(hip), there)
    rays = (H36M_FOCAL * there[..., :2] / there[..., 2:]).numpy()
    weight = np.ones((30, len(JOINTS)), np.float32)
    span = span_of_video(rays, weight, rays, person=0, space="centred", joints=JOINTS)
    footage = Footage.of((span,), JOINTS, H36M17, H36M17.mirror)
    expected = centre(torch.from_numpy(rays / H36M_FOCAL))[0].numpy()
    np.testing.assert_array_equal(span.lifter_input, expected)
    # the input's place of the spine holds no x and y, but the spine is not compared
    _zero_at_the_truth_only(_centred(causal, chunk), footage, causal, chunk, "centred")


@every_way
def test_screen_coordinates_of_a_studio_with_an_eccentric_camera(causal: bool, chunk: int) -> None:
    lens = Lens(Intrinsics(1150.0, 1140.0, 520.0, 480.0))
    camera = CalibratedCamera("c", (1000, 960), Extrinsics((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), lens)
    pixels = 300 * _motion() + 500
    nothing = np.zeros((len(pixels), 17, 3), np.float32)
    recording = Recording("S1", "Walking", camera, pixels, nothing, nothing[:, 0])
    layout = H36M17
    data = RecordingSet((recording,), H36M17, layout, 50)
    footage = recorded_footage(data, "screen", SemiRecordedLosses(joints="all"))
    assert footage.joints == tuple(range(17))
    scale = torch.tensor([DEPTH / (2 * 1.150), DEPTH / (2 * 1.140)])
    origin = torch.tensor([2 * 0.52 - 1, 2 * 0.48 - 0.96])
    networks = _flat(causal, chunk, scale, origin)
    batches = UnlabeledBatches(footage, networks.pose, chunk=chunk, flip=False)
    batch = batches.sample(0, len(batches))
    assert _loss(_prediction(networks, batch, "screen"), batch, footage) < 2e-5


def test_a_lens_that_bends_is_projected_through_in_screen_coordinates_mirrored_or_not() -> None:
    lens = Lens(Intrinsics(1145.0, 1144.0, 512.0, 515.0), (-0.2, 0.24, -0.002), (-0.0009, -0.0016))
    camera = CalibratedCamera("c", (1000, 1002), Extrinsics((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), lens)
    random = np.random.default_rng(0)
    root = random.normal(0, 0.5, (20, 3)).astype(np.float32) + np.float32([0, 0, 5])
    pose = random.normal(0, 0.4, (20, 17, 3)).astype(np.float32)
    pose[:, 0] = 0
    recording = Recording("S1", "Walking", camera, lens.project(pose + root[:, None]), pose, root)
    data = RecordingSet((recording,), H36M17, H36M17, 50)
    model = TemporalModel(filter_widths=(1,), channels=4)
    footage = recorded_footage(data, "screen", SemiRecordedLosses(joints="all"))
    batches = UnlabeledBatches(footage, model)
    batch = batches.sample(0, 40)
    for sample in range(40):
        # find the frame again by its picture
        plain = np.abs(footage.spans[0].lifter_input - batch.target[sample].numpy()).max((1, 2))
        order = list(H36M17.mirror)
        turned = footage.spans[0].lifter_input[:, order] * np.float32([-1, 1])
        other = np.abs(turned - batch.target[sample].numpy()).max((1, 2))
        placed = torch.from_numpy((pose + root[:, None])[[int(np.argmin(np.minimum(plain, other)))]])
        if other.min() < plain.min():
            placed = placed[:, order] * torch.tensor([-1.0, 1.0, 1.0])
        seen = project(placed, batch.camera[[sample]])
        torch.testing.assert_close(seen, batch.target[sample], atol=1e-5, rtol=0)


@pytest.mark.parametrize("space", ["centred", "rays"])
@pytest.mark.parametrize("causal", [False, True])
def test_labeled_people_agree_with_what_footage_is_compared_with(space: str, causal: bool) -> None:
    """The true pose and root of a labeled sample, given as the networks give them, lie on its keypoints."""
    sharp = DetectionConfig(jitter=(1e-9, 1e-9), drift=(1e-9, 1e-9), bias=0, outliers=0, episodes=0)
    config = TrainingConfig.model_validate({
        "name": "tiny", "motions": [{"path": "m.npz"}], "input_space": space,
        "model": {"filter_widths": [3, 3], "causal": causal}, "bodies": BodyConfig().model_dump(),
        "cameras": CameraConfig(focal_error=0).model_dump(), "detections": sharp.model_dump(),
    })  # fmt: skip
    batch = _synthesise(config)
    at = 8 if causal else 4
    rotation = camera_rotation(batch.keypoints[:, at : at + 1], config.input_space)
    there = Prediction(batch.pose[:, None], batch.root[:, None, None], rotation)
    truth = Prediction(there.pose, there.from_camera_space(there.root), rotation)
    terms = labeled_losses(truth, batch)
    assert terms["pose"] == terms["trajectory"] == 0

    placed = truth.in_camera_space()
    seen = project(placed, RAYS.float().expand(len(placed), -1))[:, 0]
    shared = [j for j in JOINTS if j != HIP]
    inputs = batch.keypoints[:, at]
    if space == "centred":
        assert rotation is not None
        unit = inputs * (inputs[:, SPINE, 1] - 2.0).exp()[:, None, None]  # the spine's y tells the size
        ahead = torch.nn.functional.pad(unit, (0, 1), value=1.0)[:, None]
        rays = Prediction(ahead, torch.zeros(1), rotation).in_camera_space()[:, 0]
        inputs = H36M_FOCAL * rays[..., :2] / rays[..., 2:]
    torch.testing.assert_close(seen[:, shared], inputs[:, shared], atol=1e-4, rtol=0)


def _synthesise(config: TrainingConfig) -> Batch:
    from videopose.lifting.datasets.motion_capture import MotionCapture
    from videopose.lifting.simulation.motion_bank import MotionBank

    random = np.random.default_rng(0)
    still = random.normal((0, 0, 1), 0.3, (19, 3))
    still[0] = (still[1] + still[4]) / 2
    swing = 0.1 * np.sin(np.arange(60)[:, None, None] / 5 + random.uniform(0, 6, (19, 3)))
    points = (still + swing).astype(np.float32)
    points[:, 0] = (points[:, 1] + points[:, 4]) / 2
    table = MotionCapture(points, np.array([60]), 50.0, ("a",), ("a",), ("a",), ("a",))
    bank = MotionBank.build([(table, 1.0)])
    return synthesise(bank, config, 32, torch.Generator().manual_seed(0))
