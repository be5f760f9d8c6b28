from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motion_tables import walking_clips, write_table
from videopose.errors import InputError, UsageError
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.motion_bank import MotionBank
from videopose.lifting.training.config import TrainingConfig
from videopose.lifting.training.lifter_training import train_lifter
from videopose.lifting.training.synthetic_batches import SynthesisedBatches, split
from videopose.lifting.training.training_state import TrainingState
from videopose.skeleton import H36M17


def _config(motions: Any = ({"path": "m.npz"},), **schedule: Any) -> TrainingConfig:
    return TrainingConfig.model_validate({
        "name": "tiny", "motions": motions, "precision": "float32", "seed": 7,
        "model": {"filter_widths": [3], "channels": 16, "dropout": 0.2},
        "schedule": {"batch": 32, "steps": 120, "checkpoint_every": 1000, "measure_every": 1000} | schedule,
    })  # fmt: skip


@pytest.fixture
def bank(tmp_path: Path) -> MotionBank:
    write_table(tmp_path / "m.npz", walking_clips())
    return split(_config(), tmp_path)[0]


def _train(config: TrainingConfig, bank: MotionBank, **options: Any) -> TemporalModel:
    return train_lifter(config, SynthesisedBatches(bank, config), **options)


class _InterruptedError(Exception):
    pass


def _until(stop: int) -> Any:
    def report(progress: TrainingState) -> None:
        if progress.step == stop:
            raise _InterruptedError

    return report


def _losses(report: list[float]) -> Any:
    def keep(progress: TrainingState) -> None:
        report[:] = progress.losses

    return keep


def test_training_lowers_the_loss(bank: MotionBank, tmp_path: Path) -> None:
    losses: list[float] = []
    config = _config(steps=200, learning_rate=5e-3)
    model = _train(config, bank, folder=tmp_path, report=_losses(losses))
    assert len(losses) == 4
    assert losses[-1] < 0.75 * losses[0]
    assert not model.training
    assert (model.filter_widths, model.channels, model.dropout) == ((3,), 16, 0.2)
    Lifter(model, "h36m17", "rays", 30.0).save(tmp_path / "a.safetensors")


def test_batches_that_are_made_at_once_differ_and_depend_on_their_step_alone(bank: MotionBank) -> None:
    config = _config(batches_at_once=4)
    source, resumed = SynthesisedBatches(bank, config), SynthesisedBatches(bank, config)
    batches = [source.sample(step) for step in range(8)]
    assert {len(batch.keypoints) for batch in batches} == {32}
    assert torch.equal(resumed.sample(6).keypoints, batches[6].keypoints)
    assert len({batch.pose.sum().item() for batch in batches}) == 8


def test_the_average_of_the_weights_is_returned_and_resumed(bank: MotionBank, tmp_path: Path) -> None:
    plain = _train(_config(steps=60), bank, folder=tmp_path / "plain")
    config = _config(steps=60, average=0.9, checkpoint_every=25)
    averaged = _train(config, bank, folder=tmp_path / "whole")
    assert not averaged.training
    differ = [
        (a - b).abs().max().item()
        for a, b in zip(averaged.state_dict().values(), plain.state_dict().values(), strict=True)
        if a.is_floating_point()
    ]
    assert 0 < max(differ) < 0.1
    with pytest.raises(_InterruptedError):
        _train(config, bank, folder=tmp_path / "broken", report=_until(40))
    resumed = _train(config, bank, folder=tmp_path / "broken", resume=True)
    for name, value in averaged.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_averaged_flips_train_the_mean_of_both_poses(bank: MotionBank, tmp_path: Path) -> None:
    values = _config(steps=50, learning_rate=1e-12, final_learning_rate=1e-12).model_dump()
    values |= {"averaged_flips": True, "input_space": "centred-visible"}
    values["model"]["dropout"] = 0.0
    config = TrainingConfig.model_validate(values)
    losses: list[float] = []
    _train(config, bank, folder=tmp_path, report=_losses(losses))

    torch.manual_seed(config.seed)
    model = TemporalModel(filter_widths=(3,), channels=16, dropout=0.0, in_features=3).train()
    order, sign = list(H36M17.mirror), torch.tensor([-1.0, 1, 1])
    means, singles = [], []
    for step in range(50):
        batch = SynthesisedBatches(bank, config).sample(step)
        with torch.no_grad():
            poses = model(torch.cat([batch.keypoints, batch.keypoints[:, :, order] * sign]))[:, 0]
        mean = (poses[:32] + poses[32:, order] * sign) / 2
        means.append((mean - batch.pose).norm(dim=-1).mean().item())
        singles.append((poses[:32] - batch.pose).norm(dim=-1).mean().item())
    assert losses == pytest.approx([float(np.mean(means))], rel=1e-4)
    assert losses[0] < 0.99 * float(np.mean(singles))


def test_half_precision_trains_too(bank: MotionBank, tmp_path: Path) -> None:
    config = _config(steps=100, learning_rate=5e-3).model_copy(update={"precision": "bfloat16"})
    losses: list[float] = []
    model = _train(config, bank, folder=tmp_path, report=_losses(losses))
    assert losses[1] < losses[0]
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(("every", "stop"), [(50, 51), (50, 73), (20, 75), (30, 119)])
def test_a_resumed_run_ends_in_the_numbers_of_an_uninterrupted_one(
    bank: MotionBank, tmp_path: Path, every: int, stop: int
) -> None:
    config = _config(checkpoint_every=every)
    whole: list[float] = []
    resumed: list[float] = []
    expected = _train(config, bank, folder=tmp_path / "whole", report=_losses(whole))
    with pytest.raises(_InterruptedError):
        _train(config, bank, folder=tmp_path / "cut", report=_until(stop))
    torch.manual_seed(99)  # whatever happens in between
    model = _train(config, bank, folder=tmp_path / "cut", report=_losses(resumed), resume=True)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert len(whole) == 2
    assert resumed == whole


def test_what_was_measured_before_an_interruption_is_kept(bank: MotionBank, tmp_path: Path) -> None:
    kept: list[TrainingState] = []

    def stop(progress: TrainingState) -> None:
        kept[:] = [progress]
        if progress.step == 37:
            raise _InterruptedError

    config = _config(steps=60, checkpoint_every=25, measure_every=10)
    options: dict[str, Any] = {"folder": tmp_path, "measure": lambda model, step: {"step": float(step)}}
    with pytest.raises(_InterruptedError):
        _train(config, bank, report=stop, **options)
    _train(config, bank, report=lambda p: kept.append(p), resume=True, **options)
    assert kept[-1].history == [(step, {"step": float(step)}) for step in (10, 20, 30, 40, 50, 60)]
    # The one at 30 was lost with the steps after the checkpoint, and came again.


def test_a_finished_run_resumes_to_its_result(bank: MotionBank, tmp_path: Path) -> None:
    config = _config(steps=10)
    model = _train(config, bank, folder=tmp_path)
    again = _train(config, bank, folder=tmp_path, resume=True)
    assert not again.training
    assert torch.equal(again.shrink.weight, model.shrink.weight)
    assert list(tmp_path.glob("*.partial*")) == []


def test_the_seed_decides(bank: MotionBank, tmp_path: Path) -> None:
    def weights(seed: int) -> torch.Tensor:
        config = _config(steps=5).model_copy(update={"seed": seed})
        return _train(config, bank, folder=tmp_path).shrink.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_measuring_does_not_disturb_training(bank: MotionBank, tmp_path: Path) -> None:
    seen: list[int] = []

    def measure(model: TemporalModel, step: int) -> dict[str, float]:
        assert not any(m.training for m in model.modules())
        with torch.no_grad():
            model(torch.zeros(1, 9, 17, 2))
        seen.append(step)
        return {}

    plain = _train(_config(steps=25), bank, folder=tmp_path)
    measured = _train(_config(steps=25, measure_every=10), bank, folder=tmp_path, measure=measure)
    assert seen == [10, 20, 25]
    assert torch.equal(measured.shrink.weight, plain.shrink.weight)


def test_progress_is_reported_after_every_step(bank: MotionBank, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    _train(_config(steps=4), bank, folder=tmp_path, report=lambda p: steps.append((p.step, p.steps)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_training_begins_with_the_weights_given(bank: MotionBank, tmp_path: Path) -> None:
    config = _config(learning_rate=1e-9, final_learning_rate=1e-9, steps=2)
    torch.manual_seed(3)
    start = TemporalModel(**config.model.model_dump()).state_dict()
    model = train_lifter(config, SynthesisedBatches(bank, config), folder=tmp_path, start=start)
    torch.testing.assert_close(model.shrink.weight, start["shrink.weight"], rtol=0, atol=1e-7)
    wider = TemporalModel(filter_widths=[3], channels=17).state_dict()
    with pytest.raises(UsageError, match="another shape"):
        train_lifter(config, SynthesisedBatches(bank, config), folder=tmp_path, start=wider)


def test_resuming_needs_a_checkpoint(bank: MotionBank, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to resume: .*checkpoint\.pt does not exist"):
        _train(_config(), bank, folder=tmp_path / "nowhere", resume=True)


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"rate": 25.0}, {"motions": ({"path": "m.npz", "weight": 2.0},)}, {"speed": (1.0, 1.0)}],
    ids=str,
)
def test_resuming_with_another_configuration_is_an_input_error(
    bank: MotionBank, tmp_path: Path, change: dict[str, Any]
) -> None:
    config = _config(steps=2)
    _train(config, bank, folder=tmp_path)
    other = TrainingConfig.model_validate(config.model_dump() | change)
    with pytest.raises(InputError, match="belongs to another configuration"):
        _train(other, bank, folder=tmp_path, resume=True)


def test_how_often_to_save_may_change(bank: MotionBank, tmp_path: Path) -> None:
    _train(_config(steps=2), bank, folder=tmp_path)
    _train(_config(steps=2, checkpoint_every=1, measure_every=1), bank, folder=tmp_path, resume=True)


def test_damaged_checkpoints_are_input_errors(bank: MotionBank, tmp_path: Path) -> None:
    config = _config(steps=2)
    _train(config, bank, folder=tmp_path)
    path = tmp_path / "checkpoint.pt"
    whole = path.read_bytes()
    for content in (b"", b"garbage", whole[:1000], whole[:-10]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"checkpoint\.pt is not a checkpoint"):
            _train(config, bank, folder=tmp_path, resume=True)
    for at in (len(whole) // 4, len(whole) // 2, 3 * len(whole) // 4):  # one bit of a weight
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(InputError, match=r"checkpoint\.pt is not a checkpoint .* or is damaged"):
            _train(config, bank, folder=tmp_path, resume=True)
    states: list[Any] = [{}, [], {"network": {}}, {"fingerprint": np.float64}]
    for state in states:
        torch.save(state, path)
        with pytest.raises(InputError, match=r"checkpoint\.pt"):
            _train(config, bank, folder=tmp_path, resume=True)
