import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from standing import STILL
from videopose.errors import InputError, OutputError, UsageError
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.output_lock import output_lock
from videopose.pipeline.progress import no_progress
from videopose.pipeline.training.train_lifter import run

Run = Callable[..., Any]

PEOPLE = ["01", "01", "02"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A motion-capture table of people who swing their legs, and a configuration that is quick to train."""
    folder = tmp_path_factory.mktemp("data")
    clips = []
    for number in range(len(PEOPLE)):
        phase = np.arange(70) / 50 * (1 + number / 4)
        positions = np.broadcast_to(STILL, (70, 19, 3)).copy()
        positions[:, [3, 6], 0] += 0.35 * np.sin(2 * np.pi * phase)[:, None] * [1, -1]
        positions[..., 0] += phase[:, None]
        clips.append(positions)
    deltas = [np.diff(np.round(c * 1000), axis=0, prepend=0).reshape(-1, 57).T for c in clips]
    np.savez_compressed(
        folder / "m.npz",
        delta=np.concatenate(deltas, 1).astype(np.int16),
        length=np.array([70] * len(PEOPLE)),
        fps=50.0,
        name=np.array([f"{s}_walk" for s in PEOPLE]),
        subject=np.array(PEOPLE),
        action=np.array(["walk"] * len(PEOPLE)),
        source=np.array(["made"] * len(PEOPLE)),
    )
    (folder / "tiny.yaml").write_text(yaml.safe_dump({
        "name": "tiny", "licence": "CC0", "acknowledgement": "nobody",
        "motions": [{"path": "m.npz", "held_out": ["02"]}], "precision": "float32",
        "model": {"filter_widths": [3, 3], "channels": 16},
        "schedule": {"batch": 16, "steps": 120, "checkpoint_every": 20, "measure_every": 60},
    }))  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(data / "tiny.yaml", data, folder, progress=no_progress) == folder / "lifter.safetensors"
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _same_lifter(one: Path, other: Path) -> bool:
    """By weights and by what they say of themselves (safetensors writes its header in any order)."""
    first, second = (Lifter.load(folder / "lifter.safetensors") for folder in (one, other))
    return (first.digest(), first.about) == (second.digest(), second.about)


def test_a_lifter_and_its_curves(whole: Path) -> None:
    assert sorted(_files(whole)) == ["checkpoint.pt", "curves.png", "lifter.safetensors"]
    curves = cv2.imread(str(whole / "curves.png"))
    assert curves is not None
    assert curves.shape[1] > curves.shape[0] > 300
    for colour in ((178, 114, 0), (0, 94, 213), (115, 158, 0)):  # BGR of the three curves
        assert (np.abs(curves.astype(int) - colour).max(-1) < 40).sum() > 50


def test_the_lifter_says_what_it_is(whole: Path, data: Path) -> None:
    lifter = Lifter.load(whole / "lifter.safetensors")
    assert (lifter.layout, lifter.rate) == ("h36m17", 30.0)
    assert (lifter.model.filter_widths, lifter.model.channels) == ((3, 3), 16)
    about = lifter.about
    assert (about["name"], about["licence"], about["acknowledgement"]) == ("tiny", "CC0", "nobody")
    assert (about["training_data"], about["held_out_subjects"]) == (["m.npz"], ["02"])
    assert about["config"]["schedule"]["steps"] == 120
    errors = about["held_out_errors_mm"]
    assert set(errors) > {"mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "frames"}
    assert errors["frames"] == 3 * int(
        69 / 50 * 30 + 1
    )  # three cameras, one clip of 70 frames at 50 a second
    assert 0 < errors["p_mpjpe"] < errors["mpjpe"] < 1000


@pytest.mark.slow
def test_several_processes_write_and_print_once(data: Path, tmp_path: Path) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "videopose"]
    words = ["train", str(data / "tiny.yaml"), "--data", str(data), "-o", str(tmp_path), "--device", "cpu"]
    done = subprocess.run([sys.executable, *launch, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'lifter.safetensors'}\n"
    assert done.stderr.count("held-out MPJPE") == 2  # after 60 and 120 steps
    assert sorted(_files(tmp_path)) == ["checkpoint.pt", "curves.png", "lifter.safetensors"]
    assert 0 < Lifter.load(tmp_path / "lifter.safetensors").about["held_out_errors_mm"]["mpjpe"] < 1000


def test_a_second_run_in_the_same_folder(data: Path, tmp_path: Path) -> None:
    with (
        output_lock([tmp_path / "lifter.safetensors"], "videopose train other.yaml"),
        pytest.raises(OutputError, match=r"made by another run \(process \d+ on .*: videopose train other"),
    ):
        run(data / "tiny.yaml", data, tmp_path, progress=no_progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [45, 101])
def test_resuming_ends_in_the_lifter_of_an_uninterrupted_run(
    stop: int, whole: Path, data: Path, tmp_path: Path
) -> None:
    @contextmanager
    def power_cut(description: str, total: int | None) -> Iterator[Any]:
        counts: list[int] = []

        def advance(count: int = 1) -> None:
            counts.append(count)
            if sum(counts) == stop:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        run(data / "tiny.yaml", data, tmp_path, progress=power_cut)
    assert list(_files(tmp_path)) == ["checkpoint.pt"]
    told: list[int] = []

    @contextmanager
    def stage(description: str, total: int | None) -> Iterator[Any]:
        assert total == 120
        yield lambda count=1: told.append(count)

    run(data / "tiny.yaml", data, tmp_path, progress=stage, resume=True)
    assert told[0] == stop // 20 * 20 + 1  # straight to where it was
    assert sum(told) == 120
    assert _same_lifter(tmp_path, whole)


def test_resuming_what_is_finished_spoils_nothing(whole: Path, data: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    run(data / "tiny.yaml", data, tmp_path, progress=no_progress, resume=True)
    assert _same_lifter(tmp_path, whole)
    assert _files(tmp_path)["curves.png"] == _files(whole)["curves.png"]


@pytest.mark.parametrize("present", ["lifter.safetensors", "checkpoint.pt"])
def test_what_is_there_is_not_overwritten(present: str, data: Path, tmp_path: Path) -> None:
    (tmp_path / present).write_text("mine")
    with pytest.raises(OutputError) as caught:
        run(data / "tiny.yaml", data, tmp_path, progress=no_progress)
    for part in (present, "--resume goes on from a checkpoint", "--overwrite begins anew"):
        assert part in str(caught.value)
    assert _files(tmp_path) == {present: b"mine"}
    run(
        data / "tiny.yaml",
        data,
        tmp_path,
        progress=no_progress,
        overwrite=True,
        overrides=["schedule.steps=2"],
    )
    assert _files(tmp_path)[present] != b"mine"


def test_the_command_line_trains_a_lifter_that_infer_takes(
    data: Path, clip: Path, tmp_path: Path, videopose: Run
) -> None:
    words = ["--set", "schedule.steps=50", "--set", "motions=[{path: m.npz}]", "--device", "cpu"]
    done = videopose("train", data / "tiny.yaml", "--data", data, "--output", tmp_path / "run", *words)
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / 'run' / 'lifter.safetensors'}\n"
    assert " 50/50 " in done.err
    assert " steps/s " in done.err
    lifter = Lifter.load(tmp_path / "run" / "lifter.safetensors")
    assert lifter.about["held_out_errors_mm"] is None  # nobody was held out

    words = ["--lifter", str(tmp_path / "run" / "lifter.safetensors"), "--end", "0.2", "--no-render"]
    done = videopose("infer", clip, "--output", tmp_path, *words)
    assert done.code == 0, done.err
    table = PoseTable.load(tmp_path / "clip.npz")
    assert table.meta["lifter"] == {"name": words[1], "sha256": lifter.digest()}
    assert np.isfinite(table.pose).all()

    again = videopose("train", data / "tiny.yaml", "--data", data, "--output", tmp_path / "run")
    assert again.code == 5
    assert "lifter.safetensors exists" in again.errors[0]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"overrides": ["schedule.steps"]}, UsageError, "--set takes NAME=VALUE, not 'schedule.steps'"),
        ({"overrides": ["=5"]}, UsageError, "--set takes NAME=VALUE"),
        ({"overrides": ["name=[1, 2"]}, UsageError, r"--set name=\[1, 2: not a value"),
        ({"overrides": ["schedule.stps=5"]}, UsageError, r"schedule\.stps"),
        ({"overrides": ["schedule.steps=many"]}, UsageError, r"schedule\.steps"),
        ({"config_path": "none.yaml"}, InputError, r"none\.yaml: no such file"),
        ({"data": "nowhere"}, InputError, r"m\.npz: no such file"),
        ({"resume": True}, InputError, "nothing to resume: .*checkpoint.pt does not exist"),
        ({"device": "toaster"}, UsageError, "--device toaster cannot be used here"),
        ({"output": "/proc/nowhere"}, OutputError, "cannot write to /proc/nowhere"),
    ],
    ids=str,
)
def test_what_cannot_be_trained(
    change: dict[str, Any], kind: type[Exception], message: str, data: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"config_path": data / "tiny.yaml", "data": data, "output": tmp_path / "run"}
    options |= {k: Path(v) if k in ("config_path", "data", "output") else v for k, v in change.items()}
    with pytest.raises(kind, match=message):
        run(**options, progress=no_progress)
    assert list(tmp_path.iterdir()) == []


def test_a_lifter_that_reads_visibility_begins_with_one_that_does_not(
    whole: Path, data: Path, tmp_path: Path
) -> None:
    """With the learning rate next to nothing the answers stay those of the start."""
    overrides = [
        "input_space=centred-visible",
        "picture={limbs: 0.3}",
        f"start={whole / 'lifter.safetensors'}",
        "schedule.steps=1",
        "schedule.learning_rate=1e-12",
        "schedule.final_learning_rate=1e-12",
        "schedule.momentum=1e-9",
        "schedule.final_momentum=1e-9",
    ]
    result = run(data / "tiny.yaml", data, tmp_path / "run", overrides=overrides, progress=no_progress)
    assert result is not None
    lifter, start = Lifter.load(result), Lifter.load(whole / "lifter.safetensors")
    assert (lifter.input_space, lifter.model.in_features) == ("centred-visible", 3)
    for name in ("mpjpe", "p_mpjpe"):
        errors = [each.about["held_out_errors_mm"][name] for each in (lifter, start)]
        assert errors[0] == pytest.approx(errors[1], abs=0.05)
