"""Names of files that are no UTF-8, as unpacked archives of other systems leave them."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from walking import table_of, walking

from videopose.files import escaped_controls, readable_name
from videopose.lifting.pose_table import PoseTable

Run = Callable[..., Any]
LATIN_1 = os.fsdecode(b"caf\xe9.mp4")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")


@pytest.fixture
def folder(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """A clip and its table in a folder, all with names in Latin-1."""
    folder = tmp_path / os.fsdecode(b"\xe0 la carte")
    folder.mkdir()
    shutil.copy(finished[0] / "clip.mp4", folder / LATIN_1)
    shutil.copy(finished[0] / "clip.npz", (folder / LATIN_1).with_suffix(".npz"))
    return folder


def test_escapes_bytes_that_are_no_text() -> None:
    assert readable_name(LATIN_1) == "caf\\xe9.mp4"
    assert readable_name("żółw\ud800") == "żółw\\ud800"


def test_infer_says_and_records_the_name_with_escapes(folder: Path, videopose: Run) -> None:
    done = videopose("infer", folder / LATIN_1, "--end", "0.2", "--overwrite")
    assert (done.code, done.errors) == (0, [])
    assert f"→ {_shown(folder)}caf\\xe9.3d.mp4" in done.err.splitlines()
    table = PoseTable.load((folder / LATIN_1).with_suffix(".npz"))
    assert table.meta["video"]["name"] == LATIN_1
    assert sorted(os.listdir(os.fsencode(folder))) == [b"caf\xe9.3d.mp4", b"caf\xe9.mp4", b"caf\xe9.npz"]


def _shown(folder: Path) -> str:
    return f"{folder.parent}/\\xe0 la carte/"


def test_an_error_says_the_name_with_escapes(folder: Path, videopose: Run) -> None:
    (folder / LATIN_1).write_bytes(b"no video")
    done = videopose("infer", folder / LATIN_1, "--overwrite")
    assert done.code == 3
    assert done.errors[0].startswith(f"error: cannot read {_shown(folder)}caf\\xe9.mp4: it is not a video")


def test_people_prints_and_draws_it(folder: Path, videopose: Run) -> None:
    done = videopose("people", (folder / LATIN_1).with_suffix(".npz"), "--video", folder / LATIN_1)
    assert (done.code, done.errors) == (0, [])
    assert done.out.startswith("person 0: ")
    assert (folder / LATIN_1).with_suffix(".people.png").is_file()


def test_a_page_shows_it_and_finds_its_video(folder: Path, videopose: Run) -> None:
    table, video = (folder / LATIN_1).with_suffix(".npz"), folder / LATIN_1
    done = videopose("view", table, "--video", video, "--embed", "0")
    assert (done.code, done.errors) == (0, [])
    page = (folder / LATIN_1).with_suffix(".html").read_text("utf-8")
    assert "<title>caf\\xe9</title>" in page
    assert '"caf%E9.mp4"' in page


def test_every_plain_format_and_the_angles_are_written(folder: Path, videopose: Run) -> None:
    table = (folder / LATIN_1).with_suffix(".npz")
    formats = ("bvh", "glb", "trc", "c3d", "mot", "angles", "csv", "json")
    done = videopose("export", table, "--people", "1", *(w for name in formats for w in ("-f", name)))
    assert (done.code, done.errors) == (0, [])
    assert json.loads((folder / LATIN_1).with_suffix(".json").read_text("utf-8"))["title"] == "caf\\xe9"
    done = videopose("angles", table, "--people", "1")
    assert (done.code, done.errors) == (0, [])
    assert done.out.startswith("caf\\xe9, person 0")


def test_a_terminal_of_another_encoding_gets_escapes_too(folder: Path) -> None:
    command = [sys.executable, "-m", "videopose", "angles", str((folder / LATIN_1).with_suffix(".npz"))]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "120"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "caf\\xe9, person 0" in done.stdout
    assert "elbow_flexion_left" in done.stdout


def test_a_name_that_looks_like_a_formula_is_drawn_as_it_is(folder: Path, videopose: Run) -> None:
    table = folder / "a$\\b$.npz"
    (folder / LATIN_1).with_suffix(".npz").rename(table)
    done = videopose("angles", table, "--people", "1")
    assert (done.code, done.errors) == (0, [])


def test_a_name_cannot_steer_the_terminal(tmp_path: Path, videopose: Run) -> None:
    (tmp_path / "\x1b[31mred\nline.mp4").write_bytes(b"no video")
    done = videopose("infer", tmp_path / "\x1b[31mred\nline.mp4")
    assert done.code == 3
    assert "\x1b" not in done.err
    assert len(done.err.splitlines()) == 1
    assert "\\x1b[31mred\\x0aline.mp4: it is not a video" in done.errors[0]


@pytest.mark.parametrize(
    "name",
    ["a b", "ümlaut 日本", "quo'te\"s", "ha#sh", "per%cent %04d", "-lead", "x" * 240, ".", "..", "dot.",
     "space ", "new\nline\ttab", "a:b\\c", "*?[x]", "{m}"],
)  # fmt: skip
def test_exports_are_named_after_their_table(name: str, tmp_path: Path, videopose: Run) -> None:
    folder = tmp_path / " odd. "
    folder.mkdir()
    table = table_of({0: walking(20)["joints"]})
    table.save(folder / f"{name}.npz")
    formats = {"bvh": ".bvh", "trc": ".trc", "c3d": ".c3d", "glb": ".glb", "mot": ".mot", "json": ".json"}
    if importlib.util.find_spec("pxr"):
        formats["usd"] = ".usd"
    words = [word for each in formats for word in ("-f", each)]
    done = videopose("export", *words, "--", folder / f"{name}.npz")
    assert (done.code, done.errors) == (0, [])
    assert {path.name for path in folder.iterdir()} == {name + end for end in (".npz", *formats.values())}
    shown = escaped_controls(name)
    arrows = [line for line in done.err.splitlines() if line.startswith("→")]
    assert sorted(arrows) == sorted(f"→ {folder}/{shown}{end}" for end in formats.values())
    header = (folder / f"{name}.trc").read_text("utf-8").splitlines()
    assert header[0].split("\t")[-1] == f"{shown}.trc"
    assert header[1].startswith("DataRate")
    assert json.loads((folder / f"{name}.json").read_text("utf-8"))["title"] == shown
    if "usd" in formats:
        from pxr import Usd

        assert Usd.Stage.Open(str(folder / f"{name}.usd")).GetEndTimeCode() == 19


def test_names_of_dots_alone_are_sound_inputs(tmp_path: Path, videopose: Run) -> None:
    (tmp_path / "..mp4").write_bytes(b"no video")
    (tmp_path / "...mp4").write_bytes(b"no video")
    for command in ("people", "infer"):
        done = videopose(command, tmp_path / "..mp4", tmp_path / "...mp4", "-o", tmp_path / "out")
        assert done.code == 3
        assert len(done.errors) == 2
        assert all("it is not a video" in error for error in done.errors)


def test_the_longest_name(clip: Path, tmp_path: Path, videopose: Run) -> None:
    video = tmp_path / (
        "x" * 251 + ".mp4"
    )  # its camera file would have a longer name than file systems allow
    shutil.copy(clip, video)
    done = videopose("infer", video, "--end", "0.1", "--no-render")
    assert (done.code, done.errors) == (0, [])
    assert video.with_suffix(".npz").is_file()
