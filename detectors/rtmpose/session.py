"""Open an ONNX file with onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, is_out_of_memory, one_line, shown
from ..onnx_runtime import import_onnxruntime

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_LARGEST = 2048  # pixels: the side of the largest input
_DYNAMIC = 640  # pixels: the side of an input whose size the file leaves open


def open_onnx(path: Path, device: str) -> InferenceSession:
    """Open an ONNX file.

    Args:
        path: The file.
        device: "cpu" or "cuda"; "cuda" falls back to the CPU if the installed onnxruntime has no CUDA.

    Raises:
        InputError: The file is missing, or is not an ONNX model with one picture as its input.
    """
    onnxruntime = import_onnxruntime()
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    providers = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # warnings about the file's graph do not concern the user
    options.add_session_config_entry("session.force_spinning_stop", "1")  # as in `movenet.session`
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=providers)
        shapes = [each.shape for each in session.get_inputs()]
    except Exception as error:  # onnxruntime raises many kinds of errors
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path} is not an ONNX model that onnxruntime {onnxruntime.__version__} reads "
                         f"({one_line(error)})") from error  # fmt: skip
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] != 3:
        raise InputError(f"{path}: expected one input of shape (N, 3, H, W), found {shown(shapes)}")
    if max(side for side in (*input_size(session), 1)) > _LARGEST or min(input_size(session)) < 1:
        raise InputError(
            f"{path}: expected an input of up to {_LARGEST} pixels a side, found {shown(shapes[0])}"
        )
    return session


def run(session: InferenceSession, path: Path, pixels: NDArray[np.float32]) -> list[Any]:
    """Run a model on its one input.

    Raises:
        InputError: The model's graph fails on it.
    """
    try:
        return list(session.run(None, {session.get_inputs()[0].name: pixels}))
    except Exception as error:  # onnxruntime raises many kinds of errors
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path} cannot be run on a picture ({one_line(error)})") from error


def input_size(session: InferenceSession) -> tuple[int, int]:
    """Return the width and height of the pictures that a model reads."""
    height, width = session.get_inputs()[0].shape[2:]
    return (width if isinstance(width, int) else _DYNAMIC, height if isinstance(height, int) else _DYNAMIC)
