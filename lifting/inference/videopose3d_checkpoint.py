"""Checkpoints in the published format (VideoPose3D's `.bin`: `model_pos`, perhaps `model_traj`)."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import InputError, UsageError
from ...skeleton import SKELETONS
from .lifter import Lifter, build_model


class _Ignored:
    """Stands in for the optimiser's and the random generator's objects, of which nothing is needed."""

    def __init__(self, *args: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...


_IGNORED = (
    "numpy.ndarray",
    "numpy.dtype",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.random.__RandomState_ctor",
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random._mt19937.MT19937",
)


def load_published(
    path: str | os.PathLike[str], *, layout: str | None = None, causal: bool = False
) -> Lifter:
    """Read a published checkpoint; the architecture is read off the tensors' shapes.

    layout: the input's skeleton, which shapes do not tell: by default HumanEva's for 15 joints, COCO17 where
    the file's name says "coco" (as the published `pretrained_h36m_detectron_coco.bin` does) or where
    17 joints become HumanEva's 15, else H36M17.
    causal: shapes do not tell either. Such models read normalised screen coordinates; Human3.6M's are made
    for 50 frames a second. No code from the file runs: what is not a tensor or a plain value is replaced by
    an inert object, and anything unknown is refused.
    Raises `InputError` for another file and `UsageError` for an unknown layout.
    """
    if layout is not None and layout not in SKELETONS:
        raise UsageError(f"unknown layout {layout!r}; known: {', '.join(SKELETONS)}")
    if not Path(path).is_file():
        raise InputError(f"{path}: no such lifter file")
    try:
        inert: list[Any] = [(type("_Ignored", (_Ignored,), {}), name) for name in _IGNORED]
        with torch.serialization.safe_globals(inert):
            content = torch.load(path, map_location="cpu", weights_only=True)
        pose = build_model(read_architecture(content["model_pos"], causal), content["model_pos"])
        trajectory = None
        if content.get("model_traj"):
            root = content["model_traj"]
            trajectory = build_model(read_architecture(root, causal), root)
        humaneva = pose.num_joints_out == 15
        # HumanEva's poses are lifted from its own fifteen joints, or from a COCO detector's.
        coco = "coco" in Path(path).name.lower() or (humaneva and pose.num_joints_in == 17)
        by_shape = "humaneva15" if pose.num_joints_in == 15 else "coco17" if coco else "h36m17"
        return Lifter(
            pose,
            layout or by_shape,
            "screen",
            60.0 if humaneva else 50.0,
            trajectory,
            {"source": "checkpoint in the published format"},
        )
    except Exception as error:  # torch.load raises many kinds for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, pickle.UnpicklingError):  # whose text advises to run the file's code
            reason = "it is damaged or holds more than tensors and plain values"
        raise InputError(f"{path} is not a published checkpoint ({reason})") from error


def read_architecture(state: Mapping[str, Tensor], causal: bool = False) -> dict[str, Any]:
    """`TemporalModel`'s arguments from the shapes of its state dict. Raises `KeyError`, `ValueError`.

    A dense convolution is told from a dilated one by its width, which is the dilated one's reach.
    """
    channels, inputs, first = state["expand_conv.weight"].shape
    kernels: list[int] = []
    while f"layers_conv.{2 * len(kernels)}.weight" in state:
        kernels.append(state[f"layers_conv.{2 * len(kernels)}.weight"].shape[2])
    reaches, dilation = [], first
    for _ in kernels:
        reaches.append((first - 1) * dilation + 1)
        dilation *= first
    dense = first > 1 and bool(kernels) and kernels == reaches
    features = 2
    if inputs % features:
        raise ValueError(f"{inputs} inputs are not pairs of x and y")
    return {
        "num_joints_in": inputs // features,
        "in_features": features,
        "num_joints_out": state["shrink.weight"].shape[0] // 3,
        "filter_widths": (first, *([first] * len(kernels) if dense else kernels)),
        "causal": causal,
        "channels": channels,
        "dense": dense,
    }
