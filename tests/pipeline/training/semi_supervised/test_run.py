import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from videopose.errors import InputError, NoPeopleError, OutputError, UsageError
from videopose.lifting.datasets.human36m import project_all
from videopose.lifting.datasets.videopose3d_files import save_positions_3d
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.cli.semi_train import semi_train
from videopose.pipeline.inference.infer import Networks, infer_file
from videopose.pipeline.inference.options import InferOptions
from videopose.pipeline.progress import no_progress
from videopose.pipeline.training.semi_supervised.run import SemiOptions, run

Write = Callable[..., Path]
STANDING = [
    (0.0, 0.0, 0.0), (-0.12, 0, 0), (-0.12, 0.43, 0), (-0.12, 0.86, 0), (0.12, 0, 0), (0.12, 0.43, 0),
    (0.12, 0.86, 0), (0, -0.24, 0), (0, -0.5, 0), (0, -0.6, -0.07), (0, -0.75, 0), (0.18, -0.5, 0),
    (0.2, -0.2, 0), (0.22, 0.05, 0), (-0.18, -0.5, 0), (-0.2, -0.2, 0), (-0.22, 0.05, 0),
]  # fmt: skip


@pytest.fixture(scope="module")
def h36m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people of Human3.6M's cameras, whose joints swing, and a recipe that is quick to train."""
    folder = tmp_path_factory.mktemp("h36m")
    rng = np.random.default_rng(0)
    positions: dict[str, dict[str, NDArray[np.float32]]] = {}
    for subject, frames in {"S1": 60, "S5": 50, "S9": 30}.items():
        phase = rng.normal(size=(1, 32, 3)) + np.arange(frames)[:, None, None] / 15
        positions[subject] = {"Walking": (np.sin(phase) * 0.3 + [0, 0, 1]).astype(np.float32)}
    save_positions_3d(folder / "data_3d_h36m.npz", positions)
    project_all(positions).save(folder / "data_2d_h36m_gt.npz")
    recipe = {
        "recordings": {"data_set": "h36m", "train_subjects": ["S1"], "test_subjects": ["S9"], "subset": 0.5},
        "model": {"filter_widths": [3, 3], "channels": 16},
        "schedule": {"epochs": 3, "batch": 128},
        "semi": {"subjects": ["S5"], "joints": "all"},
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def _on_h36m(folder: Path, output: Path, *overrides: str, **options: Any) -> Path | None:
    chosen = SemiOptions(labeled=folder, recipe=str(folder / "tiny.yaml"), overrides=overrides)
    return run(chosen, output, failed=_raise, progress=no_progress, **options)


def _raise(error: Exception) -> None:
    raise error


def test_the_papers_experiments(h36m: Path, tmp_path: Path) -> None:
    result = _on_h36m(h36m, tmp_path / "out")
    assert result == tmp_path / "out" / "lifter.safetensors"
    assert (tmp_path / "out" / "curves.png").stat().st_size > 5000
    lifter = Lifter.load(result)
    assert (lifter.layout, lifter.input_space, lifter.rate) == ("h36m17", "screen", 50)
    assert lifter.trajectory is not None
    about = lifter.about
    assert (about["training_subjects"], about["unlabeled_subjects"]) == (["S1"], ["S5"])
    assert about["held_out_subjects"] == ["S9"]
    assert about["held_out_errors_mm"]["mpjpe"] > 0
    assert "does not allow commercial use" in about["licence"]

    with pytest.raises(OutputError, match="--resume goes on"):
        _on_h36m(h36m, tmp_path / "out")
    resumed = _on_h36m(h36m, tmp_path / "out", resume=True)
    assert resumed is not None
    assert Lifter.load(resumed).digest() == lifter.digest()
    assert Lifter.load(resumed).about["held_out_errors_mm"] == about["held_out_errors_mm"]


def test_many_labels_take_weight_from_footage(
    h36m: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = 60 // 2 * 4  # half of S1, four cameras
    rule = f"semi.full_weight_frames={frames // 4}"
    by_rule = _on_h36m(h36m, tmp_path / "rule", rule)
    assert by_rule is not None
    assert f"25 % of their weights: there are more than {rule} labeled frames" in capsys.readouterr().err
    by_hand = _on_h36m(h36m, tmp_path / "hand", "semi.reprojection=0.25", "semi.bones=0.25")
    whole = _on_h36m(h36m, tmp_path / "whole", f"semi.full_weight_frames={frames}")
    assert by_hand is not None
    assert whole is not None
    assert " % of their weights" not in capsys.readouterr().err
    weights = [Lifter.load(path).model.shrink.weight for path in (by_rule, by_hand, whole)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    kept = Lifter.load(by_rule).about["config"]["semi"]
    assert (kept["full_weight_frames"], kept["reprojection"]) == (frames // 4, 1)


@pytest.mark.slow
def test_two_processes_write_and_print_once(h36m: Path, tmp_path: Path) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "videopose"]
    words = ["semi-train", "--labeled", h36m, "--recipe", h36m / "tiny.yaml", "-o", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, *launch, *words, "--device", "cpu"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'out' / 'lifter.safetensors'}\n"
    assert done.stderr.count("learning from ") == 1
    assert (
        0 < Lifter.load(tmp_path / "out" / "lifter.safetensors").about["held_out_errors_mm"]["mpjpe"] < 2000
    )


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (("semi.subjects=[S1]",), "S1 cannot be both unlabeled and labeled"),
        (("semi.subjects=[S9]",), "S9 cannot be both"),
        (("semi.subjects=[]",), "say whose keypoints"),
        (("semi.weight=1",), "semi.weight: there is no such key"),
        (("semi.bones=-1",), r"semi\.bones"),
    ],
)
def test_recipes_that_make_no_sense(
    h36m: Path, tmp_path: Path, overrides: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        _on_h36m(h36m, tmp_path, *overrides)
    assert not any(tmp_path.iterdir())


def test_options_that_do_not_go_together(h36m: Path, tmp_path: Path, clip: Path) -> None:
    tiny = str(h36m / "tiny.yaml")
    for options, complaint in (
        (SemiOptions(), "see --unlabeled"),
        (SemiOptions(recipe=tiny), "--labeled FOLDER"),
        (SemiOptions(recipe="nothing"), "no recipe 'nothing'.*h36m-s1-1pc"),
        (SemiOptions(recipe=tiny, unlabeled=(clip,)), "takes no --unlabeled"),
    ):
        with pytest.raises(UsageError, match=complaint):
            run(options, tmp_path, failed=_raise, progress=no_progress)
    assert not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is quick, and takes everybody to stand upright before the camera."""
    path = tmp_path_factory.mktemp("lifter") / "tiny.safetensors"
    model = TemporalModel(filter_widths=(3, 3), channels=16).eval()
    model.shrink.weight.data *= 0.01
    model.shrink.bias.data = torch.tensor(STANDING).flatten()
    Lifter(model, "h36m17", "centred", 30.0, about={"licence": "anybody's"}).save(path)
    return path


@pytest.fixture(scope="module")
def videos(images: Any, write_video: Write, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slow clip, a smaller and slower one of a second, an empty one, and a file that is no video."""
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "good.mp4", images, stamps=[i / 20 for i in range(46)])
    small = [image[:, 100:500] for image in images[:16]]
    write_video(folder / "small.mp4", small, stamps=[i / 15 for i in range(16)])
    write_video(folder / "empty.mp4", [np.zeros((96, 128, 3), np.uint8)] * 8)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


QUICK = ("schedule.steps=6", "schedule.batch=16", "schedule.checkpoint_every=2", "semi.warmup=2")


def _arguments(videos: Path, lifter: Path, output: Path) -> list[str]:
    sets = [part for each in QUICK for part in ("--set", each)]
    names = ["--unlabeled", str(videos), "--lifter", str(lifter), "--output", str(output)]
    return [*names, *sets, "--set", "semi.held_out=0.48"]


@pytest.fixture(scope="module")
def done(videos: Path, lifter: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A finished run, and what it said."""
    output = tmp_path_factory.mktemp("done")
    return output, CliRunner().invoke(semi_train, _arguments(videos, lifter, output), standalone_mode=False)


def test_a_folder_of_videos(done: tuple[Path, Result], lifter: Path) -> None:
    output, result = done
    assert result.exception is None
    assert result.return_value == 7  # some failed
    errors = [line for line in result.output.splitlines() if line.startswith("error:")]
    assert len(errors) == 2
    assert "broken.mp4" in errors[0]
    assert "empty.mp4: no person was found" in errors[1]
    assert (
        "labeled half: no labeled motion was given; the motion in the videos, as the starting lifter"
        in result.output
    )
    names = sorted(p.name for p in output.iterdir())
    assert names == ["checkpoint.pt", "curves.png", "detections", "lifter.safetensors", "report.md"]
    assert sorted(p.name for p in (output / "detections").iterdir()) == ["good.2d.npz", "small.2d.npz"]
    table = PoseTable.load(output / "detections" / "good.2d.npz")
    assert np.isnan(table.pose).all()
    report = (output / "report.md").read_text()
    assert "| 2D reprojection error, pixels |" in report
    assert "not learned from: 22 frames" in report or "not learned from: 44 frames" in report
    assert "nan" not in report.split("Started")[0]
    assert "| good.mp4 | 2 | 4.5 | assumed: 60°" in report
    assert "Left out:\n\n- broken.mp4" in report
    assert "- empty.mp4: no person was found in any of its 8 frames" in report

    trained, start = Lifter.load(output / "lifter.safetensors"), Lifter.load(lifter)
    assert trained.digest() != start.digest()
    assert trained.trajectory is not None
    assert (trained.input_space, trained.rate) == (start.input_space, start.rate)
    about = trained.about
    assert about["licence"] == "anybody's"
    assert "was used instead" in about["labeled"]
    assert [video["name"] for video in about["videos"]] == ["good.mp4", "small.mp4"]
    assert about["started_from"]["sha256"] == start.digest()


def test_infer_takes_the_lifter(done: tuple[Path, Result], videos: Path) -> None:
    options = InferOptions(lifter=str(done[0] / "lifter.safetensors"), people=1)
    table = infer_file(videos / "small.mp4", options, networks=Networks.load(options))
    assert np.isfinite(table.pose).all()


def test_a_lifter_that_reads_which_joints_are_visible(
    done: tuple[Path, Result], videos: Path, tmp_path: Path
) -> None:
    """It learns from people whose ankles were not detected."""
    model = TemporalModel(filter_widths=(3, 3), channels=16, in_features=3).eval()
    model.shrink.weight.data *= 0.01
    model.shrink.bias.data = torch.tensor(STANDING).flatten()
    start = Lifter(model, "h36m17", "centred-visible", 20.0)
    start.save(tmp_path / "start.safetensors")
    shutil.copytree(done[0] / "detections", tmp_path / "out" / "detections")
    for path in (tmp_path / "out" / "detections").iterdir():
        table = PoseTable.load(path)
        table.keypoints[:, -2:, 2] = 0
        table.save(path)
    good = (videos / "good.mp4",)
    options = SemiOptions(unlabeled=good, lifter=str(tmp_path / "start.safetensors"), overrides=QUICK)
    result = run(options, tmp_path / "out", failed=_raise, progress=no_progress)
    assert result is not None
    trained = Lifter.load(result)
    assert (trained.input_space, trained.model.in_features) == ("centred-visible", 3)
    assert trained.digest() != start.digest()
    lifted = infer_file(videos / "small.mp4", InferOptions(lifter=str(result)))
    assert np.isfinite(lifted.pose).all()


def test_people_are_found_once_and_a_resumed_run_ends_in_the_same_lifter(
    done: tuple[Path, Result], videos: Path, lifter: Path, tmp_path: Path
) -> None:
    first, output = done[0], tmp_path / "out"
    shutil.copytree(first / "detections", output / "detections")
    good = tmp_path / "videos"
    good.mkdir()
    for name in ("good.mp4", "small.mp4"):
        shutil.copy(videos / name, good)
    options = SemiOptions(unlabeled=(good,), lifter=str(lifter), overrides=(*QUICK, "semi.held_out=0.48"))
    stages: list[str] = []

    def stop_at(last: int) -> Any:
        @contextmanager
        def stage(description: str, total: int | None) -> Iterator[Any]:
            stages.append(description)
            done = 0

            def advance(count: int = 1) -> None:
                nonlocal done
                done += count
                if done == last:
                    raise KeyboardInterrupt

            yield advance

        return stage

    with pytest.raises(KeyboardInterrupt):
        run(options, output, failed=_raise, progress=stop_at(5))
    assert not (output / "lifter.safetensors").exists()
    with pytest.raises(OutputError, match=r"checkpoint\.pt exists"):
        run(options, output, failed=_raise, progress=no_progress)
    result = run(options, output, resume=True, failed=_raise, progress=stop_at(-1))
    assert stages == ["training"] * 2  # nobody was looked for again
    assert result is not None
    assert Lifter.load(result).digest() == Lifter.load(first / "lifter.safetensors").digest()

    other = SemiOptions(unlabeled=(good / "good.mp4",), lifter=str(lifter), overrides=options.overrides)
    with pytest.raises(InputError, match="another configuration"):
        run(other, output, resume=True, failed=_raise, progress=no_progress)


def test_labeled_motion_is_used_where_there_is_some(
    done: tuple[Path, Result], videos: Path, lifter: Path, h36m: Path, tmp_path: Path
) -> None:
    shutil.copytree(done[0] / "detections", tmp_path / "out" / "detections")
    options = SemiOptions(
        unlabeled=(videos / "good.mp4",),
        labeled=h36m / "data_3d_h36m.npz",
        lifter=str(lifter),
        overrides=QUICK,
    )
    result = run(options, tmp_path / "out", failed=_raise, progress=no_progress)
    assert result is not None
    about = Lifter.load(result).about
    assert about["labeled"] == "motion capture from data_3d_h36m.npz"
    assert "does not allow commercial use" in about["licence"]
    assert "which was not learned from: 20 frames" in (tmp_path / "out" / "report.md").read_text()


def test_nobody_in_any_video(videos: Path, lifter: Path, tmp_path: Path) -> None:
    complaints: list[Exception] = []
    options = SemiOptions(unlabeled=(videos / "empty.mp4",), lifter=str(lifter))
    with pytest.raises(NoPeopleError, match="no person was found in any"):
        run(options, tmp_path / "out", failed=complaints.append, progress=no_progress)
    options = SemiOptions(unlabeled=(videos / "broken.mp4",), lifter=str(lifter))
    with pytest.raises(InputError, match="none of the unlabeled videos can be used"):
        run(options, tmp_path / "out", failed=complaints.append, progress=no_progress)
    assert [type(e) for e in complaints] == [NoPeopleError, InputError]


def test_a_lifter_that_reads_other_keypoints(videos: Path, tmp_path: Path) -> None:
    path = tmp_path / "coco.safetensors"
    Lifter(TemporalModel(filter_widths=(3,), channels=4).eval(), "coco17", "screen", 50).save(path)
    with pytest.raises(UsageError, match="reads coco17"):
        run(SemiOptions(unlabeled=(videos,), lifter=str(path)), tmp_path, failed=_raise, progress=no_progress)
