"""What is said when memory runs out: by Python, and by the libraries that have their own kinds of it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch

from videopose.errors import is_out_of_memory
from videopose.pipeline.cli.error_report import OUT_OF_MEMORY, report_error
from videopose.pipeline.progress import progress_bar

Run = Callable[..., Any]
_HUGE = 1 << 56  # bytes; no machine has as many


def _by_numpy() -> None:
    np.zeros(_HUGE, np.uint8)


def _by_torch() -> None:
    torch.zeros(_HUGE, dtype=torch.uint8)


def _by_opencv() -> None:
    cv2.resize(np.zeros((8, 8), np.uint8), ((1 << 31) - 1, (1 << 31) - 1))


def _by_libav() -> None:
    raise av.error.MemoryError(errno.ENOMEM, os.strerror(errno.ENOMEM))


def _on_a_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


@pytest.mark.parametrize("exhaust", [_by_numpy, _by_torch, _by_opencv, _by_libav, _on_a_gpu])
def test_one_line_says_what_was_done_and_what_needs_less(
    exhaust: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception) as raised, progress_bar("finding people in a.mp4", 3):  # noqa: PT011
        exhaust()
    assert is_out_of_memory(raised.value)
    capfd.readouterr()
    assert report_error(raised.value, debug=False) == OUT_OF_MEMORY
    [line] = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert "memory ran out while finding people in a.mp4; " in line
    assert "--jobs" in line
    assert ("--device cpu" in line) == (exhaust is _on_a_gpu)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory"), KeyError("a")])
def test_other_errors_are_bugs(error: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    assert not is_out_of_memory(error)
    assert report_error(error, debug=False) == 1
    assert capfd.readouterr().err.startswith("bug: ")


def test_the_other_files_of_a_command_are_done(
    clip: Path, tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from videopose.pipeline.inference import file_work

    (tmp_path / "a.mp4").symlink_to(clip)
    (tmp_path / "b.mp4").symlink_to(clip)
    detect = file_work.detect
    calls = []

    def first_short_of_memory(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError
        return detect(*arguments, **options)

    monkeypatch.setattr(file_work, "detect", first_short_of_memory)
    done = videopose("detect", tmp_path / "a.mp4", tmp_path / "b.mp4", "--end", "0.1")
    assert done.code == 7
    [error] = done.errors
    assert f"memory ran out while working on {tmp_path / 'a.mp4'}; " in error
    assert (tmp_path / "b.2d.npz").is_file()
