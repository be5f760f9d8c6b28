"""Read files of `torch.save` without executing anything in them, in bounded memory."""

from __future__ import annotations

import os
import warnings
import zipfile
from typing import Any

import torch

from .bounded import check_regular


def check_torch_file(path: str | os.PathLike[str]) -> None:
    """Check that a file of `torch.save` unpacks to no more than it holds; PyTorch does not check this.

    Raises:
        InputError: It is missing, or no regular file.
        ValueError, zipfile.BadZipFile: Its archive is damaged, or compressed.
    """
    size = check_regular(path)
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("its members are compressed, which PyTorch's are not")
        if sum(member.file_size for member in archive.infolist()) > size:
            raise ValueError("its members are larger than the file")


def load_torch_file(path: str | os.PathLike[str]) -> Any:
    """Read a file of `torch.save`, tensors and plain values only, without executing anything in it.

    Raises:
        InputError: It is missing, or no regular file.
        Exception: It is damaged; PyTorch raises many kinds.
    """
    check_torch_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about files that it has not written
        return torch.load(path, map_location="cpu", weights_only=True)


def check_tensors(tensors: Any, size: int) -> None:
    """Check that tensors read from a file of `size` bytes have no more elements than the file holds.

    A tensor with strides of 0 can have any shape over a few bytes.

    Args:
        tensors: Tensors by name; other values are not looked at.
        size: Bytes of the file.

    Raises:
        ValueError: They have more.
    """
    total = 0
    for name, tensor in tensors.items():
        if hasattr(tensor, "untyped_storage"):
            own = tensor.numel() * tensor.element_size()
            total += own
            if own > tensor.untyped_storage().nbytes() or total > size:
                shape = tuple(tensor.shape)
                raise ValueError(f"{str(name)[:80]} has the shape {shape}, but not as many numbers")
