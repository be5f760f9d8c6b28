"""Runs that are killed at random moments and started again lose nothing and leave nothing."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.pipeline.downloads.cache import cache_folder

PROGRAM = """
import videopose.pipeline.inference.look as look
look.PART_FRAMES = 8
from videopose.pipeline.cli.main import main
main()
"""
SIGNALS = ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends the signals of Unix")


@pytest.fixture
def own_cache(tmp_path: Path) -> Path:
    """A cache of its own, with the networks of the usual one."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in cache_folder().iterdir():
        if path.name != "parts":
            (cache / path.name).symlink_to(path)
    return cache


def _start(folder: Path, cache: Path, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["infer", "clip.mp4", "--people", "2", *more]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env=os.environ | {"VIDEOPOSE_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _code(process: subprocess.Popen[bytes]) -> int:
    """Wait for a run and return its exit code; its output is read, so that it does not wait."""
    process.communicate(timeout=300)
    return process.returncode


def _kept(cache: Path) -> int:
    return len(list(cache.glob("parts/*/*.part.npz")))


def _arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(path) as table:
        return {name: table[name] for name in table.files if name != "meta"}


def _equal(path: Path, other: Path) -> bool:
    arrays, others = _arrays(path), _arrays(other)
    return arrays.keys() == others.keys() and all(
        np.array_equal(array, others[name], equal_nan=True) for name, array in arrays.items()
    )


@pytest.mark.parametrize(
    ("kills", "seconds"),
    [pytest.param(2, "0.7", id="a few"), pytest.param(20, "2", id="many", marks=pytest.mark.slow)],
)
def test_kills_at_random_moments(
    kills: int, seconds: str, clip: Path, tmp_path: Path, own_cache: Path
) -> None:
    folder, whole = tmp_path / "work", tmp_path / "whole"
    folder.mkdir()
    shutil.copy(clip, folder)
    begun = time.monotonic()
    assert _code(_start(folder, own_cache, "--end", seconds, "--output", str(whole))) == 0
    usual = time.monotonic() - begun
    chance = random.Random(7)
    killed = kept = 0
    while killed < kills:
        left = set(folder.glob(".*"))  # by a run that had no time to clean up
        process = _start(folder, own_cache, "--end", seconds)
        try:
            process.wait(timeout=chance.uniform(0.3, 1.1) * usual)
        except subprocess.TimeoutExpired:
            name = SIGNALS[killed % len(SIGNALS)]
            process.send_signal(getattr(signal, name))
            said = process.communicate(timeout=60)[0].decode()
            if process.returncode:  # otherwise it was done before the signal came
                killed += 1
                assert process.returncode in (-getattr(signal, name), 128 + getattr(signal, name)), said
                if name != "SIGKILL" and process.returncode > 0:
                    assert set(folder.glob(".*")) <= left, said
                if not (folder / "clip.npz").exists():
                    assert _kept(own_cache) >= kept  # what was safe stays safe
                    kept = _kept(own_cache)
                continue
        said = process.communicate(timeout=300)[0].decode()
        # A run that was killed at its very end has left whole results, which are not replaced.
        assert process.returncode == 0 or (process.returncode == 5 and "exists" in said), said
        _check_done(folder, own_cache, whole)
        (folder / "clip.npz").unlink()
        (folder / "clip.3d.mp4").unlink()
        kept = 0
    process = _start(folder, own_cache, "--end", seconds)
    said = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 0 or "exists" in said, said
    _check_done(folder, own_cache, whole)


def _check_done(folder: Path, cache: Path, whole: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["clip.3d.mp4", "clip.mp4", "clip.npz"]
    assert _equal(folder / "clip.npz", whole / "clip.npz")
    assert not list((cache / "parts").iterdir())


def test_a_run_goes_on_from_its_last_part(
    finished: tuple[Path, Any], tmp_path: Path, own_cache: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(finished[0] / "clip.mp4", folder)
    process = _start(folder, own_cache)
    deadline = time.monotonic() + 120
    while _kept(own_cache) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    kept = _kept(own_cache)
    assert kept >= 2
    [part] = own_cache.glob("parts/*/000000.part.npz")
    made = part.stat().st_mtime_ns
    process = _start(folder, own_cache)
    while process.poll() is None and part.exists():
        assert part.stat().st_mtime_ns == made
        time.sleep(0.02)
        if _kept(own_cache) > kept:
            break
    assert _code(process) == 0
    _check_done(folder, own_cache, finished[0])


def test_a_damaged_part_is_made_again(finished: tuple[Path, Any], tmp_path: Path, own_cache: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(finished[0] / "clip.mp4", folder)
    process = _start(folder, own_cache)
    while _kept(own_cache) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    [part] = own_cache.glob("parts/*/000000.part.npz")
    part.write_bytes(part.read_bytes()[:100])
    assert _code(_start(folder, own_cache)) == 0
    _check_done(folder, own_cache, finished[0])


def test_a_finished_table_is_not_detected_again(finished: tuple[Path, Any], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished[0], tmp_path / "work"))
    (folder / "clip.3d.mp4").unlink()
    table = (folder / "clip.npz").read_bytes()
    process = _start(folder, cache_folder(), "--export", "bvh")
    said = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 0, said
    assert "finding people" not in said
    assert "clip.npz is complete" in said
    assert (folder / "clip.npz").read_bytes() == table
    names = sorted(path.name for path in folder.iterdir())
    assert {"clip.3d.mp4", "clip.mp4", "clip.npz"} < set(names)
    assert any(name.endswith(".bvh") for name in names)
    # With other options, the table is another one, and is not replaced.
    (folder / "clip.3d.mp4").unlink()
    process = _start(folder, cache_folder(), "--max-gap", "0.1")
    assert "exists" in process.communicate(timeout=120)[0].decode()
    assert process.returncode == 5


def test_the_second_run_on_an_output_says_who_makes_it(
    finished: tuple[Path, Any], tmp_path: Path, own_cache: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(finished[0] / "clip.mp4", folder)
    first = _start(folder, own_cache)
    while not (folder / ".clip.npz.holder").exists() and first.poll() is None:
        time.sleep(0.01)
    time.sleep(0.05)
    second = _start(folder, own_cache)
    said = second.communicate(timeout=60)[0].decode()
    assert second.returncode == 5
    assert f"clip.npz is being made by another run (process {first.pid} on " in said
    assert "videopose infer clip.mp4 --people 2" in said
    assert _code(first) == 0
    _check_done(folder, own_cache, finished[0])


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "2>&1 | true", "2>/dev/full >/dev/full"])
def test_closed_outputs_do_not_end_a_job(closed: str, clip: Path, tmp_path: Path) -> None:
    shutil.copy(clip, tmp_path)
    command = f"'{sys.executable}' -m videopose infer clip.mp4 --end 0.2 --no-render {closed}"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, timeout=120, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "clip.npz"]
