"""Run a network over whole sequences: in bounded memory, and with flip augmentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...parts import ComputedRows, give_back_memory, parts_of
from ...skeleton import H36M17, Skeleton
from ..cameras.input_space import InputSpace, centre, centre_visible, mirrored, num_features, turn_back
from ..cameras.intrinsics import H36M_FOCAL
from ..network.fused_model import FusedModel
from ..network.temporal_model import TemporalModel

Network = TemporalModel | FusedModel
"""A model that `predict` accepts: as it was trained, or fused for speed."""

_VISIBLE = 0.999  # a joint interpolated between a visible and a hidden one is hidden

_PASSES = 8  # after which free memory is given back: in pieces, it grows by 40 MB in an hour of video

FRAMES_PER_PASS = 1024  # about 50 MB of activations at 1024 channels; 2048 are not faster on a CPU
_FRAMES_IF_LONG = 512  # beyond `_PASSES`, where a sequence itself is large: 4 % slower, 40 MB less


def predict(
    model: Network,
    keypoints: NDArray[np.float32] | ComputedRows,
    *,
    space: InputSpace | None = None,
    flip: Skeleton | None = None,
    flip_out: Skeleton | None = H36M17,
    frames_per_pass: int | None = None,
) -> NDArray[np.float32]:
    """Run a network over one sequence and return one output for every frame.

    The first and last frames are repeated beyond the ends (§5, "replicate padding"). A long sequence is
    processed in several passes, whose inputs overlap by the receptive field − 1 frames. The result equals
    that of one pass.

    Args:
        model: The network.
        keypoints: One sequence in the model's input space; with `space`, as `to_network` reads it.
        space: Input space into which each pass is brought first. The outputs are then turned back to camera
            space.
        flip: Skeleton of the input. If given, the output is averaged with the prediction for the mirrored
            sequence.
        flip_out: Skeleton of the output, or None if the output is one joint.
        frames_per_pass: Most output frames of one pass, which bounds the memory. Default: 1024; on a CPU, in
            sequences longer than 8 such passes, 512.

    Returns:
        The network's outputs, float32.

    Raises:
        ValueError: The number of output joints is not that of `flip_out`.

    Shape:
        keypoints (T, J, F); result (T, J_out, 3).
    """
    frames = len(keypoints)
    if flip is not None and flip_out is not None and model.num_joints_out not in (1, len(flip_out)):
        raise ValueError(
            f"the model gives {model.num_joints_out} joints, {flip_out.name} has {len(flip_out)}"
        )
    if frames == 0:
        return np.zeros((0, model.num_joints_out, 3), np.float32)
    if frames_per_pass is None:
        long = frames > _PASSES * FRAMES_PER_PASS and model.device.type == "cpu"
        frames_per_pass = _FRAMES_IF_LONG if long else FRAMES_PER_PASS
    order: Sequence[int] = range(model.num_joints_out)
    if flip_out is not None and model.num_joints_out > 1:
        order = flip_out.mirror
    before, after = model.padding
    result = np.empty((frames, model.num_joints_out, 3), np.float32)
    with torch.inference_mode():
        for start in range(0, frames, frames_per_pass):
            end = min(start + frames_per_pass, frames)
            index = np.arange(start - before, end + after).clip(0, frames - 1)
            network_input, rotation = to_network(keypoints[index].astype(np.float32, copy=False), space)
            part = torch.from_numpy(network_input).to(model.device)
            both = part[None] if flip is None else torch.stack([part, mirrored(part, flip.mirror)])
            out = model(both).float()
            if flip is not None:
                out = (out[:1] + mirrored(out[1:], order)) / 2
            found = out[0].cpu()
            if rotation is not None:
                found = turn_back(found, rotation[before : len(index) - after])
            result[start:end] = found.numpy()
            if end % (_PASSES * frames_per_pass) == 0:
                give_back_memory()
    if frames > _PASSES * frames_per_pass:
        give_back_memory()
    return result


def predict_poses(
    model: Network,
    lifter_input: NDArray[np.float32] | ComputedRows,
    space: InputSpace,
    *,
    flip: Skeleton | None,
) -> NDArray[np.float32]:
    """Lift one sequence to poses in camera space.

    Args:
        model: The pose network.
        lifter_input: Keypoints as `to_screen` gives them for the space "screen", else as `to_rays` does.
        space: Input space of the network.
        flip: See `predict`.

    Returns:
        Poses in metres, root at 0.

    Shape:
        lifter_input (T, J, 2); result (T, J_out, 3).
    """
    poses = predict(model, lifter_input, space=space, flip=flip)
    poses -= poses[:, :1]  # in place: an hour of poses takes much memory
    return poses


def to_network(
    lifter_input: NDArray[np.float32], space: InputSpace | None
) -> tuple[NDArray[np.float32], Tensor | None]:
    """Bring keypoints into a network's input space.

    Args:
        lifter_input: See `predict_poses`.
        space: Input space of the network.

    Returns:
        The network's input, and for the centred spaces the rotation of each frame, which `turn_back` undoes.

    Shape:
        lifter_input and the network's input (…, J, 2); rotation (…, 3, 3). In the space "centred-visible" the
        network's input is (…, J, 3). There lifter_input may be (…, J, 3) too: its third feature is 1 for
        visible joints and less for hidden ones. Without this feature, every joint counts as visible.
    """
    if space not in ("centred", "centred-visible"):
        return lifter_input, None
    # In parts: what is computed on the way takes several times the memory of the result.
    network_input = np.empty((*lifter_input.shape[:-1], num_features(space)), np.float32)
    rotation = torch.empty((*lifter_input.shape[:-2], 3, 3))
    for part in parts_of(len(lifter_input)):
        network_input[part], rotation[part] = _centred(lifter_input[part], space)
    return network_input, rotation


def _centred(lifter_input: NDArray[np.float32], space: InputSpace) -> tuple[NDArray[np.float32], Tensor]:
    if space == "centred-visible":
        rays = torch.from_numpy(lifter_input[..., :2] / H36M_FOCAL)
        visible = torch.ones(rays.shape[:-1], dtype=torch.bool)
        if lifter_input.shape[-1] == 3:
            visible = torch.from_numpy(lifter_input[..., 2] > _VISIBLE)
        network_input, rotation = centre_visible(rays, visible)
        return network_input.numpy(), rotation
    network_input, rotation = centre(torch.from_numpy(lifter_input / H36M_FOCAL))
    return network_input.numpy(), rotation
