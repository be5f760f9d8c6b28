from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from videopose.errors import InputError, UsageError
from videopose.lifting.cameras.input_space import to_rays, to_screen
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.lifting.datasets.humaneva import CAMERAS as HUMANEVA_CAMERAS
from videopose.lifting.datasets.recordings import Recording, RecordingSet
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.training.config import RecordedConfig
from videopose.lifting.training.lifter_training import train_lifter
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.lifting.training.training_state import TrainingState
from videopose.skeleton import H36M17

MIRROR = list(H36M17.mirror)


def _recording(frames: int, seed: int = 0) -> Recording:
    """Joints that swing, each at its own pace, as the first of S1's cameras sees them."""
    rng = np.random.default_rng(seed)
    camera = CAMERAS["S1"][0]
    assert camera.lens is not None
    phase = rng.normal(size=(1, 17, 3)) + np.arange(frames)[:, None, None] / 15 * rng.uniform(0.5, 1, (17, 1))
    world = np.sin(phase) * 0.3 + [0, 0, 1]
    pose = camera.extrinsics.to_camera(world).astype(np.float32)
    keypoints = camera.lens.project(pose)
    return Recording("S1", f"Walking {seed}", camera, keypoints, pose - pose[:, :1], pose[:, 0])


def _data(*lengths: int) -> RecordingSet:
    recordings = tuple(_recording(n, seed) for seed, n in enumerate(lengths))
    return RecordingSet(recordings, H36M17, H36M17, 50.0)


def _config(recordings: dict[str, Any] | None = None, model: Any = None, **schedule: Any) -> RecordedConfig:
    return RecordedConfig.model_validate({
        "name": "tiny", "seed": 3, "recordings": {"data_set": "h36m"} | (recordings or {}),
        "model": {"filter_widths": [3, 3], "channels": 16, "dropout": 0.2} | (model or {}),
        "schedule": {"epochs": 4, "batch": 32, "learning_rate": 5e-3} | schedule,
    })  # fmt: skip


def _expected(
    data: RecordingSet, clip: int, first: int, chunk: int, before: int, after: int, zeros: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The window about frames first … first + chunk − 1 of a clip, one frame after the other."""
    recording = data.recordings[clip]
    screen = to_screen(recording.keypoints, recording.camera.size)
    last = len(recording) - 1
    rows = []
    for frame in range(first - before, first + chunk + after):
        row = screen[min(max(frame, 0), last)]
        rows.append(row * 0 if zeros and not 0 <= frame <= last else row)
    poses = [recording.pose[min(max(f, 0), last)] for f in range(first, first + chunk)]
    return np.array(rows), np.array(poses)


def _samples(source: RecordedBatches, epoch: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """All (keypoints, pose) of an epoch."""
    found = []
    for step in range(epoch * source.steps_per_epoch, (epoch + 1) * source.steps_per_epoch):
        batch = source.sample(step)
        found += list(zip(batch.keypoints.numpy(), batch.pose.numpy(), strict=True))
    return found


def _mirrored(values: np.ndarray) -> np.ndarray:
    values = values[:, MIRROR].copy()
    values[..., 0] *= -1
    return values


def _same(found: list[tuple[np.ndarray, np.ndarray]], expected: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Equal but for the order."""

    def rows(samples: list[tuple[np.ndarray, np.ndarray]]) -> list[bytes]:
        return sorted((k + 0.0).tobytes() + (p + 0.0).tobytes() for k, p in samples)  # (no negative zeros)

    assert rows(found) == rows(expected)


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("padding", ["replicate", "zero"])
@pytest.mark.parametrize(("causal", "before", "after"), [(False, 4, 4), (True, 8, 0)])
def test_every_epoch_sees_every_frame_plain_and_mirrored(
    flip: bool, padding: str, causal: bool, before: int, after: int
) -> None:
    data = _data(13, 1, 30)
    source = RecordedBatches(data, _config({"padding": padding, "flip": flip}, {"causal": causal}))
    assert (source.num_joints_in, source.num_joints_out, source.steps_per_epoch) == (17, 17, 3 if flip else 2)
    assert source.num_steps == 4 * source.steps_per_epoch
    windows = [
        _expected(data, clip, frame, 1, before, after, padding == "zero")
        for clip, recording in enumerate(data.recordings)
        for frame in range(len(recording))
    ]
    if flip:
        windows += [(_mirrored(k), _mirrored(p)) for k, p in windows]
    _same(_samples(source), windows)
    _same(_samples(source, epoch=3), windows)


@pytest.mark.parametrize("chunk", [2, 5, 16])
def test_chunks_are_centred_on_the_clip(chunk: int) -> None:
    data = _data(13, 30, 7)
    source = RecordedBatches(data, _config({"flip": False}, chunk=chunk))
    expected = []
    for clip, recording in enumerate(data.recordings):
        count = -(-len(recording) // chunk)
        first = -((count * chunk - len(recording)) // 2)
        expected += [_expected(data, clip, first + i * chunk, chunk, 4, 4) for i in range(count)]
    found = _samples(source)
    assert found[0][0].shape == (8 + chunk, 17, 2)
    assert found[0][1].shape == (chunk, 17, 3)
    _same(found, expected)
    assert len(source.sample(0).pose) <= 32 // chunk


def test_a_chunk_is_its_frames_one_by_one() -> None:
    """Unfolded, chunks that fill the clips hold the very windows of single frames."""
    data = _data(12, 24)
    chunks = _samples(RecordedBatches(data, _config(chunk=4)))
    single = _samples(RecordedBatches(data, _config()))
    _same([(k[i : i + 9], p[i : i + 1]) for k, p in chunks for i in range(4)], single)


def test_roots_belong_to_the_poses() -> None:
    data = _data(20)
    source = RecordedBatches(data, _config({"flip": True}))
    for step in range(source.steps_per_epoch):
        batch = source.sample(step)
        for root, pose in zip(batch.root[:, 0].numpy(), batch.pose[:, 0].numpy(), strict=True):
            plain = np.abs(data.recordings[0].root - root).max(1)
            other = np.abs(data.recordings[0].root * [-1, 1, 1] - root).max(1)
            mirrored = other.min() < plain.min()
            frame = int((other if mirrored else plain).argmin())
            true = data.recordings[0].pose[frame]
            np.testing.assert_array_equal(pose, _mirrored(true[None])[0] if mirrored else true)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    data = _data(50, 60)
    source, again = RecordedBatches(data, _config()), RecordedBatches(data, _config())
    order = [5, 1, 9, 1]
    first = {step: source.sample(step).keypoints for step in sorted(order)}
    for step in order:
        assert torch.equal(again.sample(step).keypoints, first[step])
    other = RecordedBatches(data, _config().model_copy(update={"seed": 4}))
    assert not torch.equal(other.sample(5).keypoints, first[5])
    # Another epoch, another order.
    assert not torch.equal(source.sample(1 + source.steps_per_epoch).keypoints, first[1])


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_a_batch(world: int) -> None:
    source = RecordedBatches(_data(50, 61), _config())
    for step in (0, source.steps_per_epoch - 1):
        whole = source.sample(step)
        parts = [source.sample(step, rank=rank, world_size=world) for rank in range(world)]
        assert max(len(p.pose) for p in parts) - min(len(p.pose) for p in parts) <= 1
        _same(
            [s for p in parts for s in zip(p.keypoints.numpy(), p.pose.numpy(), strict=True)],
            list(zip(whole.keypoints.numpy(), whole.pose.numpy(), strict=True)),
        )
    with pytest.raises(UsageError, match="two samples at least in every process"):
        source.sample(0, rank=0, world_size=30)


def test_rays_are_of_the_camera() -> None:
    data = _data(20)
    camera = CAMERAS["S1"][0]
    assert camera.lens is not None
    config = _config({"flip": False}, {"filter_widths": [1]}, batch=20)
    found = _samples(RecordedBatches(data, config.model_copy(update={"input_space": "rays"})))
    rays = to_rays(camera.lens.undistort(data.recordings[0].keypoints), camera.lens.intrinsics)
    _same([(k, k) for k, _ in found], [(r[None], r[None]) for r in rays])


def test_what_cannot_be_read() -> None:
    good = _recording(9)
    keypoints = good.keypoints.copy()
    keypoints[4, 2] = np.nan
    gap = Recording("S1", "Eating", good.camera, keypoints, good.pose, good.root)
    with pytest.raises(InputError, match="S1 'Eating', camera 54138969: frames without keypoints"):
        RecordedBatches(RecordingSet((gap,), H36M17, H36M17, 50.0), _config())
    blind = Recording("S1", "Jog", HUMANEVA_CAMERAS["S1"][0], good.keypoints, good.pose, good.root)
    data = RecordingSet((blind,), H36M17, H36M17, 50.0)
    with pytest.raises(UsageError, match="needs a camera whose lens is known"):
        RecordedBatches(data, _config().model_copy(update={"input_space": "rays"}))


@pytest.mark.parametrize(
    ("model", "schedule"),
    [
        ({}, {}),
        ({"causal": True}, {}),
        ({"dense": True}, {}),
        ({}, {"chunk": 5}),
        ({"filter_widths": [1, 1]}, {}),
    ],
    ids=str,
)
def test_training_lowers_the_loss(model: Any, schedule: Any, tmp_path: Path) -> None:
    losses: list[float] = []

    def report(progress: TrainingState) -> None:
        losses[:] = progress.losses

    config = _config({}, {"dropout": 0.0} | model, **schedule, epochs=8)
    source = RecordedBatches(_data(60, 45), config)
    trained = train_lifter(config, source, folder=tmp_path, report=report)
    assert len(losses) == 8  # one an epoch
    assert losses[-1] < 0.85 * losses[0]
    assert trained.dense == config.model.dense


class _InterruptedError(Exception):
    pass


@pytest.mark.parametrize("stop", [9, 16])  # mid-epoch, and in another epoch than the checkpoint's
def test_a_resumed_run_ends_in_the_numbers_of_an_uninterrupted_one(stop: int, tmp_path: Path) -> None:
    config = _config(checkpoint_every=6)
    data = _data(60, 45)
    kept: dict[str, list[float]] = {}

    def run(name: str, stop: int | None = None, resume: bool = False) -> TemporalModel:
        def report(progress: TrainingState) -> None:
            kept[name] = list(progress.losses)
            if progress.step == stop:
                raise _InterruptedError

        source = RecordedBatches(data, config)
        return train_lifter(config, source, folder=tmp_path / name, report=report, resume=resume)

    expected = run("whole")
    with pytest.raises(_InterruptedError):
        run("cut", stop)
    torch.manual_seed(99)  # whatever happens in between
    model = run("cut", resume=True)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert kept["cut"] == kept["whole"]
    assert len(kept["whole"]) == 4


def test_half_precision_trains_too(tmp_path: Path) -> None:
    config = _config().model_copy(update={"precision": "bfloat16"})
    model = train_lifter(config, RecordedBatches(_data(60, 45), config), folder=tmp_path)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
