"""Parts in the cache: what stays, and what does not."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from videopose.errors import OutputError
from videopose.pipeline.inference import kept_parts
from videopose.pipeline.inference.kept_parts import KeptParts

ARRAYS = {"values": np.arange(3)}


def fail(folder: Path, *, parts: int) -> list[str]:
    """Begin a job, keep some parts, and fail; return what stays in the cache."""
    with suppress(OutputError), KeptParts(folder) as kept:
        kept.open({"video": "a"}, {"detector": "b"})
        for _ in range(parts):
            kept.add(ARRAYS, ARRAYS)
        raise OutputError("no space")
    return sorted(path.suffixes[0] for path in folder.rglob("*.*"))


def test_parts_stay_if_the_result_cannot_be_written(tmp_path: Path) -> None:
    assert fail(tmp_path, parts=2) == [".json", ".memory", ".part", ".part"]
    with KeptParts(tmp_path) as kept:
        kept.open({"video": "a"}, {"detector": "b"})
        assert len(kept.parts) == 2
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_if_nothing_could_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fail(tmp_path, parts=0) == []

    def full(path: Path, arrays: object) -> None:
        raise OutputError("no space")

    monkeypatch.setattr(kept_parts, "_save", full)
    assert fail(tmp_path, parts=1) == []
    assert list(tmp_path.iterdir()) == []
