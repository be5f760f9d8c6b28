import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from videopose.errors import InputError
from videopose.lifting.datasets.human36m import project_all
from videopose.lifting.datasets.videopose3d_files import save_positions_3d
from videopose.lifting.inference.lifter import Lifter
from videopose.pipeline.progress import no_progress
from videopose.pipeline.training.train_lifter import run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people of Human3.6M's cameras, whose joints swing, and a configuration that is quick to train."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    positions = {}
    for subject, clips in {"S1": {"Walking": 60, "Eating": 41}, "S9": {"Walking 1": 30}}.items():
        positions[subject] = {}
        for action, frames in clips.items():
            phase = rng.normal(size=(1, 32, 3)) + np.arange(frames)[:, None, None] / 15
            positions[subject][action] = (np.sin(phase) * 0.3 + [0, 0, 1]).astype(np.float32)
    save_positions_3d(folder / "data_3d_h36m.npz", positions)
    project_all(positions).save(folder / "data_2d_h36m_gt.npz")
    (folder / "tiny.yaml").write_text(yaml.safe_dump({
        "recordings": {"data_set": "h36m", "train_subjects": ["S1"], "test_subjects": ["S9"]},
        "model": {"filter_widths": [3, 3], "channels": 16},
        "schedule": {"epochs": 3, "batch": 128, "checkpoint_every": 5},
    }))  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(data / "tiny.yaml", data, folder, progress=no_progress) == folder / "lifter.safetensors"
    return folder


def test_a_lifter_that_says_what_it_is(whole: Path) -> None:
    assert sorted(p.name for p in whole.iterdir()) == ["checkpoint.pt", "curves.png", "lifter.safetensors"]
    lifter = Lifter.load(whole / "lifter.safetensors")
    assert (lifter.layout, lifter.input_space, lifter.rate) == ("h36m17", "screen", 50)
    about = lifter.about
    assert about["name"] == "tiny"
    assert about["training_data"] == ["h36m, gt keypoints"]
    assert (about["training_subjects"], about["held_out_subjects"]) == (["S1"], ["S9"])
    assert "does not allow commercial use" in about["licence"]
    errors = about["held_out_errors_mm"]
    assert errors["frames"] == 4 * 30
    assert 0 < errors["p_mpjpe"] < errors["mpjpe"] < 1000


def test_curves_have_a_point_an_epoch(whole: Path) -> None:
    state = torch.load(whole / "checkpoint.pt", weights_only=True)["state"]
    steps = -(-2 * 4 * (60 + 41) // 128)
    assert state["step"] == 3 * steps
    assert len(state["losses"]) == 3
    assert [step for step, _ in state["history"]] == [steps, 2 * steps, 3 * steps]
    about = Lifter.load(whole / "lifter.safetensors").about
    assert state["history"][-1][1] == about["held_out_errors_mm"]
    curves = cv2.imread(str(whole / "curves.png"))
    assert curves is not None
    for colour in ((178, 114, 0), (0, 94, 213), (115, 158, 0)):  # BGR of the three curves
        assert (np.abs(curves.astype(int) - colour).max(-1) < 40).sum() > 50


def test_resuming_ends_in_the_lifter_and_curves_of_an_uninterrupted_run(
    whole: Path, data: Path, tmp_path: Path
) -> None:
    @contextmanager
    def power_cut(description: str, total: int | None) -> Iterator[Any]:
        done: list[int] = []

        def advance(count: int = 1) -> None:
            done.append(count)
            if sum(done) == 12:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        run(data / "tiny.yaml", data, tmp_path, progress=power_cut)
    run(data / "tiny.yaml", data, tmp_path, progress=no_progress, resume=True)
    first, second = (Lifter.load(folder / "lifter.safetensors") for folder in (tmp_path, whole))
    assert (first.digest(), first.about) == (second.digest(), second.about)
    assert (tmp_path / "curves.png").read_bytes() == (whole / "curves.png").read_bytes()


def test_what_is_missing_is_said_in_one_line(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data_2d_h36m_cpn\.npz: no such file"):
        run(data / "tiny.yaml", data, tmp_path, overrides=["recordings.keypoints=cpn"], progress=no_progress)


@pytest.mark.slow
def test_several_processes_write_and_print_once(data: Path, tmp_path: Path) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "videopose"]
    words = ["train", data / "tiny.yaml", "--data", data, "-o", tmp_path, "--device", "cpu"]
    done = subprocess.run([sys.executable, *launch, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'lifter.safetensors'}\n"
    assert done.stderr.count("epoch 3: held-out MPJPE") == 1
    errors = Lifter.load(tmp_path / "lifter.safetensors").about["held_out_errors_mm"]
    assert 0 < errors["mpjpe"] < 1000
