"""Read pickle files and object-array `.npz` files safely.

Usual files (`data_3d_h36m.npz`, `data_2d_*.npz`, a model zoo's `.pkl`) hold pickled Python objects, and
unpickling runs any code that a file names. Therefore the pickle is first scanned for operations that plain
data does not need. The names in it (numpy's array, data type and scalar, and few others) are replaced by
inert replacements in this module, and arrays are built afterwards from their bytes. The result consists of
dicts, lists, tuples, sets, strings, numbers, and numpy arrays of numbers, truth values, strings and such
objects.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from .bounded import RATIO, SPARE, array_of_bytes, check_regular, npy_header, open_archive, read_file
from .errors import InputError, one_line

LIMIT = 4 << 30
"""Bytes that a file may unpack to, several times the largest usual one, so that it cannot fill the memory."""

_MAX_DEPTH = 50  # the usual files nest six deep

# Every operation that a pickle of plain data needs, in protocols 0 to 5. Operations that find code by number
# (EXT*), by instance (INST, OBJ, NEWOBJ*) or outside the file (PERSID, NEXT_BUFFER) are not among them.
_OPERATIONS = frozenset(
    "PROTO FRAME STOP MARK POP POP_MARK DUP PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT "
    "STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 "
    "EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "EMPTY_DICT DICT SETITEM SETITEMS EMPTY_SET ADDITEMS FROZENSET GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)
_MEMO = frozenset(("PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"))
_BYTE_ORDERS: dict[object, Literal["<", ">", "="]] = {"<": "<", ">": ">", "=": "=", "|": "="}
_DTYPE = re.compile(r"[<>=|]?[biufcSUO]\d{0,9}")


class _Refused(Exception):
    """The file holds something that plain data does not need."""


class _Dtype:
    """Replaces a numpy data type while the pickle is read."""

    def __init__(self, code: object, *options: object) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        code = code.text if isinstance(code, _Encoded) else code
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            raise _Refused(f"an array of type {code!r}")
        self.dtype: np.dtype[Any] = np.dtype(object if "O" in code else code)

    def __setstate__(self, state: object) -> None:
        # (version, byte order, subarray, names, fields, item size, alignment, flags[, metadata])
        if not isinstance(state, tuple) or len(state) < 7 or any(part is not None for part in state[2:5]):
            raise _Refused("an array of records")
        order = _BYTE_ORDERS.get(state[1])
        if order is None:
            raise _Refused("an array of unknown byte order")
        if self.dtype.kind in "SU":
            width = state[5]
            if not isinstance(width, int) or not 0 <= width < 1 << 31:
                raise _Refused("an array of strings of no length")
            self.dtype = np.dtype(f"{self.dtype.kind}{width // (4 if self.dtype.kind == 'U' else 1)}")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Replaces a numpy array while the pickle is read."""

    def __init__(self, *arguments: object) -> None:
        self.state: tuple[Any, ...] | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Refused("an array of unknown make-up")
        self.state = state[1:]  # without the version: shape, type, Fortran order, bytes or list


def _array_type(*arguments: object) -> object:
    """Replaces the class `numpy.ndarray`, which pickles of arrays pass on and do not call."""
    raise _Refused("an array of unknown make-up")


def _buffer(data: object, dtype: object, shape: object, order: object, axes: object = None) -> _Array:
    """Make an array as protocol 5 writes it."""
    if axes is not None:
        raise _Refused("an array of unknown make-up")
    array = _Array()
    array.state = (shape, dtype, order == "F", data)
    return array


def _scalar(dtype: object, data: object = b"") -> _Array:
    """Make one number, as a zero-dimensional array until the end."""
    array = _Array()
    array.state = (None, dtype, False, data)
    return array


def _encode(text: object, encoding: object = "latin1") -> _Encoded:
    """Make bytes as protocol 2 writes them."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise _Refused("encoded text")
    return _Encoded(text)


class _Encoded:
    """Bytes as protocol 2 writes them, encoded only at the end: a short pickle can name a long text often."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Budget:
    """Bytes that arrays may still be made of: a pickle can give many arrays the same bytes.

    Attributes:
        left: Their number.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take bytes from the budget."""
        self.left -= count
        if self.left < 0:
            raise _Refused("arrays of more bytes than it has")


def _no_bytes() -> bytes:
    """Make empty bytes as protocol 2 writes them; with arguments, a file could request much memory."""
    return b""


class _Ordered(dict[Any, Any]):
    """Replaces an ordered dict; it becomes a plain one without attributes."""

    def __setstate__(self, state: object) -> None:
        pass


class _Name:
    """Replaces a name in a pickle. It can be called, but the operation BUILD cannot change it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise _Refused("a change of numpy itself")


_NAMES: Mapping[tuple[str, str], _Name] = {
    ("numpy", "ndarray"): _Name(_array_type),
    ("numpy", "dtype"): _Name(_Dtype),
    ("_codecs", "encode"): _Name(_encode),
    ("collections", "OrderedDict"): _Name(_Ordered),
    **{
        (builtins, name): _Name(stand_in)
        for builtins in ("builtins", "__builtin__")  # of Python 3 and Python 2
        for name, stand_in in (("bytes", _no_bytes), ("set", set), ("frozenset", frozenset))
    },
    **{
        (f"numpy.{core}.{module}", name): _Name(stand_in)
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _buffer),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None


def load_object_npz(path: str | os.PathLike[str], *, limit: int = LIMIT) -> dict[str, Any]:
    """Read an `.npz` file that may hold object arrays. No code from the file runs.

    Args:
        path: The file.
        limit: Bytes that the file may unpack to.

    Returns:
        The archive's members by name. A zero-dimensional object array is replaced by its content, usually a
        dict. Python 2's strings are read as Latin-1.

    Raises:
        InputError: The file is missing or damaged, unpacks to more than `limit` bytes, or holds anything but
            plain containers, numbers, strings and numpy arrays of them.
    """
    with _reading(path, ".npz file"), open_archive(path, min(limit, default_limit(path))) as members:
        names = [name for name in members.files if name.endswith(".npy")]
        return {name.removesuffix(".npy"): _member(members.read(name)) for name in names}


def load_pickle(path: str | os.PathLike[str], *, limit: int = LIMIT) -> Any:
    """Read a pickle of plain containers, numbers, strings and numpy arrays. No code from the file runs.

    Args:
        path: The file.
        limit: Bytes that the file may have.

    Raises:
        InputError: See `load_object_npz`.
    """
    with _reading(path, "pickle"):
        return _unpickle(io.BytesIO(read_file(path, limit=limit)))


def default_limit(path: str | os.PathLike[str]) -> int:
    """Return the bytes that a file of this size may unpack to."""
    return SPARE + RATIO * check_regular(path)


@contextmanager
def _reading(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Turn the errors of a file of this kind into `InputError`."""
    try:
        yield
    except InputError:
        raise
    except _Refused as error:
        raise InputError(
            f"{path} holds {one_line(error)}, which plain data does not need, so it was not loaded"
        ) from error
    except Exception as error:  # a damaged zip, header or pickle raises many kinds
        raise InputError(f"{path} is not a readable {kind} ({one_line(error)})") from error


def _member(data: bytes) -> Any:
    """Return the array of an `.npy` member, or the object in it."""
    shape, fortran, dtype, start = npy_header(data)
    if not dtype.hasobject:
        return array_of_bytes(memoryview(data)[start:], dtype, shape, fortran)
    if dtype != np.dtype(object):
        raise _Refused("an array of records")
    file = io.BytesIO(data)
    file.seek(start)
    value = _unpickle(file)
    if not isinstance(value, np.ndarray) or math.prod(shape) != value.size:
        raise _Refused(f"an object array of shape {shape} without its content")
    return value.item() if shape == () else value.reshape(shape, order="F" if fortran else "C")


def _unpickle(file: io.BytesIO) -> Any:
    start, length = file.tell(), len(file.getbuffer())
    for operation, argument, _ in pickletools.genops(file):
        if operation.name not in _OPERATIONS:
            raise _Refused(f"the pickle operation {operation.name}")
        # The unpickler reserves memory up to the largest memo number. A number that a pickle of this length
        # cannot reach is refused.
        if operation.name in _MEMO and not 0 <= int(argument) <= length:  # type: ignore[arg-type]
            raise _Refused("a memo number out of range")
    file.seek(start)
    # A text of Latin-1 has up to two bytes a character in the file, and an array one.
    return _plain(_Unpickler(file, encoding="latin1").load(), {}, 0, _Budget(length))


def _plain(value: Any, done: dict[int, Any], depth: int, budget: _Budget) -> Any:
    """Replace stand-ins by arrays, and refuse other objects. `done`: results by the id of their source."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return value
    if id(value) in done:
        return done[id(value)]
    if depth > _MAX_DEPTH:
        raise _Refused("containers nested too deep")
    result: Any
    if isinstance(value, dict):
        result = {
            _plain(k, done, depth + 1, budget): _plain(v, done, depth + 1, budget) for k, v in value.items()
        }
    elif isinstance(value, list | tuple | set | frozenset):
        result = type(value)([_plain(v, done, depth + 1, budget) for v in value])
    elif isinstance(value, bytearray):
        result = bytes(value)
    elif isinstance(value, _Encoded):
        budget.spend(len(value.text))
        result = value.text.encode("latin1")
    elif isinstance(value, _Array):
        result = _array(value, done, depth, budget)
    elif isinstance(value, _Dtype):
        result = value.dtype
    else:
        raise _Refused("a name by itself")
    done[id(value)] = result
    return result


def _array(stand_in: _Array, done: dict[int, Any], depth: int, budget: _Budget) -> Any:
    if stand_in.state is None:
        raise _Refused("an array without content")
    shape, dtype, fortran, data = stand_in.state
    stand_in.state = None  # frees the bytes as soon as they are copied
    if not isinstance(dtype, _Dtype):
        raise _Refused("an array without a type")
    if shape is not None and not (
        isinstance(shape, tuple) and len(shape) <= 32 and all(isinstance(n, int) and n >= 0 for n in shape)
    ):
        raise _Refused("an array without a shape")
    if dtype.dtype.hasobject:
        if not isinstance(data, list) or shape is None or math.prod(shape) != len(data):
            raise _Refused("an object array without its content")
        flat = np.empty(len(data), object)
        for i, item in enumerate(data):
            flat[i] = _plain(item, done, depth + 1, budget)
        return flat.reshape(shape, order="F" if fortran else "C")
    data = data.text if isinstance(data, _Encoded) else data
    if not isinstance(data, str | bytes | bytearray):
        raise _Refused("an array without its content")
    budget.spend(len(data))
    data = data.encode("latin1") if isinstance(data, str) else data
    array = array_of_bytes(data, dtype.dtype, shape or (), bool(fortran))
    return array[()] if shape is None else array
