"""Lifting whole sequences: in bounded memory, with flip augmentation, at the video's own time stamps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import COCO17, H36M17, SKELETONS, Skeleton, convert
from ..cameras.input_space import centre, mirrored, turn_back
from ..cameras.intrinsics import H36M_FOCAL, Intrinsics, to_rays, to_screen
from ..network.fused_model import FoldedModel
from ..network.temporal_model import TemporalModel
from .resampling import even_times, interpolate, read_at

if TYPE_CHECKING:
    from ..cameras.input_space import InputSpace
    from .lifter import Lifter

Network = TemporalModel | FoldedModel
"""What `predict` runs: a model as it is, or folded for speed."""

CHUNK = 4096  # output frames a pass: about 200 MB of activations at 1024 channels


def predict(
    model: Network,
    keypoints: NDArray[np.float32],
    *,
    flip: Skeleton | None = None,
    flip_out: Skeleton | None = H36M17,
    chunk: int = CHUNK,
) -> NDArray[np.float32]:
    """Run the model over one sequence, one output for every frame.

    keypoints: (T, J, F) in the model's input space. The first and last frames are repeated beyond the ends
    (§5, "replicate padding"); chunks overlap by the receptive field − 1, so they give the same numbers as
    one pass. flip: the input's skeleton, to average with the prediction for the mirrored sequence;
    flip_out: the output's skeleton (None where the output is one joint).
    Returns (T, J_out, 3) float32. Raises `ValueError` where the output is not `flip_out`'s.
    """
    frames = len(keypoints)
    if flip is not None and flip_out is not None and model.num_joints_out not in (1, len(flip_out)):
        raise ValueError(
            f"the model gives {model.num_joints_out} joints, {flip_out.name} has {len(flip_out)}"
        )
    if frames == 0:
        return np.zeros((0, model.num_joints_out, 3), np.float32)
    sequence = torch.from_numpy(np.ascontiguousarray(keypoints, np.float32)).to(model.device)
    batch = sequence[None]
    if flip is not None:
        batch = torch.stack([sequence, mirrored(sequence, flip.mirror)])
    before, after = model.padding
    parts = []
    with torch.inference_mode():
        for start in range(0, frames, chunk):
            end = min(start + chunk, frames)
            index = torch.arange(start - before, end + after, device=model.device).clamp(0, frames - 1)
            parts.append(model(batch[:, index]).float())
    out = torch.cat(parts, 1)
    if flip is not None:
        order: Sequence[int] = range(model.num_joints_out)
        if flip_out is not None and model.num_joints_out > 1:
            order = flip_out.mirror
        out = (out[:1] + mirrored(out[1:], order)) / 2
    return out[0].cpu().numpy()


def lift_track(
    lifter: Lifter,
    keypoints: NDArray[np.float32],
    times: NDArray[np.float64],
    *,
    camera: Intrinsics,
    size: tuple[int, int],
    flip: bool = True,
) -> NDArray[np.float32]:
    """Lift one unbroken track.

    keypoints: (T, 17, 3) COCO17 x, y in pixels and score. times: (T,) seconds, rising. size: width, height.
    Returns (T, 17, 3) H36M17 poses in camera space, metres, root at 0. Where the video's frame rate is far
    from the lifter's, or uneven, the track is read at the lifter's rate and the poses are interpolated back
    to the real time stamps. Raises `UsageError` for a lifter of another layout (HumanEva's).
    """
    seen = seen_by(lifter, keypoints, camera=camera, size=size)
    grid = even_times(times, lifter.rate)
    if grid is not None:
        seen = read_at(seen, times, grid)
    poses = predict_poses(
        lifter.network, seen, lifter.input_space, flip=SKELETONS[lifter.layout] if flip else None
    )
    return poses if grid is None else interpolate(poses, grid, times)


def seen_by(
    lifter: Lifter, keypoints: NDArray[np.float32], *, camera: Intrinsics, size: tuple[int, int]
) -> NDArray[np.float32]:
    """(…, 17, 3) COCO17 keypoints of a video → (…, 17, 2) positions in the lifter's layout, as of `to_screen`
    or `to_rays`. Raises `UsageError` for a lifter of another layout."""
    skeleton = SKELETONS[lifter.layout]
    if skeleton not in (H36M17, COCO17) or lifter.model.num_joints_out != len(H36M17):
        raise UsageError(
            f"this lifter reads {skeleton.name} keypoints and gives {lifter.model.num_joints_out} joints; "
            "a video's are coco17 or h36m17, a pose table's poses have Human3.6M's 17"
        )
    positions = convert(keypoints[..., :2], COCO17, skeleton)
    return to_screen(positions, size) if lifter.input_space == "screen" else to_rays(positions, camera)


def predict_poses(
    model: Network, seen: NDArray[np.float32], space: InputSpace, *, flip: Skeleton | None
) -> NDArray[np.float32]:
    """Positions (T, J, 2) → poses (T, J_out, 3) in camera space, metres, root at 0.

    seen: as of `camera.to_screen` for the space "screen", else as of `camera.to_rays`.
    """
    return lift_in(space, seen, lambda inputs: predict(model, inputs, flip=flip))


def lift_in(
    space: InputSpace,
    seen: NDArray[np.float32],
    lift: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """As `predict_poses`, by any way to get from inputs in the model's space to poses."""
    if space != "centred":
        poses = lift(seen)
        return poses - poses[:, :1]
    inputs, rotation = centre(torch.from_numpy(seen / H36M_FOCAL))
    poses = lift(inputs.numpy())
    return turn_back(torch.from_numpy(poses - poses[:, :1]), rotation).numpy()
