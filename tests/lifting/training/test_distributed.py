import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from videopose.errors import UsageError
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.lifting.datasets.recordings import Recording, RecordingSet
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.training.config import RecordedConfig
from videopose.lifting.training.distributed import (
    gather_to_first,
    process_group,
    rank_and_world_size,
    wrap_ddp,
)
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.skeleton import H36M17

# What each of two processes does, with the data and configurations of this file.
WORKER = """
import runpy
import sys
from pathlib import Path

import torch

from videopose.lifting.training.distributed import gather_to_first, process_group, rank_and_world_size
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.lifting.training.lifter_training import train_lifter

folder = Path(sys.argv[1])
test = runpy.run_path(sys.argv[2])

def run(name, dropout, stop=None, resume=False):
    def report(progress):
        if progress.step == stop:
            raise KeyboardInterrupt

    settings = test["config"](dropout)
    source = RecordedBatches(test["data"](), settings)
    measured = []
    model = train_lifter(
        settings, source, folder=folder / name, resume=resume, report=report,
        measure=lambda model, step: measured.append(rank_and_world_size()[0]) or {},
    )
    assert set(measured) <= {0}
    assert gather_to_first(bool(measured)) in ([], [True, False])
    states = gather_to_first(model.state_dict())
    if states:
        torch.save(states, folder / f"{name}.pt")

with process_group("cpu") as device:
    assert device == "cpu"
    assert rank_and_world_size()[1] == 2
    assert gather_to_first(rank_and_world_size()[0]) == ([0, 1] if rank_and_world_size()[0] == 0 else [])
    run("plain", 0.0)
    run("whole", 0.25)
    try:
        run("cut", 0.25, stop=11)
    except KeyboardInterrupt:
        pass
    torch.manual_seed(99)
    run("cut", 0.25, resume=True)
assert rank_and_world_size() == (0, 1)
"""


def data() -> RecordingSet:
    """Two clips of joints that swing."""
    rng = np.random.default_rng(0)
    recordings = []
    camera = CAMERAS["S1"][0]
    assert camera.lens is not None
    for frames in (50, 41):
        phase = rng.normal(size=(1, 17, 3)) + np.arange(frames)[:, None, None] / 15
        pose = camera.extrinsics.to_camera(np.sin(phase) * 0.3 + [0, 0, 1]).astype(np.float32)
        keypoints = camera.lens.project(pose)
        recordings.append(Recording("S1", "Walk", camera, keypoints, pose - pose[:, :1], pose[:, 0]))
    return RecordingSet(tuple(recordings), H36M17, H36M17, 50.0)


def config(dropout: float) -> RecordedConfig:
    return RecordedConfig.model_validate({
        "name": "tiny", "seed": 3, "recordings": {"data_set": "h36m"},
        "model": {"filter_widths": [3, 3], "channels": 16, "dropout": dropout},
        "schedule": {"epochs": 3, "batch": 32, "checkpoint_every": 5, "learning_rate": 5e-3},
    })  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where two processes trained."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "worker.py").write_text(WORKER)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [sys.executable, *launch, folder / "worker.py", folder, __file__]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def _alone(settings: RecordedConfig) -> dict[str, torch.Tensor]:
    """What two processes do, in one: each half of the batch is normalised by itself, gradients are averaged,
    and the first half's running statistics are kept."""
    source = RecordedBatches(data(), settings)
    torch.manual_seed(settings.seed)
    model = TemporalModel(**settings.model.model_dump())
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm1d)]
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)
    for step in range(source.num_steps):
        optimiser.param_groups[0]["lr"], momentum = settings.schedule.at(step, source.num_steps)
        optimiser.zero_grad()
        for rank in (1, 0):
            for norm in norms:
                norm.momentum = momentum if rank == 0 else 0.0
            batch = source.sample(step, rank=rank, world_size=2)
            loss = (model.forward_strided(batch.keypoints) - batch.pose).norm(dim=-1).mean() / 2
            loss.backward()
        optimiser.step()
    return model.state_dict()


def _load(path: Path) -> Any:
    return torch.load(path, weights_only=True)


def test_two_processes_train_what_one_would_with_two_halves_of_a_batch(trained: Path) -> None:
    settings = config(0.0)
    first, second = _load(trained / "plain.pt")
    expected = _alone(settings)
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):  # (which the loop above counts twice a step)
            continue
        torch.testing.assert_close(first[name], tensor, rtol=1e-4, atol=1e-6, msg=name)
        if "running" not in name:
            assert torch.equal(second[name], first[name]), name


def test_only_the_first_process_writes(trained: Path) -> None:
    assert sorted(p.name for p in (trained / "plain").iterdir()) == ["checkpoint.pt"]
    assert not list(trained.glob("**/*.partial*"))


def test_a_resumed_run_ends_in_the_numbers_of_an_uninterrupted_one(trained: Path) -> None:
    for whole, resumed in zip(_load(trained / "whole.pt"), _load(trained / "cut.pt"), strict=True):
        for name, tensor in whole.items():
            assert torch.equal(resumed[name], tensor), name


def test_processes_drop_other_activations(trained: Path) -> None:
    (one, _), (other, _) = _load(trained / "whole" / "checkpoint.pt")["random"]
    assert not torch.equal(one, other)


def test_a_process_on_its_own() -> None:
    with process_group("cpu") as device:
        assert device == "cpu"
    assert rank_and_world_size() == (0, 1)
    assert gather_to_first("mine") == ["mine"]
    module = torch.nn.Linear(2, 2)
    assert wrap_ddp(module, "cpu") is module


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("LOCAL_RANK", "99")
    with pytest.raises(UsageError, match="GPUs for more processes"), process_group("cuda"):
        pass
