import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from walking import table_of, walking

from videopose.lifting.pose_table import PoseTable

Run = Callable[..., Any]
Write = Callable[..., Path]


@pytest.fixture
def folder(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """The clip, its table and its animation."""
    return Path(shutil.copytree(finished[0], tmp_path / "finished"))


def _film(path: Path) -> tuple[int, int, int]:
    """Width, height and the number of frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, sum(1 for _ in container.decode(stream))


def test_one_bad_file_does_not_stop_the_others(clip: Path, tmp_path: Path, videopose: Run) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copy(clip, folder / "c.mp4")
    (folder / "b.mp4").write_text("no video\n" * 100)
    shutil.copy(clip, tmp_path / "a [1].mov")
    done = videopose("infer", tmp_path / "a [1].mov", folder, "--no-render", "--end", "0.2")
    assert done.code == 7
    [error] = done.errors
    assert "b.mp4" in error
    assert "not a video" in error
    assert sorted(p.name for p in tmp_path.rglob("*.npz")) == ["a [1].npz", "c.npz"]
    assert f"→ {tmp_path / 'a [1].npz'}" in done.err.splitlines()
    assert "finding people in a [1].mov" in done.err


def test_where_all_are_bad_the_code_is_theirs(
    clip: Path, tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path / "cache"))
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_text("no video")
    done = videopose("infer", tmp_path)
    assert done.code == 3
    assert len(done.errors) == 2
    assert not (tmp_path / "cache").exists()  # nothing was fetched for them
    shutil.copy(clip, tmp_path / "c.mp4")
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.npz").touch()
    done = videopose("infer", tmp_path)
    assert (done.code, len(done.errors)) == (5, 3)


def test_what_no_video_could_do_without_is_said_once(clip: Path, tmp_path: Path, videopose: Run) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(clip, tmp_path / name)
    done = videopose("infer", tmp_path, "--detector", "openpose")
    assert (done.code, len(done.errors)) == (2, 1)


def test_names_of_one_stem_are_told_apart(clip: Path, tmp_path: Path, videopose: Run) -> None:
    for name in ("a.mp4", "a.mov"):
        shutil.copy(clip, tmp_path / name)
    done = videopose("infer", tmp_path, "--no-render", "--end", "0.1")
    assert (done.code, done.errors) == (0, [])
    assert sorted(p.name for p in tmp_path.glob("*.npz")) == ["a.mov.npz", "a.mp4.npz"]


def test_names_that_collide(clip: Path, tmp_path: Path, videopose: Run) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        shutil.copy(clip, tmp_path / name / "a.mp4")
    done = videopose("infer", tmp_path / "x", tmp_path / "y", "-o", tmp_path / "out")
    assert done.code == 2
    assert "would both write" in done.errors[0]
    assert list(tmp_path.rglob("*.npz")) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names on POSIX only")
def test_bad_inputs_are_reported_before_any_work_and_counted(
    clip: Path, tmp_path: Path, videopose: Run
) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:5,\nother.mp4\n")
    (tmp_path / "empty.mp4").touch()
    shutil.copy(clip, tmp_path / "good.mp4")
    names = ("good.mp4", "pipe.mp4", "list.mp4", "empty.mp4", "none.mp4")
    addresses = ("", "https://example.org/a.mp4")
    done = videopose("infer", *addresses, *(tmp_path / n for n in names), "--no-render", "--end", "0.1")
    assert done.code == 7
    lines = done.err.splitlines()
    said = ("name of a file", "an address", "a pipe", "a playlist", "it is empty", "no such file")
    assert len(done.errors) == len(said)
    for line, words in zip(lines, said, strict=False):
        assert line.startswith("error:")
        assert words in line
    assert lines[-1] == "1 of 7 done"
    assert (tmp_path / "good.npz").exists()


def test_a_second_run_over_everything_in_a_folder(
    finished: tuple[Path, Any], tmp_path: Path, videopose: Run
) -> None:
    folder = Path(shutil.copytree(finished[0], tmp_path / "again"))
    done = videopose("infer", *sorted(folder.iterdir()), "--no-render", "--end", "0.1", "--overwrite")
    assert (done.code, done.errors) == (0, [])
    assert "clip.3d.mp4, clip.npz are left out" in done.err


def test_an_empty_folder(tmp_path: Path, videopose: Run) -> None:
    done = videopose("infer", tmp_path)
    assert done.code == 3
    assert "no video in this folder" in done.errors[0]


def test_the_table_is_told_of_and_kept_where_the_animation_fails(
    clip: Path, tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken-ffmpeg"
    broken.write_text("#!/bin/sh\necho 'no room on this planet' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("videopose.pipeline.video.writer.ffmpeg_executable", lambda: str(broken))
    done = videopose("infer", clip, "-o", tmp_path / "out", "--end", "0.1")
    assert done.code == 5
    assert "no room on this planet" in done.errors[0]
    assert f"→ {tmp_path / 'out' / 'clip.npz'}" in done.err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["clip.npz"]


def test_render_again(folder: Path, videopose: Run) -> None:
    (folder / "clip.3d.mp4").unlink()
    done = videopose("render", folder / "clip.npz", "--size", "480x240")
    assert (done.code, done.out) == (0, ""), done.err
    assert "drawing clip.3d.mp4" in done.err
    assert done.err.splitlines()[-1] == f"→ {folder / 'clip.3d.mp4'}"
    assert "note" not in done.err
    assert _film(folder / "clip.3d.mp4") == (480, 240, 46)


def test_render_does_not_replace(folder: Path, videopose: Run) -> None:
    before = (folder / "clip.3d.mp4").read_bytes()
    done = videopose("render", folder / "clip.npz")
    assert done.code == 5
    assert done.err == (
        f"error: {folder / 'clip.3d.mp4'} exists; --overwrite replaces it, --output FILE writes elsewhere\n"
    )
    assert (folder / "clip.3d.mp4").read_bytes() == before
    assert videopose("render", folder / "clip.npz", "--overwrite", "--size", "400x200").code == 0
    assert (folder / "clip.3d.mp4").read_bytes() != before


def test_render_a_gif_from_four_sides(folder: Path, videopose: Run) -> None:
    words = "--view side --view back --view top --view -70,15 --size 400x200".split()
    done = videopose("render", folder / "clip.npz", "-o", folder / "new" / "x.gif", *words)
    assert done.code == 0, done.err
    assert _film(folder / "new" / "x.gif") == (400, 200, 23)  # 15 frames a second


def test_render_views_differ(folder: Path, videopose: Run) -> None:
    for view in ("camera", "side", "90,8"):
        words = ["--view", view, "--no-video", "--size", "400x200"]
        assert videopose("render", folder / "clip.npz", "-o", folder / f"{view}.mp4", *words).code == 0
    side = (folder / "side.mp4").read_bytes()
    assert (folder / "90,8.mp4").read_bytes() == side
    assert (folder / "camera.mp4").read_bytes() != side


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["--view", "below"],
            2,
            "--view below: expected camera, turned, side, back, top, or azimuth,elevation",
        ),
        (["--view", "0,91"], 2, "elevation between"),
        (["--size", "100x50"], 2, "expected a --size of at least 320x160, found 100x50"),
        (["--size", "100000x600"], 2, "expected a --size of up to 16384x16384, found 100000x600"),
        (["-o", "{folder}/x.avi"], 2, "its name must end in one of .mp4, .mov, .mkv, .webm, .gif"),
        (["-o", "{folder}"], 5, "it is a folder"),
        (["-o", "{folder}/clip.npz/x.mp4"], 5, "not a folder"),
        (["-o", "{folder}/x.mp4", "--video", "{folder}/none.mp4"], 3, "there is no such file"),
        (["-o", "{folder}/x.mp4", "--video", "{folder}/clip.3d.mp4"], 3, "the pose table's video was"),
        (["-o", "{folder}/x.mp4", "--video", "{folder}/clip.mp4", "--no-video"], 2, "not both"),
        (
            ["-o", "{folder}/clip.mp4", "--overwrite"],
            2,
            "is the video itself; --output writes elsewhere",
        ),
    ],
)
def test_what_render_cannot_do(
    words: list[str], code: int, message: str, folder: Path, videopose: Run
) -> None:
    names = sorted(p.name for p in folder.iterdir())
    video = (folder / "clip.mp4").read_bytes()
    output = [] if "-o" in words else ["-o", folder / "x.mp4"]
    done = videopose("render", folder / "clip.npz", *output, *(w.format(folder=folder) for w in words))
    assert (done.code, done.out) == (code, "")
    [error] = done.errors
    assert message in error
    assert sorted(p.name for p in folder.iterdir()) == names
    assert (folder / "clip.mp4").read_bytes() == video


def test_more_views_than_fit_are_refused_in_words(folder: Path, videopose: Run) -> None:
    done = videopose("render", folder / "clip.npz", "-o", folder / "x.mp4", *["--view", "side"] * 5)
    assert done.code == 2
    assert not (folder / "x.mp4").exists()


@pytest.mark.parametrize("content", [None, "text", "an array"])
def test_render_what_is_no_table(content: str | None, tmp_path: Path, videopose: Run) -> None:
    if content == "text":
        (tmp_path / "a.npz").write_text(content)
    elif content:
        np.savez(tmp_path / "a.npz", a=np.arange(3))
    done = videopose("render", tmp_path / "a.npz")
    assert done.code == 3
    assert "a.npz" in done.errors[0]
    assert done.err.count("\n") == 1


def test_render_without_the_video(folder: Path, videopose: Run) -> None:
    (folder / "clip.mp4").rename(folder / "moved [1].mp4")
    (folder / "clip.npz").rename(folder / "clip [1].npz")
    done = videopose("render", folder / "clip [1].npz", "--size", "400x200")
    assert done.code == 0, done.err
    [note] = [line for line in done.err.splitlines() if line.startswith("note:")]
    assert note == "note: clip.mp4 is not beside the table, so only the 3D is drawn; see --video"
    alone = (folder / "clip [1].3d.mp4").read_bytes()

    done = videopose(
        "render", folder / "clip [1].npz", "--size", "400x200", "-o", folder / "no.mp4", "--no-video"
    )
    assert "note" not in done.err
    assert (folder / "no.mp4").read_bytes() == alone

    video = ["--video", folder / "moved [1].mp4"]
    done = videopose("render", folder / "clip [1].npz", "--size", "400x200", "-o", folder / "x.mp4", *video)
    assert "note" not in done.err
    assert (folder / "x.mp4").read_bytes() != alone


def test_render_says_where_another_film_has_taken_the_name(
    folder: Path, write_video: Write, videopose: Run
) -> None:
    write_video(folder / "clip.mp4", [np.zeros((332, 592, 3), np.uint8)] * 46)
    done = videopose("render", folder / "clip.npz", "--size", "400x200", "--overwrite")
    assert done.code == 0
    assert "clip.mp4 is not the file that the table was made from; see --video" in done.err


@pytest.mark.parametrize("made_from", [None, {"name": "../../etc/passwd"}])
def test_a_table_that_names_no_video_beside_it(made_from: Any, folder: Path, videopose: Run) -> None:
    table = PoseTable.load(folder / "clip.npz")
    columns = {name: getattr(table, name) for name in table.__dataclass_fields__ if name != "meta"}
    meta = {"video": made_from} if made_from else {}
    PoseTable(**columns, meta=meta).save(folder / "bare.npz")
    done = videopose("render", folder / "bare.npz", "--size", "400x200")
    assert done.code == 0, done.err
    named = "passwd" if made_from else "its video"
    assert f"note: {named} is not beside the table, so only the 3D is drawn; see --video" in done.err


@pytest.mark.parametrize("keypoints", ["clip.npz", "."])
def test_results_do_not_replace_the_keypoints(
    write_video: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    videopose: Run,
    keypoints: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path("clip.mp4"), np.zeros((3, 64, 96, 3), np.uint8))
    table_of({0: walking(3)["joints"]}).save("clip.npz")
    before = Path("clip.npz").read_bytes()
    done = videopose("infer", "clip.mp4", "--keypoints", keypoints, "--overwrite", "--no-render")
    assert done.code == 2, done.err
    assert "clip.npz is the file of keypoints itself; --output writes elsewhere" in done.errors[0]
    assert Path("clip.npz").read_bytes() == before
