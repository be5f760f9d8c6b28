from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from motion_tables import walking_clips, write_table
from videopose.errors import InputError, UsageError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.simulation.config import RarePosturesConfig
from videopose.lifting.training.config import TrainingConfig
from videopose.lifting.training.synthetic_batches import SynthesisedBatches, split


def _config(motions: Any = ({"path": "m.npz"},), **schedule: Any) -> TrainingConfig:
    return TrainingConfig.model_validate({
        "name": "tiny", "motions": motions, "seed": 7, "model": {"filter_widths": [3]},
        "schedule": {"batch": 33, "steps": 120} | schedule,
    })  # fmt: skip


def _with_rare_postures(config: TrainingConfig, weight: float) -> TrainingConfig:
    return config.model_copy(update={"rare_postures": RarePosturesConfig(minutes=0.2, weight=weight)})


def _subjects(table: MotionCapture | None) -> list[str]:
    assert table is not None
    return [f"{s}/{a}" for s, a in zip(table.subjects, table.actions, strict=True)]


def test_held_out_and_excluded_clips_never_train(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    motion = {"path": "m.npz", "held_out": ["01"], "exclude": ["03", "?/walk", "01/jump"]}
    bank, held = split(_config([motion]), tmp_path)
    assert _subjects(held) == ["01/walk", "01/jump"]
    everything = split(_config(), tmp_path)[0].points
    # What is left: the clips of 80 frames (02/walk) and of 110 (?/jump).
    starts = np.cumsum([0, 60, 70, 80, 90, 100])
    kept = [everything[s : s + n] for s, n in ((starts[2], 80), (starts[5], 110))]
    torch.testing.assert_close(bank.points, torch.cat(kept))
    assert held is not None
    assert held.lengths.tolist() == [60, 70]


def test_made_motion_joins_the_training_people_s(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    plain, _ = split(_config([{"path": "m.npz", "held_out": ["01"]}]), tmp_path)
    config = _config([{"path": "m.npz", "held_out": ["01"]}])
    made, _ = split(
        config.model_copy(update={"rare_postures": RarePosturesConfig(minutes=0.2, weight=3.0)}), tmp_path
    )
    old = len(plain.points)
    assert torch.equal(made.points[:old], plain.points)
    assert len(made.points) - old >= 0.2 * 60 * 50
    hips = made.points[old:, 2]
    assert float(hips.min()) < 0.6 < float(plain.points[:, 2].min())  # nobody else sits or lies
    heavier, _ = split(
        config.model_copy(update={"rare_postures": RarePosturesConfig(minutes=0.2, weight=6.0)}), tmp_path
    )
    chance, more = (1 - float(bank.cumulative[old - 1]) for bank in (made, heavier))
    assert more / (1 - more) == pytest.approx(2 * chance / (1 - chance))


def test_several_motion_files(tmp_path: Path) -> None:
    write_table(tmp_path / "a.npz", walking_clips()[:2])
    write_table(tmp_path / "b.npz", walking_clips()[2:])
    motions = [{"path": "a.npz"}, {"path": "b.npz", "held_out": ["02"], "weight": 2.0}]
    bank, held = split(_config(motions), tmp_path)
    assert len(bank.points) == 60 + 70 + 90 + 100 + 110
    assert _subjects(held) == ["02/walk"]


def test_nobody_held_out(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    assert split(_config(), tmp_path)[1] is None


def test_splits_that_cannot_be(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    everyone = {"path": "m.npz", "held_out": ["01", "02"], "exclude": ["03", "?"]}
    with pytest.raises(UsageError, match=r"m\.npz: every clip is held out or excluded"):
        split(_config([everyone]), tmp_path)
    twice = {"path": "m.npz", "held_out": ["01"]}
    with pytest.raises(UsageError, match="expected held-out people in one motion file, found them in 2"):
        split(_config([twice, twice]), tmp_path)
    with pytest.raises(InputError, match="no such file"):
        split(_config([{"path": "nowhere.npz"}]), tmp_path)


def test_people_who_are_nowhere_in_the_file_cannot_be_held_out(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    for key in ("held_out", "exclude"):
        with pytest.raises(UsageError, match="99"):
            split(_config([{"path": "m.npz", key: ["99"]}]), tmp_path)


def test_a_batch_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    bank, _ = split(_config(), tmp_path)
    source = SynthesisedBatches(bank, _config())
    assert (source.num_joints_in, source.num_joints_out) == (17, 17)
    assert (source.num_steps, source.steps_per_epoch) == (120, None)
    first = source.sample(5).keypoints
    assert torch.equal(SynthesisedBatches(bank, _config()).sample(5).keypoints, first)
    assert not torch.equal(source.sample(6).keypoints, first)
    other = _config().model_copy(update={"seed": 8})
    assert not torch.equal(SynthesisedBatches(bank, other).sample(5).keypoints, first)


def test_processes_share_a_batch_and_see_different_people(tmp_path: Path) -> None:
    write_table(tmp_path / "m.npz", walking_clips())
    source = SynthesisedBatches(split(_config(), tmp_path)[0], _config())
    shares = [source.sample(5, rank=rank, world_size=2).keypoints for rank in range(2)]
    assert [len(s) for s in shares] == [16, 17]
    assert not torch.isclose(shares[0][:, 0], shares[1][:16, 0]).all((1, 2)).any()
