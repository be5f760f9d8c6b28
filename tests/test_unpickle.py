import io
import os
import pickle
import pickletools
import struct
import subprocess
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

from videopose.errors import InputError
from videopose.unpickle import load_object_npz, load_pickle


def _nested() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "S1": {"Walking 1": rng.normal(size=(5, 32, 3)).astype(np.float32)},
        "S9": {
            "Photo": [rng.normal(size=(4, 17, 2)), rng.normal(size=(4, 17, 2))[::-1], None],
            "odd": (np.float32(1.5), np.int64(7), np.bool_(True), 1 << 70, 2.5, "Ä", b"\xff\x00", {1, 2}),
            "kinds": [
                np.array(["left", "rïght"]), np.array([b"ab", b"c"]), np.array([True, False]),
                np.array([1 + 2j]), np.arange(6, dtype=">i2").reshape(2, 3), np.zeros((0, 3), np.uint8),
                np.asfortranarray(np.arange(6.0).reshape(2, 3)),
                np.array([None, [1, np.arange(2)]], dtype=object),
            ],
        },
    }  # fmt: skip


def _assert_same(a: Any, b: Any) -> None:
    if isinstance(b, np.ndarray) and b.dtype != object:
        assert isinstance(a, np.ndarray)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        assert a.flags.writeable
    elif isinstance(b, dict):
        assert isinstance(a, dict)
        assert list(a) == list(b)
        for key in b:
            _assert_same(a[key], b[key])
    elif isinstance(b, list | tuple | np.ndarray):
        assert type(a) is type(b)
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            _assert_same(x, y)
    else:
        assert a == b
        assert type(a) is type(b)


def _pickled(value: Any) -> bytes:
    return pickle.dumps(np.array(value, dtype=object))


def _npy(pickled: bytes, shape: tuple[int, ...] = ()) -> bytes:
    """A `.npy` file of an object array whose pickle is given."""
    file = io.BytesIO()
    npy.write_array_header_1_0(file, {"shape": shape, "fortran_order": False, "descr": "|O"})
    return file.getvalue() + pickled


def _npz(path: Path, pickled: bytes, shape: tuple[int, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("positions_2d.npy", _npy(pickled, shape))
    return path


def test_what_numpy_saved_reads_back_exactly(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "a.npz", positions_3d=np.array(_nested(), dtype=object), plain=np.arange(6).reshape(2, 3)
    )
    data = load_object_npz(tmp_path / "a.npz")
    assert list(data) == ["positions_3d", "plain"]
    _assert_same(data["positions_3d"], _nested())
    np.testing.assert_array_equal(data["plain"], np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("core", ["core", "_core"])
def test_every_protocol_and_both_names_of_numpys_core(tmp_path: Path, protocol: int, core: str) -> None:
    pickled = pickle.dumps(np.array(_nested(), dtype=object), protocol)
    frames = [at for operation, _, at in pickletools.genops(pickled) if operation.name == "FRAME"]
    if core == "core" and protocol >= 4:
        for module in (
            b"numpy._core.multiarray",
            b"numpy._core.numeric",
        ):  # names are written with their length
            old = module.replace(b"_core", b"core")
            pickled = pickled.replace(b"\x8c%c%b" % (len(module), module), b"\x8c%c%b" % (len(old), old))
        for at in reversed(frames):  # frames state lengths, now wrong; they may be left out
            pickled = pickled[:at] + pickled[at + 9 :]
    elif core == "core":
        pickled = pickled.replace(b"numpy._core.", b"numpy.core.")
    assert (b"numpy._core" in pickled) == (core == "_core")
    _assert_same(load_object_npz(_npz(tmp_path / "a.npz", pickled))["positions_2d"], _nested())


def test_python_2_wrote_strings_that_were_bytes(tmp_path: Path) -> None:
    # As numpy under Python 2.7 writes {'w': array([1., 2.], '<f4')}, protocol 2.
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85"
        b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x08" + np.array([1, 2], "<f4").tobytes() + b"tb"
    )
    outer = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01)"
        b"cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb"
        b"\x89]}U\x01w" + array + b"satb."
    )
    value = load_object_npz(_npz(tmp_path / "a.npz", outer))["positions_2d"]
    assert list(value) == ["w"]
    np.testing.assert_array_equal(value["w"], np.array([1, 2], np.float32))


def test_object_arrays_keep_their_shape(tmp_path: Path) -> None:
    boxes = np.empty((3, 2), dtype=object)
    for frame in range(3):
        boxes[frame, 0], boxes[frame, 1] = [], np.full((frame, 5), frame, np.float32)
    np.savez(tmp_path / "a.npz", boxes=boxes)
    value = load_object_npz(tmp_path / "a.npz")["boxes"]
    assert value.shape == (3, 2)
    _assert_same(value, boxes)


class _Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_a_file_does_not_run(tmp_path: Path, protocol: int) -> None:
    for i, make in enumerate((
        lambda trace: _Call(os.mkdir, str(trace)),
        lambda trace: _Call(eval, f"__import__('os').mkdir({str(trace)!r})"),
        lambda trace: _Call(subprocess.getoutput, f"mkdir '{trace}'"),
        lambda trace: _Call(np.save, str(trace), 0),
        lambda trace: _Call(np.memmap, str(trace), "u1", "w+", 0, (1,)),
    )):  # fmt: skip
        trace = tmp_path / f"trace{i}"
        value = {"S1": {"Walking": [np.zeros(3), make(trace)]}}
        path = _npz(tmp_path / f"{i}.npz", pickle.dumps(np.array(value, dtype=object), protocol))
        with pytest.raises(InputError, match="plain data does not need, so it was not loaded"):
            load_object_npz(path)
        assert not trace.exists()
        np.load(path, allow_pickle=True)["positions_2d"]  # the attack is a real one: numpy itself lets it run
        assert trace.exists() or trace.with_name(trace.name + ".npy").exists()


@pytest.mark.parametrize(
    ("pickled", "what"),
    [
        pytest.param(_pickled(os.path.join), "posixpath.join", id="a-function"),
        pytest.param(_pickled(Path("x")), "plain data", id="an-object"),
        pytest.param(_pickled(slice(1)), "builtins.slice", id="a-builtin"),
        pytest.param(_pickled({"a": np.zeros(2, "i4,f4")}), "type 'V8'", id="records"),
        pytest.param(_pickled({"a": np.datetime64("2020")}), "type 'M8'", id="dates"),
        pytest.param(b"\x80\x02cnumpy\ndtype\n.", "name by itself", id="a-bare-name"),
        pytest.param(b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.", "make-up", id="uninitialised-memory"),
        pytest.param(
            b"\x80\x02cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb.", "change of numpy", id="build-on-a-name"
        ),
        pytest.param(b"\x80\x02\x82\x01.", "operation EXT1", id="extension"),
        pytest.param(b"Pevil\n.", "operation PERSID", id="persistent-id"),
        pytest.param(b"(inumpy\nndarray\n.", "operation INST", id="instance"),
        pytest.param(b"\x80\x02]r\xff\xff\xff\x7f.", "memo number", id="memo-of-gigabytes"),
        pytest.param(b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b".", "nested too deep", id="deep"),
        pytest.param(b"\x80\x02]q\x00h\x00a.", "nested too deep", id="a-list-in-itself"),
        pytest.param(
            b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x.", "not a readable", id="bytes-of-exabytes"
        ),
        pytest.param(b"", "not a readable", id="empty"),
        pytest.param(_pickled({"a": np.zeros(100)})[:-60], "not a readable", id="cut"),
    ],
)
def test_anything_but_plain_data_is_refused(tmp_path: Path, pickled: bytes, what: str) -> None:
    with pytest.raises(InputError, match=what):
        load_object_npz(_npz(tmp_path / "a.npz", pickled))


def test_an_array_that_claims_more_than_it_brings_is_refused(tmp_path: Path) -> None:
    pickled = pickle.dumps(np.array([np.zeros(7, np.uint8), None], dtype=object), 2)
    assert pickled.count(b"K\x07\x85") == 1
    huge = pickled.replace(b"K\x07\x85", b"J\xff\xff\xff\x7f\x85")
    with pytest.raises(InputError, match="should have 2147483647 bytes"):
        load_object_npz(_npz(tmp_path / "a.npz", huge, (2,)))
    header = _npy(b"").replace(b"'|O'", b"'|u1'").replace(b"()", b"(99999999999,)")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("a.npy", header)
    with pytest.raises(InputError, match="not a readable"):
        load_object_npz(tmp_path / "b.npz")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, a=np.zeros(20_000_000, np.uint8), b=np.zeros(20_000_000, np.uint8))
    assert path.stat().st_size < 50_000
    with pytest.raises(InputError, match="unpacks to 40,000,"):
        load_object_npz(path, limit=30_000_000)
    assert len(load_object_npz(path)["b"]) == 20_000_000


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_object_npz(tmp_path / "nothing.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(InputError, match="not a readable"):
        load_object_npz(tmp_path / "text.npz")
    with pytest.raises(InputError, match="not a readable"):
        load_object_npz(tmp_path)


def test_plain_pickles_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plain.pkl"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(_nested(), protocol))
        _assert_same(load_pickle(path), _nested())


def test_ordered_dicts_become_plain_and_lose_their_attributes(tmp_path: Path) -> None:
    ordered = OrderedDict(b=np.arange(3), a=OrderedDict())
    ordered.note = "kept by pickle"  # type: ignore[attr-defined]
    path = tmp_path / "ordered.pkl"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps(ordered, protocol))
        read = load_pickle(path)
        assert type(read) is dict
        _assert_same(read, {"b": np.arange(3), "a": {}})


def test_pickles_are_not_trusted_either(tmp_path: Path) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(os.getcwd))
    with pytest.raises(InputError, match=r"bad\.pkl holds posix\.getcwd"):
        load_pickle(path)
    path.write_bytes(pickle.dumps(np.zeros(1000)))
    with pytest.raises(InputError, match=r"more than the 100 that are allowed"):
        load_pickle(path, limit=100)
    path.write_bytes(b"\x80\x04no")
    with pytest.raises(InputError, match=r"not a readable pickle"):
        load_pickle(path)
    with pytest.raises(InputError, match=r"no such file"):
        load_pickle(tmp_path / "missing.pkl")
