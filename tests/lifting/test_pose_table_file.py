"""Pose tables of any length are read; files that declare more rows than they hold are refused at once."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory import with_memory

from videopose.errors import InputError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable

_HOURS = 10
_FRAMES = _HOURS * 3600 * 30


def _still(count: int, frames: int) -> PoseTable:
    """A person who does not move at all."""
    return PoseTable(
        track=np.zeros(count, np.int32),
        frame=np.arange(count, dtype=np.int32),
        keypoints=np.full((count, 17, 3), 0.5, np.float32),
        pose=np.ones((count, 17, 3), np.float32),
        root=np.ones((count, 3), np.float32),
        filled=np.zeros(count, np.bool_),
        time=np.arange(frames) / 30,
        size=(640, 360),
        intrinsics=Intrinsics(500, 500, 320, 180),
        confidence=np.ones((count, 17), np.float32),
    )


def _arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as archive:
        return dict(archive)


def _write(path: Path, arrays: dict[str, Any], declared: dict[str, tuple[int, ...]]) -> None:
    """Write arrays, some of them as zeros of a declared shape, which need not be in memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, value in arrays.items():
            head = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                head,
                {
                    "descr": value.dtype.str,
                    "fortran_order": False,
                    "shape": declared.get(name, value.shape),
                },
            )
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write(head.getvalue())
                left = int(np.prod(declared[name])) * value.itemsize if name in declared else 0
                while left:
                    left -= member.write(bytes(min(left, 1 << 20)))
                if name not in declared:
                    member.write(value.tobytes())


@pytest.mark.slow  # a table of 0.5 GB, though its file has 5 MB
def test_ten_hours_of_a_person_who_does_not_move(tmp_path: Path) -> None:
    _still(_FRAMES, _FRAMES).save(tmp_path / "still.npz")
    assert os.path.getsize(tmp_path / "still.npz") < 8 << 20
    table = PoseTable.load(tmp_path / "still.npz")
    assert len(table) == _FRAMES
    assert (table.keypoints == 0.5).all()
    assert table.time[-1] == pytest.approx(_HOURS * 3600, abs=0.1)


def test_a_person_who_does_not_move_compresses_more_than_other_files_may(tmp_path: Path) -> None:
    count = 200_000
    table = _still(count, count)
    _still(4, 9).save(tmp_path / "short.npz")
    arrays = {name: getattr(table, name, value) for name, value in _arrays(tmp_path / "short.npz").items()}
    described = {name: _arrays(tmp_path / "short.npz")[name] for name in ("size", "intrinsics", "meta")}
    _write(tmp_path / "still.npz", arrays | described, {})
    with zipfile.ZipFile(tmp_path / "still.npz") as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    assert unpacked > (64 << 20) + 20 * os.path.getsize(tmp_path / "still.npz")
    assert len(PoseTable.load(tmp_path / "still.npz")) == count


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"keypoints": (200_000, 17, 3)}, r"keypoints: expected \(4, 17, 3\)"),
        ({"pose": (4, 2_000_000, 3)}, r"pose: expected \(4, 17, 3\), found \(4, 2000000, 3\)"),
        ({"camera_rotation": (1_000_000, 3, 3)}, r"camera_rotation: expected \(9, 3, 3\)"),
        ({"extra": (4, 2_000_000, 3)}, r"extra: expected \(4, 2, 3\)"),
        ({"extra_names": (2000,), "extra": (4, 2000, 3)}, "expected at most 1024 names"),
        ({"extra_names": (10_000_000,)}, "extra_names unpacks to"),
        ({"time": (2_000_000,)}, "time unpacks to"),
        ({"track": (4_000_000,), "frame": (4_000_000,)}, "track unpacks to"),
        ({"track": (1_000_000,), "frame": (1_000_000,)}, "sorted by track"),
        ({"meta": (4_000_000,)}, "meta unpacks to"),
    ],
)
def test_arrays_that_do_not_fit_the_rows_are_not_read(
    declared: dict[str, tuple[int, ...]], words: str, tmp_path: Path
) -> None:
    _still(4, 9).save(tmp_path / "a.npz")
    arrays = _arrays(tmp_path / "a.npz") | {
        "extra": np.zeros((4, 2, 3), np.float32),
        "extra_names": np.array(["a", "b"]),
    }
    _write(tmp_path / "bomb.npz", arrays, declared)

    def refused() -> None:
        with pytest.raises(InputError, match=words):
            PoseTable.load(tmp_path / "bomb.npz")

    assert with_memory(refused)[1] < 100 << 20


def test_pictures_of_an_impossible_size(tmp_path: Path) -> None:
    _still(4, 9).save(tmp_path / "a.npz")
    arrays = _arrays(tmp_path / "a.npz") | {"size": np.array([2_000_000_000, 100], np.int64)}
    np.savez(tmp_path / "b.npz", **arrays)
    with pytest.raises(InputError, match="its pictures have 2000000000×100 pixels"):
        PoseTable.load(tmp_path / "b.npz")
