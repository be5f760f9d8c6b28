"""What `semi-train` says of folders that are not as they should be; people are put where they are found."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from videopose.errors import InputError, NoPeopleError, OutputError, UsageError
from videopose.files import file_digest
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.pipeline.cli.semi_train import semi_train
from videopose.pipeline.inference.options import DetectOptions
from videopose.pipeline.progress import no_progress
from videopose.pipeline.training.semi_supervised.find_people import _key
from videopose.pipeline.training.semi_supervised.run import SemiOptions, run

Write = Callable[..., Path]
SIZE = (128, 96)
# Somebody who faces the camera: H36M17 and the ears, camera space, metres, the hip at 0.
STANDING = np.array([
    (0, 0, 0), (-0.12, 0, 0), (-0.12, 0.43, 0), (-0.12, 0.86, 0), (0.12, 0, 0), (0.12, 0.43, 0),
    (0.12, 0.86, 0), (0, -0.24, 0), (0, -0.5, 0), (0, -0.6, -0.07), (0, -0.75, 0), (0.18, -0.5, 0),
    (0.2, -0.2, 0), (0.22, 0.05, 0), (-0.18, -0.5, 0), (-0.2, -0.2, 0), (-0.22, 0.05, 0),
    (0.075, -0.64, 0), (-0.075, -0.64, 0),
], np.float32)  # fmt: skip
QUICK = ("schedule.steps=3", "schedule.batch=8", "semi.warmup=1")


@pytest.fixture(scope="module")
def lifter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that looks at 9 frames, and takes everybody to stand before the camera."""
    path = tmp_path_factory.mktemp("lifter") / "tiny.safetensors"
    model = TemporalModel(filter_widths=(3, 3), channels=8).eval()
    model.shrink.weight.data *= 0.01
    model.shrink.bias.data = torch.from_numpy(STANDING[:17]).flatten()
    Lifter(model, "h36m17", "centred", 30.0).save(path)
    return path


@pytest.fixture
def found(write_video: Write, tmp_path: Path) -> Callable[..., Path]:
    """(name, frames of each track) → a video in `videos`, and the people in it as found by an earlier run."""

    def make(name: str, *lengths: int, size: tuple[int, int] = SIZE, rate: float = 30.0) -> Path:
        (tmp_path / "videos").mkdir(exist_ok=True)
        (tmp_path / "out" / "detections").mkdir(parents=True, exist_ok=True)
        total = max(2, sum(lengths))
        stamps = np.arange(total) / rate
        video = write_video(
            tmp_path / "videos" / name,
            [np.zeros((size[1], size[0], 3), np.uint8)] * total,
            stamps=stamps.tolist(),
        )
        person = np.concatenate([STANDING, coco_face(STANDING)])[list(COCO_POINTS)] + [0, 0, 4]
        person = person + np.float32([0.2, 0, 0]) * np.sin(stamps * 3)[: sum(lengths), None, None]
        pixels = person[..., :2] / person[..., 2:] * size[0] + np.array(size) / 2
        tracks = np.repeat(np.arange(len(lengths)), lengths)
        PoseTable(
            track=tracks.astype(np.int32),
            frame=np.arange(sum(lengths), dtype=np.int32),
            keypoints=np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 0.9)], 2).astype(np.float32),
            pose=np.full((len(tracks), 17, 3), np.nan, np.float32),
            root=np.full((len(tracks), 3), np.nan, np.float32),
            filled=np.zeros(len(tracks), bool),
            time=stamps,
            size=size,
            intrinsics=Intrinsics.centred(float(size[0]), size),
            meta={
                "video": {"name": name, "sha256": file_digest(video)},
                "command": _key(DetectOptions(people=None)),
            },
        ).save(tmp_path / "out" / "detections" / f"{video.stem}.2d.npz")
        return video

    return make


def _learn(
    tmp_path: Path, start: Path, failures: list[Exception] | None = None, **options: Any
) -> Path | None:
    chosen = {"unlabeled": (tmp_path / "videos",), "lifter": str(start), "overrides": QUICK}
    how = {name: options.pop(name) for name in ("resume", "overwrite") if name in options}
    failed = (lambda error: pytest.fail(str(error))) if failures is None else failures.append
    return run(
        SemiOptions(**(chosen | options)), tmp_path / "out", failed=failed, progress=no_progress, **how
    )


def _report(tmp_path: Path) -> str:
    return (tmp_path / "out" / "report.md").read_text()


def test_a_folder_without_videos(tmp_path: Path, lifter: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "notes.txt").write_text("no video")
    failures: list[Exception] = []
    with pytest.raises(InputError, match="none of the unlabeled videos can be used"):
        _learn(tmp_path, lifter, failures)
    (failure,) = failures
    assert re.search(r"videos: no video in this folder \(looked for .*\.mp4", str(failure))
    assert not (tmp_path / "out").exists()


@pytest.mark.network
def test_an_unreadable_video_among_good_ones(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("good.mp4", 60)
    (tmp_path / "videos" / "broken.mov").write_bytes(b"no video")
    failures: list[Exception] = []
    assert _learn(tmp_path, lifter, failures) == tmp_path / "out" / "lifter.safetensors"
    (failure,) = failures
    assert isinstance(failure, InputError)
    assert "\n" not in str(failure)
    report = _report(tmp_path)
    assert "| good.mp4 | 1 | 2.0 | assumed" in report
    assert "Left out:\n\n- broken.mov" in report
    assert str(tmp_path) not in report


@pytest.mark.network
def test_only_unreadable_videos(tmp_path: Path, lifter: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "broken.mov").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"none of the unlabeled videos can be used.*give others"):
        _learn(tmp_path, lifter, [])
    assert not (tmp_path / "out" / "lifter.safetensors").exists()


def test_nobody_for_two_frames_in_a_row(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("glimpse.mp4", 1)
    failures: list[Exception] = []
    with pytest.raises(NoPeopleError, match="no person was found in any of the unlabeled videos"):
        _learn(tmp_path, lifter, failures)
    assert "glimpse.mp4: no person was detected in two successive frames" in str(failures[0])


def test_people_too_short_to_learn_from(
    tmp_path: Path, lifter: Path, found: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found("short.mp4", 8, 5)
    with pytest.raises(InputError, match=r"no person is seen well enough, for 0\.5 seconds"):
        _learn(tmp_path, lifter)
    assert "2 of them are shorter than the 9 frames" in capsys.readouterr().err


def test_people_too_poorly_seen(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("good.mp4", 60)
    path = tmp_path / "out" / "detections" / "good.2d.npz"
    table = PoseTable.load(path)
    table.keypoints[..., 2] = 0.01
    table.save(path)
    still = np.repeat(STANDING[None], 40, 0)
    MotionCapture(still, np.array([40]), 50.0, *((("a",),) * 4)).save(tmp_path / "labels.npz")
    with pytest.raises(InputError, match="seen too poorly to learn from; give clearer footage"):
        _learn(tmp_path, lifter, labeled=tmp_path / "labels.npz")


def test_tracks_shorter_than_the_receptive_field_are_learned_from(
    tmp_path: Path, lifter: Path, found: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found("people.mp4", 60, 5)
    found("short.mp4", 6)
    assert _learn(tmp_path, lifter, overrides=(*QUICK, "semi.held_out=0"))
    assert "learning from 3 tracks, 71 frames at 30 fps" in capsys.readouterr().err
    assert "| people.mp4 | 2, 1 of them shorter than 0.3 s | 2.1 |" in _report(tmp_path)
    assert "| short.mp4 | 1, 1 of them shorter than 0.3 s | 0.2 |" in _report(tmp_path)


def test_sizes_and_rates_may_differ(
    tmp_path: Path, lifter: Path, found: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found("wide.mp4", 120, size=(192, 96), rate=60)
    found("slow.mp4", 25, size=(96, 160), rate=12.5)
    assert _learn(tmp_path, lifter, overrides=(*QUICK, "semi.held_out=0"))
    frames = 61 + 59  # of 119/60 and 24/12.5 seconds
    assert f"learning from 2 tracks, {frames} frames at 30 fps" in capsys.readouterr().err


def test_a_lifter_of_screen_coordinates_becomes_one_of_rays(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("good.mp4", 60)
    start = Lifter.load(lifter)
    Lifter(start.model, "h36m17", "screen", 30.0).save(tmp_path / "screen.safetensors")
    result = _learn(tmp_path, tmp_path / "screen.safetensors")
    assert result is not None
    assert Lifter.load(result).input_space == "rays"


def test_two_videos_of_one_name(tmp_path: Path, lifter: Path, found: Any) -> None:
    (tmp_path / "videos" / "other").mkdir(parents=True)
    found("clip.mp4", 60).rename(tmp_path / "videos" / "other" / "clip.mp4")
    found("clip.mp4", 60)
    folders = (tmp_path / "videos", tmp_path / "videos" / "other")
    with pytest.raises(UsageError, match=r"have one name; rename one, or give only one"):
        _learn(tmp_path, lifter, unlabeled=folders)


def test_missing_files_are_named_before_anybody_is_looked_for(tmp_path: Path, lifter: Path) -> None:
    missing = tmp_path / "videos" / "missing"
    missing.parent.mkdir()
    (missing.parent / "broken.mov").write_bytes(b"would be complained about")
    for options, kind, complaint in (
        ({"lifter": f"{missing}.safetensors"}, InputError, "missing.safetensors: no such lifter file"),
        ({"lifter": "nobody"}, UsageError, "unknown lifter 'nobody'; known: .*default"),
        ({"labeled": Path(f"{missing}.npz")}, InputError, "missing.npz: no such file"),
        ({"labeled": tmp_path}, InputError, "no motion capture in this folder.*prepare"),
        ({"recipe": f"{missing}.yaml"}, InputError, "missing.yaml: no such file"),
        ({"detect": DetectOptions(weights=Path(f"{missing}.pth"))}, Exception, "--weights"),
    ):
        with pytest.raises(kind, match=complaint):
            _learn(tmp_path, lifter, **options)
    assert not (tmp_path / "out").exists()


def test_missing_inputs_on_the_command_line(tmp_path: Path) -> None:
    for option in ("--unlabeled", "--labeled"):
        arguments = [option, str(tmp_path / "nothing"), "--output", str(tmp_path / "out")]
        if option == "--labeled":
            arguments += ["--unlabeled", str(tmp_path)]
        result = CliRunner().invoke(semi_train, arguments)
        assert isinstance(result.exception, InputError)
        assert "no such file" in f"{result.output} {result.exception}"


def test_nothing_to_resume(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("good.mp4", 60)
    with pytest.raises(
        InputError, match=r"nothing to resume: .*checkpoint\.pt does not exist; without --resume"
    ):
        _learn(tmp_path, lifter, resume=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["detections"]


def test_a_finished_run_is_neither_replaced_nor_lost(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("good.mp4", 60)
    result = _learn(tmp_path, lifter)
    assert result is not None
    before = result.read_bytes()
    with pytest.raises(OutputError, match=r"lifter\.safetensors exists; --resume .*--overwrite"):
        _learn(tmp_path, lifter)
    with pytest.raises(InputError, match="another configuration"):
        _learn(tmp_path, lifter, resume=True, overrides=(*QUICK, "seed=1"))
    assert result.read_bytes() == before
    _learn(tmp_path, lifter, overwrite=True, overrides=(*QUICK, "seed=1"))
    assert result.read_bytes() != before


def test_other_labels_are_not_resumed_with(tmp_path: Path, lifter: Path, found: Any) -> None:
    found("good.mp4", 60)
    labels = tmp_path / "labels"
    labels.mkdir()
    still = np.repeat(STANDING[None], 40, 0)[..., [0, 2, 1]] * np.float32([1, 1, -1])
    for swing in (0.0, 0.1):
        moved = still + np.float32(swing) * np.sin(np.arange(40) / 5)[:, None, None].astype(np.float32)
        table = MotionCapture(moved, np.array([40]), 50.0, ("a",), ("a",), ("a",), ("a",))
        table.save(labels / "motion.npz")
        if not swing:
            assert _learn(tmp_path, lifter, labeled=labels)
    with pytest.raises(InputError, match="another configuration"):
        _learn(tmp_path, lifter, labeled=labels, resume=True)


def test_several_processes(tmp_path: Path, lifter: Path, found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found("good.mp4", 60)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")  # as torchrun sets it
    with pytest.raises(UsageError, match="takes one process; start semi-train without torchrun"):
        _learn(tmp_path, lifter)
