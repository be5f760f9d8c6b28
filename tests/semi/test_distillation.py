from pathlib import Path

import pytest
import torch

from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.network.config import ModelConfig
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.motion_bank import MotionBank
from videopose.lifting.training.synthetic_batches import SynthesisedBatches
from videopose.semi.config import SemiVideosConfig
from videopose.semi.distillation import AlternatingBatches, DistillationBatches
from videopose.semi.networks import FineTunedNetworks
from videopose.semi.training import train_semi_supervised

MODEL = ModelConfig(filter_widths=(3, 3), channels=16, dropout=0.5)


def _config(precision: str = "float32", **schedule: float) -> SemiVideosConfig:
    return SemiVideosConfig.model_validate({
        "precision": precision,
        "name": "tiny", "model": MODEL.model_dump(), "input_space": "centred",
        "schedule": {"steps": 4, "batch": 8} | schedule,
    })  # fmt: skip


def _networks() -> FineTunedNetworks:
    return FineTunedNetworks.untrained(MODEL, seed=1, strided=True)


def test_answers_are_what_the_model_says_where_it_is_asked(motion: MotionCapture) -> None:
    batches = SynthesisedBatches(MotionBank.build([(motion, 1.0)]), _config())
    for dense in (False, True):
        model = TemporalModel(filter_widths=(3, 3), channels=8, dense=dense).eval()
        true, said = batches.sample(3), DistillationBatches(batches, model).sample(3)
        assert torch.equal(said.keypoints, true.keypoints)
        assert torch.equal(said.root, true.root)
        with torch.no_grad():
            torch.testing.assert_close(said.pose, model(true.keypoints)[:, 0], atol=1e-6, rtol=0)
        assert not said.pose.requires_grad


def test_a_lifter_that_is_asked_about_itself_has_nothing_to_learn(motion: MotionCapture) -> None:
    """For fresh batch statistics, or dropout, would make it disagree with itself."""
    networks = _networks().train()
    config = _config()
    batches = SynthesisedBatches(MotionBank.build([(motion, 1.0)]), config)
    batch = DistillationBatches(batches, networks.pose).sample(0)
    pose, _ = networks(batch.keypoints)
    assert not networks.training
    torch.testing.assert_close(pose[:, 0], batch.pose, atol=1e-5, rtol=0)


def test_statistics_stay_and_weights_move(motion: MotionCapture, tmp_path: Path) -> None:
    networks, before = _networks(), _networks().state_dict()
    config = _config(learning_rate=0.01)
    batches = SynthesisedBatches(MotionBank.build([(motion, 1.0)]), config)
    train_semi_supervised(config, networks, batches, None, folder=tmp_path)
    for name, value in networks.state_dict().items():
        same = torch.equal(value, before[name])
        assert same == any(part in name for part in ("running", "num_batches")), name


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_pose_model_waits_until_footage_tells_it_something(
    motion: MotionCapture, tmp_path: Path, precision: str
) -> None:
    networks, before = _networks(), _networks().state_dict()
    config = _config(precision, learning_rate=0.01)
    batches = SynthesisedBatches(MotionBank.build([(motion, 1.0)]), config)
    answers = DistillationBatches(batches, _networks().pose.eval(), precision=precision)
    train_semi_supervised(config, networks, answers, None, folder=tmp_path)
    for name, value in networks.state_dict().items():
        if name.startswith("pose."):
            assert torch.equal(value, before[name]), name
    assert not torch.equal(networks.trajectory.shrink.bias, before["trajectory.shrink.bias"])


def test_what_is_new_and_what_is_kept_take_turns(motion: MotionCapture) -> None:
    new = SynthesisedBatches(MotionBank.build([(motion, 1.0)]), _config())
    kept = DistillationBatches(new, _networks().pose.eval())
    both = AlternatingBatches(new, kept)
    assert (both.num_joints_in, both.num_joints_out) == (17, 17)
    assert (both.num_steps, both.steps_per_epoch) == (new.num_steps, None)
    for step in range(4):
        expected = (new, kept)[step % 2].sample(step)
        assert torch.equal(both.sample(step).pose, expected.pose)
        assert torch.equal(both.sample(step).keypoints, expected.keypoints)
