"""Files of lifters: `.safetensors` with a JSON header and a checksum over the stored bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ...bounded import check_regular
from ...errors import InputError, one_line
from ...files import replacing

StoredType = Literal["float32", "float16", "bfloat16"]
"""Number type of the weight matrices in a file. Everything else (biases, batch norm) stays float32."""

_FORMAT = "videopose lifter 1"


def as_stored(weights: Mapping[str, Tensor], dtype: StoredType) -> dict[str, Tensor]:
    """Convert weights to what a file holds: matrices in `dtype`, everything else as it is.

    Args:
        weights: Tensors by name.
        dtype: Number type of the matrices, that is of tensors with two dimensions or more.

    Raises:
        ValueError: `dtype` is unknown, or a weight is too large for it.
    """
    return {name: stored_tensor(name, tensor, dtype) for name, tensor in weights.items()}


def stored_tensor(name: str, tensor: Tensor, dtype: StoredType) -> Tensor:
    """Convert one weight as `as_stored` does; `name` is for the error."""
    if dtype not in get_args(StoredType):
        raise ValueError(f"expected a stored type among {', '.join(get_args(StoredType))}, found {dtype!r}")
    tensor = tensor.detach().cpu().contiguous()
    if tensor.ndim > 1 and tensor.is_floating_point():
        converted = tensor.to(getattr(torch, dtype))
        if not torch.equal(converted.isfinite(), tensor.isfinite()):
            raise ValueError(f"the weights {name} are too large for {dtype}; store them as bfloat16")
        return converted
    return tensor


def digest(stored: Iterable[tuple[str, Tensor]]) -> str:
    """Return the sha256 over the names and bytes of all tensors, in hexadecimal.

    Args:
        stored: Names and tensors as of `stored_tensor`, in the order of the names.
    """
    sha = hashlib.sha256()
    for name, tensor in stored:
        sha.update(name.encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


def write_lifter_file(
    path: str | os.PathLike[str], header: Mapping[str, Any], stored: Mapping[str, Tensor]
) -> None:
    """Write a lifter file atomically.

    Args:
        path: File to write.
        header: JSON-like values by name, among them `dtype`. Format and checksum are added.
        stored: Tensors as `as_stored` gives them.

    Raises:
        OutputError: The file cannot be written.
    """
    complete = {"format": _FORMAT, **header, "sha256": digest(sorted(stored.items()))}
    with replacing(path) as partial:
        # (`safetensors.torch.save_file` makes a file that only its owner may read.)
        partial.write_bytes(save(dict(stored), {key: json.dumps(value) for key, value in complete.items()}))


def read_lifter_file(
    path: str | os.PathLike[str], expected_shapes: Callable[[Mapping[str, Any]], Mapping[str, Sequence[int]]]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read header and stored tensors. No code from the file runs.

    Args:
        path: The file.
        expected_shapes: Gives the shape of every tensor by name for a header. No other tensor is read.

    Raises:
        InputError: There is no such file, it is damaged, or it was not written by `write_lifter_file`.
    """
    if not os.path.exists(path):
        raise InputError(f"{path}: no such lifter file")
    check_regular(path, "a lifter")
    try:
        with safe_open(path, framework="pt") as file:
            header = {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
            if header.get("format") != _FORMAT:
                raise ValueError("its header does not say what it is")
            check_shapes(
                expected_shapes(header),
                {key: file.get_slice(key).get_shape() for key in file.keys()},  # noqa: SIM118 (not a dict)
            )
            stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        header.setdefault("dtype", "float32")  # files before 0.1 store float32 and do not say so
        if digest(sorted(stored.items())) != header["sha256"]:
            raise ValueError("its weights do not match its checksum")
        if header["dtype"] not in get_args(StoredType):
            raise ValueError(f"its weights are stored in an unknown type {header['dtype']!r}")
        expected = getattr(torch, header["dtype"])
        if any(tensor.ndim > 1 and tensor.dtype != expected for tensor in stored.values()):
            raise ValueError(f"its weights are not stored as {header['dtype']}")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is not a lifter written by videopose ({one_line(error)})") from error
    return header, stored


def check_shapes(expected: Mapping[str, Sequence[int]], found: Mapping[str, Sequence[int]]) -> None:
    """Check that tensors have the names and shapes of a model.

    Raises:
        ValueError: They differ.
    """
    if names := sorted(expected.keys() ^ found.keys()):
        what = "has no" if names[0] in expected else "has an unknown"
        raise ValueError(f"it {what} weight {names[0][:80]}")
    for name, shape in expected.items():
        if tuple(found[name]) != tuple(shape):
            raise ValueError(f"{name}: expected the shape {tuple(shape)}, found {tuple(found[name])}")
