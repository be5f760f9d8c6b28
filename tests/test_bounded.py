import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory import with_memory

from videopose.bounded import (
    open_npz,
    read_file,
    read_npy,
    read_text,
)
from videopose.errors import InputError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.pose_table import PoseTable
from videopose.unpickle import load_object_npz, load_pickle

BOMB = 200 << 20  # bytes of zeros, which deflate to a thousandth


def _npy(shape: tuple[int, ...], data: bytes, dtype: str = "<f4") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + data


def _bomb(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        member.write(_npy((BOMB // 4,), b""))
        for _ in range(BOMB >> 20):
            member.write(bytes(1 << 20))


LOADERS: list[Callable[[Path], Any]] = [PoseTable.load, MotionCapture.load, load_object_npz]


@pytest.mark.parametrize("load", LOADERS)
def test_an_archive_that_unpacks_to_far_more_than_its_size(load: Any, tmp_path: Path) -> None:
    _bomb(tmp_path / "a.npz", "size.npy")
    with pytest.raises(
        InputError, match=r"a\.npz .*(it|size) unpacks to .* bytes, more than the .* that are allowed"
    ):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("load", LOADERS)
def test_a_member_that_lies_about_its_size(load: Any, tmp_path: Path) -> None:
    _bomb(tmp_path / "a.npz", "size.npy")
    content = (tmp_path / "a.npz").read_bytes()
    true = (BOMB + len(_npy((BOMB // 4,), b""))).to_bytes(4, "little")
    assert content.count(true) > 0
    (tmp_path / "a.npz").write_bytes(content.replace(true, (1000).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"a\.npz "):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_compression(compression: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as archive:
        archive.writestr("a.npy", _npy((1,), bytes(4)))
    with pytest.raises(InputError, match="unusual way"), open_npz(tmp_path / "a.npz", "a table") as arrays:
        assert arrays["a"].shape == (1,)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_npy((1 << 40,), bytes(8)), "should have 4398046511104 bytes, not 8"),
        (_npy((-1,), bytes(8)), "an array of shape"),
        (_npy((2,), b""), "should have 8 bytes, not 0"),
        (_npy((1 << 40, 0), b""), "huge parts"),
        (_npy((1,), bytes(8), "|O"), "objects or records"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "is not an .npy file"),
        (b"no array", "is not an .npy file"),
    ],
)
def test_arrays_that_are_not_what_they_declare(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_npy(tmp_path / "a.npy")
    assert "allow_pickle" not in str(caught.value)


def test_an_array_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    assert read_npy(tmp_path / "a.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    np.savez(tmp_path / "a.npz", a=np.array("text"), b=np.zeros((0, 3)))
    with open_npz(tmp_path / "a.npz", "a table") as arrays:
        assert arrays.names == {"a", "b"}
        assert (str(arrays["a"]), arrays["b"].shape) == ("text", (0, 3))
    refused = pytest.raises(InputError, match=r"is not a table \(it has no c\)")
    with refused, open_npz(tmp_path / "a.npz", "a table") as arrays:
        arrays["c"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names on POSIX only")
@pytest.mark.parametrize("load", [*LOADERS, load_pickle, read_file, read_npy])
def test_pipes_and_devices_are_not_opened(load: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="it is a pipe or a device"):
            load(path)
    with pytest.raises(InputError, match="it is a folder"):
        load(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none")


def test_a_file_larger_than_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(11))
    assert read_file(tmp_path / "a", limit=11) == bytes(11)
    with pytest.raises(InputError, match="has 11 bytes, more than the 10"):
        read_file(tmp_path / "a", limit=10)


def test_no_more_memory_is_reserved_than_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a few bytes")
    content, reserved = with_memory(lambda: read_file(tmp_path / "a.txt"))
    assert content == b"a few bytes"
    assert reserved < 5 << 20


def test_a_pickle_that_gives_many_arrays_the_same_bytes(tmp_path: Path) -> None:
    for protocol in (2, 4):
        data = pickle.dumps([np.zeros(100_000), np.ones(3)], protocol=protocol)
        (tmp_path / "a.pkl").write_bytes(data)
        assert [len(array) for array in load_pickle(tmp_path / "a.pkl")] == [100_000, 3]

    class Same:
        """Pickled as an array of bytes that all others share."""

        shared = bytes(100_000)

        def __reduce__(self) -> Any:
            make, arguments, *_ = np.array(0.0).__reduce__()
            return make, arguments, (1, (100_000,), np.dtype("u1"), False, self.shared)

    (tmp_path / "a.pkl").write_bytes(pickle.dumps([Same() for _ in range(50)]))
    with pytest.raises(InputError, match="arrays of more bytes than it has"):
        load_pickle(tmp_path / "a.pkl")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_text_as_programs_of_windows_write_it(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "a.json").write_bytes((mark + '{"fx": "größer"}').encode(encoding))
    assert read_text(tmp_path / "a.json") == '{"fx": "größer"}'
