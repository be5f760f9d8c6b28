"""Open one of MoveNet's two networks with onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...cores import available_cores
from ..onnx_runtime import import_onnxruntime
from .converted_model import converted_model

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(
    topology: Path,
    weights: Path,
    *,
    cache: Path | None = None,
    threads: int | None = None,
    device: str = "cpu",
    spin: bool = True,
) -> InferenceSession:
    """Open a TensorFlow.js graph as an onnxruntime session.

    Args:
        topology: The graph's JSON file.
        weights: The graph's binary file.
        cache: The folder that keeps the converted graph, or None to convert it at every call.
        threads: The number of onnxruntime's threads; None for one on each core that this process may use.
            A stated number also keeps onnxruntime from pinning its threads to cores.
        device: "cpu" or "cuda"; "cuda" falls back to the CPU if the installed onnxruntime has no CUDA.
        spin: Whether threads without work poll for more work during a run instead of sleeping. Polling is
            onnxruntime's default. It is fastest for a network that runs on every frame. After a run, threads
            always sleep: otherwise they would take the cores that decode and lift.

    Raises:
        InputError: A file cannot be read, or is not one of MoveNet's published graphs.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores() if threads is None else threads
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if not spin:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    model = converted_model(topology, weights, cache)
    return onnxruntime.InferenceSession(model, options, providers=providers)
