import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click import Context

from videopose.errors import OutputError
from videopose.files import file_digest
from videopose.lifting.inference.pretrained import pretrained_lifters
from videopose.pipeline.cli.error_report import SOME_FAILED, report_error
from videopose.pipeline.cli.main import cli
from videopose.pipeline.downloads import assets

Run = Callable[..., Any]
Write = Callable[..., Path]
COMMANDS = [
    "infer", "detect", "lift", "demo", "live", "render", "view", "serve", "compare", "export", "angles",
    "assets", "train", "evaluate", "inspect", "people", "prepare",
    "finetune-detector", "evaluate-detector", "semi-train", "install",
]  # fmt: skip


def _contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below, with its time of change and bytes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def test_help_of_every_command_waits_for_no_library() -> None:
    assert sorted(cli.list_commands(Context(cli))) == sorted(COMMANDS)
    program = f"""
import sys
from click.testing import CliRunner
from videopose.pipeline.cli.main import cli
for words in ([], *([c] for c in {COMMANDS}), ["assets", "pull"]):
    for flag in ("--help", "-h"):
        result = CliRunner().invoke(cli, [*words, flag], prog_name="videopose")
        assert result.exit_code == 0, result.output
        assert result.output.startswith(" ".join(["Usage: videopose", *words])), result.output
slow = {{"torch", "onnxruntime", "av", "cv2", "scipy", "matplotlib", "pydantic", "PIL"}} & set(sys.modules)
assert not slow, slow
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_help_says_what_there_is_to_choose(videopose: Run) -> None:
    said = videopose("infer", "--help").out
    for choice in ("movenet:", "default, or a file", "else 60 across the longer side]", "N|all"):
        assert choice in " ".join(said.split())


def test_help_lists_the_exit_codes(videopose: Run) -> None:
    said = videopose("--help").out
    for code, meaning in enumerate("done,bug,wrong,read,no person,written,download,several".split(",")):
        assert any(f"{code}  " in line and meaning in line for line in said.splitlines()), code


def test_version(videopose: Run) -> None:
    said = videopose("--version")
    assert (said.code, said.out) == (0, f"videopose, version {version('videopose')}\n")


def test_the_installed_command() -> None:
    script = Path(sys.executable).with_name("videopose")
    said = subprocess.run([script, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == f"videopose, version {version('videopose')}\n"


def test_from_a_video_to_a_table_and_an_animation(finished: tuple[Path, Any]) -> None:
    folder, done = finished
    assert (done.code, done.out) == (0, "")
    assert sorted(p.name for p in folder.iterdir()) == ["clip.3d.mp4", "clip.mp4", "clip.npz"]
    with np.load(folder / "clip.npz", allow_pickle=False) as table:
        columns = {name: table[name] for name in table.files}
    kinds = {name: (str(value.dtype), value.shape) for name, value in columns.items() if name != "meta"}
    assert kinds == {
        "track": ("int32", (92,)),
        "frame": ("int32", (92,)),
        "keypoints": ("float32", (92, 17, 3)),
        "pose": ("float32", (92, 17, 3)),
        "confidence": ("float32", (92, 17)),
        "root": ("float32", (92, 3)),
        "contact": ("float32", (92, 2)),
        "filled": ("bool", (92,)),
        "time": ("float64", (46,)),
        "camera_rotation": ("float32", (46, 3, 3)),
        "camera_position": ("float32", (46, 3)),
        "size": ("int32", (2,)),
        "intrinsics": ("float32", (4,)),
    }
    assert columns["size"].tolist() == [592, 332]
    meta = json.loads(str(columns["meta"]))
    assert meta["command"] == "videopose infer clip.mp4 --people 2"
    assert meta["video"] == {"name": "clip.mp4", "sha256": file_digest(folder / "clip.mp4")}


def test_the_animation_plays_everywhere_and_as_long_as_the_video(finished: tuple[Path, Any]) -> None:
    with av.open(str(finished[0] / "clip.3d.mp4")) as container:
        [stream] = container.streams
        assert isinstance(stream, av.VideoStream)
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (1200, 600, 30)
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(46 / 30, abs=1e-3)
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(pictures) == 46
    assert pictures[0].std() > 20
    assert np.abs(pictures[0].astype(int) - pictures[-1]).max() > 50  # something moves


def test_what_a_user_sees_of_it(finished: tuple[Path, Any]) -> None:
    lines = finished[1].err.splitlines()
    assert "\x1b" not in finished[1].err
    for part in ("finding people in clip.mp4", "drawing clip.3d.mp4"):
        [line] = [line for line in lines if part in line]
        assert " 46/46 " in line
        assert " fps left 00:00 " in line
    [note] = [line for line in lines if line.startswith("note:")]
    assert note == (
        "note: camera assumed: 60° across the longer side; --focal-px, --focal-35mm or --hfov would tell, "
        "or a clip.camera.json beside it"
    )
    assert [line for line in lines if line.startswith("→")] == ["→ clip.npz", "→ clip.3d.mp4"]


def test_a_second_run_changes_nothing_unless_told_to(
    finished: tuple[Path, Any], tmp_path: Path, videopose: Run
) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    before = _contents(tmp_path)
    refused = videopose("infer", tmp_path / "clip.mp4")
    assert refused.code == 5
    assert refused.err == (
        f"error: {tmp_path / 'clip.npz'} exists; --overwrite replaces it, --output DIR writes elsewhere\n"
    )
    assert _contents(tmp_path) == before

    replaced = videopose("infer", tmp_path / "clip.mp4", "--overwrite", "--end", "0.2")
    assert replaced.code == 0, replaced.err
    after = _contents(tmp_path)
    assert after.keys() == before.keys()
    assert after["clip.mp4"] == before["clip.mp4"]
    assert all(after[name] != before[name] for name in ("clip.npz", "clip.3d.mp4"))
    with np.load(tmp_path / "clip.npz") as table:
        assert len(table["time"]) == 6


def test_an_animation_alone_in_the_way(clip: Path, tmp_path: Path, videopose: Run) -> None:
    (tmp_path / "clip.3d.mp4").write_text("mine")
    assert videopose("infer", clip, "-o", tmp_path).code == 5
    assert videopose("infer", clip, "-o", tmp_path, "--no-render", "--end", "0.1").code == 0
    assert (tmp_path / "clip.3d.mp4").read_text() == "mine"


def test_options_reach_the_table(clip: Path, tmp_path: Path, videopose: Run) -> None:
    folder = tmp_path / "new" / "folder"
    words = (
        "--start 0.1 --end 0.4 --hfov 90 --camera-pitch 0 --camera-roll 0 --no-flip --no-render --people all "
        "--max-gap 0 --device cpu"
    ).split()
    done = videopose("infer", clip, "--output", folder, *words)
    assert done.code == 0, done.err
    assert "note:" not in done.err
    assert [p.name for p in folder.iterdir()] == ["clip.npz"]
    with np.load(folder / "clip.npz") as table:
        assert table["intrinsics"].tolist() == pytest.approx([296, 296, 296, 166])
        assert (table["frame"].min(), table["frame"].max(), len(table["time"])) == (3, 11, 12)
        assert len(set(table["track"].tolist())) >= 2
        meta = json.loads(str(table["meta"]))
    assert (meta["flip"], meta["intrinsics"]) == (False, "--hfov 90")
    assert meta["command"].startswith("videopose infer ")
    assert meta["command"].endswith(" ".join(words))


def _text(path: Path, clip: Path, write: Write) -> None:
    path.write_text("no video\n" * 100)


def _sound(path: Path, clip: Path, write: Write) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _without_frames(path: Path, clip: Path, write: Write) -> None:
    content = clip.read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])


def _without_index(path: Path, clip: Path, write: Write) -> None:
    content = clip.read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4] + content[content.index(b"mdat") - 4 :])


def _black(path: Path, clip: Path, write: Write) -> None:
    write(path, [np.zeros((120, 160, 3), np.uint8)] * 8)


def _missing(path: Path, clip: Path, write: Write) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (_text, 3, "it is not a video"),
        (_sound, 3, "it holds only sound"),
        (_without_frames, 3, "no frame of its video can be decoded"),
        (_without_index, 3, "it is not a video, or too damaged to open"),
        (_missing, 3, "there is no such file"),
        (_black, 4, "no person was found in any of its 8 frames"),
    ],
)
def test_videos_that_cannot_be_used(
    make: Any, code: int, message: str, clip: Path, write_video: Write, tmp_path: Path, videopose: Run
) -> None:
    make(tmp_path / "bad.mp4", clip, write_video)
    before = _contents(tmp_path)
    done = videopose("infer", tmp_path / "bad.mp4")
    assert (done.code, done.out) == (code, "")
    [error] = done.errors
    assert message in error
    assert str(tmp_path / "bad.mp4") in error
    assert "Traceback" not in done.err
    if code == 3:
        assert done.err == error + "\n"
    assert _contents(tmp_path) == before


def test_a_video_that_breaks_off_gives_what_there_is_and_a_warning(
    clip: Path, tmp_path: Path, videopose: Run
) -> None:
    content = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    done = videopose("infer", tmp_path / "cut.mp4", "--no-render")
    assert (done.code, done.errors) == (0, [])
    [warning] = [line for line in done.err.splitlines() if line.startswith("warning:")]
    assert "cut.mp4: " in warning
    assert "it breaks off at" in warning
    assert (tmp_path / "cut.npz").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--detector", "openpose"], 2, "there is no detector 'openpose'; the known ones are: movenet"),
        (["--lifter", "best"], 2, "unknown lifter 'best'; known: causal, default, or a path to"),
        (["--lifter", "{tmp}/none.safetensors"], 3, "no such lifter file"),
        (["--lifter", "{tmp}/damaged.safetensors"], 3, "is not a lifter written by videopose"),
        (["--lifter", "{tmp}/file.bin"], 3, "file.bin"),
        (["--focal-px", "900", "--hfov", "60"], 2, "give one of --focal-px, --focal-35mm and --hfov"),
        (["--hfov", "180"], 2, "between 0 and 180 degrees"),
        (["--start", "1", "--end", "1"], 2, "--end takes seconds, more than --start"),
        (["--start", "60"], 2, "no frame from 60 s on"),
        (["--max-gap", "-1"], 2, "--max-gap takes seconds, 0 or more"),
        (["--device", "toaster"], 2, "--device toaster cannot be used here"),
        (["--output", "{tmp}/file.bin"], 5, "file.bin: not a folder; see --output"),
        (["--output", "{tmp}/file.bin/deeper"], 5, "file.bin: not a folder; see --output"),
        (["--output", "/proc/nowhere"], 5, "cannot write to /proc/nowhere"),
    ],
)
def test_one_line_says_what_is_wrong(
    words: list[str], code: int, message: str, clip: Path, tmp_path: Path, videopose: Run
) -> None:
    shutil.copy(clip, tmp_path)
    (tmp_path / "file.bin").write_text("mine")
    content = bytearray(pretrained_lifters()["default"].read_bytes())
    content[-1] ^= 1
    (tmp_path / "damaged.safetensors").write_bytes(content)
    before = _contents(tmp_path)
    done = videopose("infer", tmp_path / "clip.mp4", *(word.format(tmp=tmp_path) for word in words))
    assert (done.code, done.out) == (code, "")
    [error] = done.errors
    assert message in error
    assert "Traceback" not in done.err
    if words[0] != "--start":  # whatever can be known beforehand is
        assert done.err == error + "\n"
    assert _contents(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["infer"], "Missing argument"),
        (["infer", "a.mp4", "--people", "0"], "give a number from 1 on, or all"),
        (["infer", "a.mp4", "--people", "few"], "give a number from 1 on, or all"),
        (["infer", "a.mp4", "--end", "soon"], "'soon' is not a valid float"),
        (["infer", "a.mp4", "--nonsense"], "No such option"),
        (["dance"], "No such command 'dance'"),
        (["render", "a.npz", "--size", "big"], "give WIDTHxHEIGHT in pixels, such as 1200x600"),
        (["train", "a.yaml"], "Missing option '--data'"),
    ],
)
def test_wrong_words(words: list[str], message: str, videopose: Run) -> None:
    done = videopose(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "--help" in done.err or "-h" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [["--debug", "infer", "none.mp4"], ["infer", "none.mp4", "--debug"]])
def test_debug_shows_where(words: list[str], videopose: Run) -> None:
    done = videopose(*words)
    assert done.code == 3
    assert "Traceback (most recent call last)" in done.err
    assert "InputError" in done.err
    assert done.err.splitlines()[-1] == "error: cannot read none.mp4: there is no such file"


def test_debug_outside_of_a_batch(tmp_path: Path, videopose: Run) -> None:
    done = videopose("render", tmp_path / "none.npz", "--debug")
    assert done.code == 3
    assert "Traceback" in done.err
    assert "none.npz: no such file" in done.err.splitlines()[-1]
    assert "Traceback" not in videopose("render", tmp_path / "none.npz").err


def test_a_bug_is_called_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert report_error(ZeroDivisionError("by [zero]"), debug=False) == 1
    assert capfd.readouterr().err == "bug: ZeroDivisionError: by [zero] (--debug shows where)\n"


def test_interrupting_leaves_nothing_half_written(finished: tuple[Path, Any], tmp_path: Path) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    before = _contents(tmp_path)
    command = [
        sys.executable,
        "-m",
        "videopose",
        "render",
        "clip.npz",
        "-o",
        "big.mp4",
        "--size",
        "3840x2160",
    ]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What a shell starts in the background ignores interrupts, and so would this process.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    while not list(tmp_path.glob(".big.*")) and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: ffmpeg gets it, too
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "interrupted; nothing half-written was left"
    assert "Traceback" not in said
    assert _contents(tmp_path) == before


@pytest.mark.network
def test_pulling_assets(videopose: Run) -> None:
    pulled = videopose("assets", "pull", "demo.mp4", "movenet-thunder.bin")
    paths = [Path(line) for line in pulled.out.splitlines()]
    assert [p.name for p in paths] == ["demo.mp4", "movenet-thunder.bin"]
    assert [file_digest(p) for p in paths] == [assets.ASSETS[p.name].sha256 for p in paths]
    unknown = videopose("assets", "pull", "nonsense")
    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err.startswith("error: there is no asset named 'nonsense'; there are movenet-")


@pytest.mark.network
def test_demo(tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = videopose("demo", "--end", "0.3", "--no-render")
    assert done.code == 0, done.err
    assert sorted(p.name for p in Path("videopose-demo").iterdir()) == ["demo.mp4", "demo.npz"]
    assert done.err.splitlines()[-1] == "→ videopose-demo/demo.npz"
    assert file_digest(Path("videopose-demo/demo.mp4")) == assets.ASSETS["demo.mp4"].sha256
    before = _contents(tmp_path)
    again = videopose("demo", "--end", "0.3", "--no-render")
    assert again.code == 5
    assert again.errors[0].startswith("error: videopose-demo/demo.npz exists; --overwrite")
    assert _contents(tmp_path) == before


def test_a_demo_that_cannot_run_leaves_nothing(tmp_path: Path, videopose: Run) -> None:
    assert videopose("demo", "-o", tmp_path / "new", "--hfov", "200").code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.network
def test_the_demo_spares_a_film_of_that_name(tmp_path: Path, videopose: Run) -> None:
    (tmp_path / "demo.mp4").write_text("my holidays")
    done = videopose("demo", "-o", tmp_path, "--no-render")
    assert done.code == 5
    assert "demo.mp4 exists; --overwrite replaces it, --output DIR writes elsewhere" in done.errors[0]
    assert (tmp_path / "demo.mp4").read_text() == "my holidays"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
@pytest.mark.parametrize("words", [["inspect", "default"], ["--help"]], ids=" ".join)
def test_what_is_printed_to_a_full_disk_is_an_error(words: list[str]) -> None:
    command = [sys.executable, "-m", "videopose", *words]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == OutputError.exit_code
    assert ended.stderr == "error: what is printed could not be written whole: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
def test_what_failed_before_counts_more_than_a_full_disk(finished: tuple[Path, Any], tmp_path: Path) -> None:
    table = shutil.copy(finished[0] / "clip.npz", tmp_path)
    command = [sys.executable, "-m", "videopose", "angles", table, str(tmp_path / "none.npz")]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == SOME_FAILED


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "videopose", "inspect", "default"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 0
