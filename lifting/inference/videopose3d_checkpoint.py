"""VideoPose3D's checkpoints: `.bin` files with `model_pos` and in some of them `model_traj`."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...bounded import check_regular
from ...errors import InputError, UsageError, one_line
from ...skeleton import SKELETONS
from ...torch_files import check_tensors, load_torch_file
from .lifter import Lifter, build_model


class _Ignored:
    """Replaces the optimiser's and the random generator's objects, which are not needed."""

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


def load_videopose3d_checkpoint(
    path: str | os.PathLike[str], *, layout: str | None = None, causal: bool = False
) -> Lifter:
    """Read a VideoPose3D checkpoint. The architecture follows from the shapes of the tensors.

    Such models read normalised screen coordinates; Human3.6M's are made for 50 frames per second,
    HumanEva-I's for 60. No code from the file runs: objects other than tensors and plain values are replaced
    by an inert object, and unknown kinds of objects are refused.

    Args:
        path: File of the checkpoint.
        layout: Skeleton of the keypoints that the model reads. Default: HumanEva-I's for 15 joints; COCO17 if
            the file's name contains "coco" (as `pretrained_h36m_detectron_coco.bin` does) or if the model
            turns 17 joints into HumanEva-I's 15; else H36M17.
        causal: Whether the model reads past frames only, which the shapes do not show.

    Raises:
        InputError: The file is missing or is not such a checkpoint.
        UsageError: The layout is unknown.
    """
    if layout is not None and layout not in SKELETONS:
        raise UsageError(f"unknown layout {layout!r}; known: {', '.join(SKELETONS)}")
    if not os.path.exists(path):
        raise InputError(f"{path}: no such lifter file")
    check_regular(path, "a lifter")
    try:
        inert: list[Any] = [(type("_Ignored", (_Ignored,), {}), name) for name in _IGNORED]
        with torch.serialization.safe_globals(inert):
            content = load_torch_file(path)
            for model in ("model_pos", "model_traj"):
                check_tensors(content.get(model) or {}, os.path.getsize(path))
        pose = build_model(read_architecture(content["model_pos"], causal), content["model_pos"])
        trajectory = None
        if content.get("model_traj"):
            root = content["model_traj"]
            trajectory = build_model(read_architecture(root, causal), root)
        humaneva = pose.num_joints_out == 15
        # HumanEva-I's poses are lifted from its own 15 joints or from COCO's 17.
        coco = "coco" in Path(path).name.lower() or (humaneva and pose.num_joints_in == 17)
        by_shape = "humaneva15" if pose.num_joints_in == 15 else "coco17" if coco else "h36m17"
        return Lifter(
            pose,
            layout or by_shape,
            "screen",
            60.0 if humaneva else 50.0,
            trajectory,
            {"source": "VideoPose3D checkpoint"},
        )
    except Exception as error:  # torch.load raises many kinds of errors for a damaged file
        reason = one_line(error)
        if isinstance(error, pickle.UnpicklingError):  # its text advises to run the file's code
            reason = "it is damaged or holds more than tensors and plain values"
        raise InputError(f"{path} is not a VideoPose3D checkpoint ({reason})") from error


def read_architecture(state: Mapping[str, Tensor], causal: bool = False) -> dict[str, Any]:
    """Return `TemporalModel`'s arguments, read from the shapes of its state dict.

    A dense convolution is recognised by its width, which is the reach of the dilated one.

    Args:
        state: The model's weights by name.
        causal: Whether the model reads past frames only.

    Raises:
        KeyError: A weight is missing.
        ValueError: The inputs are not pairs of x and y.
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
