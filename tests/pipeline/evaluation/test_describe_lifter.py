import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from videopose.errors import InputError, UsageError
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter, pretrained_lifters
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.pipeline.cli.main import cli
from videopose.pipeline.evaluation.describe_lifter import describe

ABOUT = {
    "name": "mine",
    "training_data": ["a.npz", "b.npz"],
    "licence": "Apache-2.0",
    "acknowledgement": "The data used in this project was obtained from [somewhere].",
    "held_out_subjects": ["02", "06"],
    "held_out_errors_mm": {"mpjpe": 61.24, "p_mpjpe": 45.0, "n_mpjpe": 58.1, "mpjve": 9.87, "frames": 100},
    "measured_with": "three random cameras",
    "config": {"seed": 0},
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def _save(path: Path, **changes: Any) -> Lifter:
    model = TemporalModel(filter_widths=(3, 3, 3), channels=1024, causal=True, dropout=0.1)
    values: dict[str, Any] = {"layout": "h36m17", "input_space": "centred", "rate": 30.0, "about": ABOUT}
    lifter = Lifter(model, **values | changes)
    lifter.save(path)
    return lifter


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["inspect", *arguments], prog_name="videopose")


def test_everything_that_the_file_tells(here: Path) -> None:
    lifter = _save(here / "mine.safetensors")
    result = _run("mine.safetensors")
    assert result.exit_code == 0, result.output
    rows = {}
    for line in result.stdout.splitlines()[1:-1]:
        _, name, value, _ = (cell.strip() for cell in line.split("│"))
        rows[name] = value
    assert rows == {
        "file": "mine.safetensors (videopose)",
        "architecture": "filter widths 3 · 3 · 3, 1024 channels, dilated, causal (looks at the past only), "
        "dropout 0.1",
        "receptive field": "27 frames, 0.90 s at its rate",
        "parameters": "8.56 M",
        "FLOPs a frame": "17.09 M; twice as many with flip augmentation",
        "input": "17 keypoints (h36m17), rays centred on the hip, scaled to unit size",
        "output": "17 joints",
        "frame rate": "30 a second",
        "training data": "a.npz, b.npz",
        "held-out people": "02, 06",
        "held-out errors": "MPJPE 61.2, P-MPJPE 45.0, N-MPJPE 58.1, MPJVE 9.9 mm (MPJVE: mm a frame); "
        "three random cameras",
        "licence": "Apache-2.0",
        "acknowledgement": "The data used in this project was obtained from [somewhere].",
        "sha256, weights": lifter.digest(),
        "sha256, file": hashlib.sha256((here / "mine.safetensors").read_bytes()).hexdigest(),
        "name": "mine",
    }


def test_json_for_programs(here: Path) -> None:
    lifter = _save(here / "mine.safetensors")
    told = json.loads(_run("mine.safetensors", "--json").stdout)
    assert told["model"] == {
        "filter_widths": [3, 3, 3], "channels": 1024, "causal": True, "dense": False, "dropout": 0.1,
        "joints_in": 17, "joints_out": 17,
    }  # fmt: skip
    assert told["receptive_field"] == {"frames": 27, "seconds": pytest.approx(0.9)}
    assert (told["parameters"], told["flops_per_frame"]) == (8_555_571, 17_090_560)
    assert told["input"] == {"layout": "h36m17", "space": "centred"}
    assert (told["rate"], told["trajectory"]) == (30, None)
    assert told["sha256"]["weights"] == lifter.digest()
    for key in ("training_data", "licence", "acknowledgement", "held_out_subjects", "held_out_errors_mm"):
        assert told[key] == ABOUT[key]
    assert told["about"] == {"name": "mine"}  # the configuration is the file's own business


def test_a_trajectory_model_is_counted_apart(here: Path) -> None:
    root = TemporalModel(filter_widths=(3, 3, 3), channels=4, causal=True, num_joints_out=1)
    _save(here / "mine.safetensors", trajectory=root)
    told = describe("mine.safetensors")
    assert told["parameters"] == 8_555_571
    assert told["trajectory"]["parameters"] == sum(p.numel() for p in root.parameters())
    assert "trajectory model" in _run("mine.safetensors").stdout


def test_what_a_file_does_not_tell_is_said(here: Path) -> None:
    _save(here / "bare.safetensors", rate=None, about={}, input_space="screen", layout="coco17")
    shown = _run("bare.safetensors").stdout
    assert shown.count("not known") == 6
    assert "27 frames │" in " ".join(shown.split())
    told = json.loads(_run("bare.safetensors", "--json").stdout)
    assert told["rate"] is told["receptive_field"]["seconds"] is told["licence"] is None


def test_a_published_checkpoint(here: Path) -> None:
    model = TemporalModel(filter_widths=(3, 3, 3), dense=True, channels=16)
    torch.save({"model_pos": model.state_dict()}, here / "detectron_coco.bin")
    told = json.loads(_run("detectron_coco.bin", "--json").stdout)
    assert told["format"] == "VideoPose3D checkpoint"
    assert (told["model"]["dense"], told["model"]["dropout"], told["model"]["causal"]) == (True, None, False)
    assert told["input"] == {"layout": "coco17", "space": "screen"}
    assert told["receptive_field"] == {"frames": 27, "seconds": pytest.approx(0.54)}
    shown = _run("detectron_coco.bin", "--lifter-causal", "--lifter-layout", "h36m17").stdout
    assert "dense, causal" in shown
    assert "h36m17" in shown
    assert "dropout" not in shown


@pytest.mark.parametrize("name", list(pretrained_lifters()))
def test_shipped_lifters_by_name(name: str) -> None:
    told = describe(name)
    lifter = load_lifter(name)
    assert told["file"] == str(pretrained_lifters()[name])
    assert told["sha256"]["weights"] == lifter.digest()
    assert told["receptive_field"]["frames"] == lifter.model.receptive_field


def test_unknown_and_damaged_lifters_are_one_line(here: Path) -> None:
    result = _run("nobody")
    assert isinstance(result.exception, UsageError)
    assert "known: causal, default" in str(result.exception)
    (here / "bad.safetensors").write_bytes(b"no weights")
    result = _run("bad.safetensors")
    assert isinstance(result.exception, InputError)
    assert "bad.safetensors is not a lifter" in str(result.exception)
