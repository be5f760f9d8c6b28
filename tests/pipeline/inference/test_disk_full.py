"""A full disk is reported in one line, leaves no file, and loses nothing that was safe."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from videopose.pipeline.downloads.cache import cache_folder

PROGRAM = """
import resource, sys
import videopose.pipeline.inference.look as look
look.PART_FRAMES = 8
limit = int(sys.argv.pop(1))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from videopose.pipeline.cli.main import main
main()
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="uses limits of Unix")


@pytest.fixture
def folder(clip: Path, tmp_path: Path) -> Path:
    """A folder with the clip, and a cache of its own with the networks of the usual one."""
    (tmp_path / "work").mkdir()
    shutil.copy(clip, tmp_path / "work")
    (tmp_path / "cache").mkdir()
    for path in cache_folder().iterdir():
        if path.name != "parts":
            (tmp_path / "cache" / path.name).symlink_to(path)
    return tmp_path / "work"


def _infer(folder: Path, *arguments: str, limit: int = 0) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(limit), "infer", "clip.mp4", "--end", "0.7", *arguments],
        cwd=folder,
        env=os.environ | {"VIDEOPOSE_CACHE": str(folder.parent / "cache")},
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stderr


def _parts(folder: Path) -> list[Path]:
    return list((folder.parent / "cache").glob("parts/*/*.part.npz"))


def test_the_table_does_not_fit(folder: Path) -> None:
    code, said = _infer(folder, "--no-render", limit=10_000)
    assert code == 5, said
    assert "cannot write clip.npz: File too large" in said
    assert "note: finished parts cannot be kept in " in said
    assert [path.name for path in folder.iterdir()] == ["clip.mp4"]
    code, said = _infer(folder, "--no-render")
    assert code == 0, said
    assert sorted(path.name for path in folder.iterdir()) == ["clip.mp4", "clip.npz"]


def test_the_animation_does_not_fit_then_only_it_is_made(folder: Path) -> None:
    code, said = _infer(folder, limit=20_000)
    assert code == 5, said
    assert "clip.3d.mp4" in said
    assert sorted(path.name for path in folder.iterdir()) == ["clip.mp4", "clip.npz"]
    table = (folder / "clip.npz").read_bytes()
    code, said = _infer(folder)
    assert code == 0, said
    assert "finding people" not in said
    assert (folder / "clip.npz").read_bytes() == table
    assert (folder / "clip.3d.mp4").stat().st_size > 20_000


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 40 kB, on which no table fits."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "videopose-test", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_parts_stay_when_the_results_do_not_fit(folder: Path, small_disk: Path) -> None:
    (small_disk / "filled").write_bytes(b"0" * 36_000)
    code, said = _infer(folder, "--no-render", "--output", "disk")
    assert code == 5, said
    assert "No space left on device" in said
    assert [path.name for path in small_disk.iterdir()] == ["filled"]
    assert len(_parts(folder)) == 3  # of 8 frames at most, of 21
    code, said = _infer(folder, "--no-render", "--output", "elsewhere")
    assert code == 0, said
    assert not _parts(folder)
    assert (folder / "elsewhere" / "clip.npz").exists()
