"""The ONNX form of a MoveNet graph: converted once, then read from the cache."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from filelock import FileLock

from ...errors import OutputError
from ...files import file_digest, replacing

CONVERTER_VERSION = 1
"""Increase this number whenever `tfjs_to_onnx` writes a different model for the same graph."""

_log = logging.getLogger(__name__)


def converted_model(topology: Path, weights: Path, cache: Path | None) -> bytes:
    """Return a TensorFlow.js graph as a serialised ONNX model.

    The model is kept at `cache`/onnx/`key`/NAME.onnx. The key is a hash of both source files and of the
    converter's version, so an old model is never used with a new source or converter. The sha256 of the model
    is kept beside it. A missing or damaged model is converted again. If several processes need the model, one
    converts it and the others wait. If the cache cannot be written, the model is converted in memory.

    Args:
        topology: The graph's JSON file.
        weights: The graph's binary file.
        cache: The cache folder, or None to convert in memory.

    Raises:
        InputError: A source file cannot be read, or is not one of MoveNet's published graphs.
    """
    if cache is None:
        return _convert(topology, weights)
    path = cache / "onnx" / _key(topology, weights) / f"{topology.stem}.onnx"
    model = _read(path)
    if model is not None:
        return model
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            model = _read(path)  # another process may have written it in the meantime
            if model is None:
                model = _convert(topology, weights)
                _write(path, model)
            return model
    except (OSError, OutputError) as error:
        _log.warning("the converted MoveNet cannot be kept in %s: %s", path.parent, error)
        return model if model is not None else _convert(topology, weights)


def _key(topology: Path, weights: Path) -> str:
    parts = f"{CONVERTER_VERSION} {file_digest(topology)} {file_digest(weights)}"
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def _convert(topology: Path, weights: Path) -> bytes:
    from .tfjs import read_tfjs  # imported here because onnx is not needed if the model is cached
    from .tfjs_to_onnx import tfjs_to_onnx

    model: bytes = tfjs_to_onnx(read_tfjs(topology, weights)).SerializeToString()
    return model


def _read(path: Path) -> bytes | None:
    """The cached model, or None if it is missing or does not match its sha256."""
    try:
        model, expected = path.read_bytes(), _digest_file(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return model if hashlib.sha256(model).hexdigest() == expected.strip() else None


def _write(path: Path, model: bytes) -> None:
    """Write the model, then its sha256; a process that stops in between leaves a model that is not used."""
    with replacing(path) as partial:
        partial.write_bytes(model)
    with replacing(_digest_file(path)) as partial:
        partial.write_text(hashlib.sha256(model).hexdigest() + "\n", encoding="ascii")


def _digest_file(path: Path) -> Path:
    return path.with_suffix(".sha256")
