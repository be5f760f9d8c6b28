"""`videopose evaluate --yardsticks`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from standing import STILL
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel

Command = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tables and a lifter that was trained on person 01 of one of them."""
    points = np.broadcast_to(STILL, (120, 19, 3)).astype(np.float32)
    points[..., 0] += 0.3 * np.sin(np.arange(120) / 9)[:, None]
    for name, people in (("mine", ("01", "02")), ("other", ("a", "b"))):
        MotionCapture(
            points, np.array([60, 60]), 50.0, people, people, ("walk", "walk"), ("made", "made")
        ).save(tmp_path / f"{name}.npz")
    torch.manual_seed(0)
    about = {
        "training_data": ["mine.npz"],
        "held_out_subjects": ["02"],
        "config": {"motions": [{"path": "mine.npz", "held_out": ["02"], "exclude": []}]},
    }
    model = TemporalModel(filter_widths=(3, 3), channels=16).eval()
    Lifter(model, "h36m17", "centred", 30.0, about=about).save(tmp_path / "lifter.safetensors")
    return tmp_path


def _evaluate(videopose: Command, folder: Path, *data: str) -> Any:
    paths = [word for name in data for word in ("--data", folder / name)]
    return videopose("evaluate", folder / "lifter.safetensors", *paths, "--seeds", "1", "--yardsticks")


def test_a_table_of_yardsticks_for_each_motion_capture_table(videopose: Command, folder: Path) -> None:
    done = _evaluate(videopose, folder, "mine.npz", "other.npz")
    assert done.code == 0, done.err
    assert done.out.count("far tenth of the frames") == 2
    for name in ("recombined motion", "cameras at 0.5–1.2 m", "legs hidden", "hips to feet hidden"):
        assert name in done.out
    assert "lifter.safetensors on mine.npz: yardsticks" in done.out


def test_far_poses_need_the_training_motion(videopose: Command, folder: Path) -> None:
    done = _evaluate(videopose, folder, "other.npz")
    assert done.code == 0, done.err
    assert "far tenth" not in done.out
    assert "far poses are left out: --data does not hold all of the lifter's training motion" in done.err


def test_nothing_more_without_the_option(videopose: Command, folder: Path) -> None:
    done = videopose("evaluate", folder / "lifter.safetensors", "--data", folder / "mine.npz", "--seeds", "1")
    assert done.code == 0, done.err
    assert "yardsticks" not in done.out
