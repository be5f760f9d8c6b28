"""Sample windows of held-out people in special situations, and measure a lifter on them.

Whole clips cannot be simulated like this: near cameras and recombined people exist for single windows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from ...skeleton import H36M17
from ..cameras.input_space import mirrored, turn_back
from ..cameras.intrinsics import H36M_FOCAL
from ..datasets.motion_capture import MotionCapture
from ..inference.lifter import Lifter
from ..inference.predict import to_network
from ..simulation.motion_bank import MotionBank
from ..training.config import TrainingConfig
from ..training.synthetic_batches import film
from . import metrics
from .hidden_limbs import on_neighbours

_CHUNK = 256  # windows lifted at a time
_SAME_BODY = {"stature": 0.0, "stature_mean": 1.0, "bone": 0.0, "hip_width": (1.0, 1.0)}


@dataclass(frozen=True)
class Windows:
    """Windows, one pose each.

    Attributes:
        keypoints: (N, F, 17, 2) rays in the Human3.6M layout.
        visible: (N, F, 17) bool.
        pose: (N, 17, 3) the true pose of the target frame in camera space, metres, root at 0.
        target: The frame whose pose is wanted.
    """

    keypoints: Tensor
    visible: Tensor
    pose: Tensor
    target: int

    def hiding(self, left: Tensor) -> Windows:
        """Return the windows with only these joints (17,) visible."""
        return Windows(self.keypoints, self.visible & left, self.pose, self.target)


@dataclass(frozen=True)
class WindowErrors:
    """A lifter's mean errors on windows, millimetres.

    Attributes:
        mpjpe: MPJPE over all joints, hidden ones too.
        p_mpjpe: The same after rigid alignment with scale.
        visible: MPJPE of the visible joints, after their mean is moved to the true one.
        count: Number of windows.
    """

    mpjpe: float
    p_mpjpe: float
    visible: float
    count: int


def make_windows(
    table: MotionCapture,
    lifter: Lifter,
    *,
    severity: float | None,
    count: int = 2048,
    seed: int = 1,
    changes: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Windows:
    """Sample windows of a table's people, with random cameras and a simulated detector.

    Bodies are not changed and motion is not mirrored.

    Args:
        table: The people.
        lifter: The lifter to measure, which says how long a window is, and at which frame rate.
        severity: Factor on all errors of the simulated detector; None for true keypoints.
        count: Number of windows.
        seed: The same seed gives the same people and frames for lifters of one receptive field and rate.
        changes: Sections of a training configuration, such as `{"cameras": {"near": 1.0}}`.
    """
    model = lifter.model
    factor = severity or 1e-6
    config = TrainingConfig.model_validate(
        {
            "name": "yardstick",
            "motions": [{"path": "held out"}],
            "input_space": "centred-visible",
            "rate": lifter.rate or table.rate,
            "speed": (1.0, 1.0),
            "mirror": 0.0,
            "tumble": 0.0,
            "bodies": _SAME_BODY,
            "model": {"filter_widths": model.filter_widths, "causal": model.causal},
            "detections": {"severity": (factor, factor)},
            "picture": {"misplaced": 0.0},
            **changes,
            "cameras": {"focal_error": 0.0, **changes.get("cameras", {})},
        }
    )
    filmed = film(MotionBank.build([(table, 1.0)]), config, count, torch.Generator().manual_seed(seed))
    assert filmed.visible is not None
    return Windows(filmed.keypoints, filmed.visible, filmed.pose, filmed.target)


def lift_windows(lifter: Lifter, windows: Windows, *, flip: bool = True) -> Tensor:
    """Lift windows to poses (N, 17, 3) in camera space, root at 0.

    A lifter that reads no visibility gets hidden joints on their neighbours.
    """
    keypoints = windows.keypoints
    if not lifter.reads_visibility:
        keypoints = on_neighbours(keypoints, windows.visible)
    features = [H36M_FOCAL * keypoints]
    if lifter.reads_visibility:
        features.append(windows.visible[..., None].float())
    model = lifter.model
    lift = model if model.dense else model.forward_strided  # which computes no other frames than the target
    network_input, rotation = to_network(torch.cat(features, -1).numpy(), lifter.input_space)
    found = []
    with torch.inference_mode():
        for start in range(0, len(network_input), _CHUNK):
            part = torch.from_numpy(network_input[start : start + _CHUNK])
            pose = lift(part)[:, 0]
            if flip:
                other = lift(mirrored(part, H36M17.mirror))[:, 0]
                pose = (pose + mirrored(other, H36M17.mirror)) / 2
            found.append(pose)
    poses = torch.cat(found)
    if rotation is not None:
        poses = turn_back(poses, rotation[:, windows.target])
    return poses - poses[:, :1]


def score_windows(poses: Tensor, windows: Windows, *, left: Tensor | None = None) -> WindowErrors:
    """Measure lifted poses.

    Args:
        poses: As `lift_windows` gives them.
        windows: What was lifted.
        left: (17,) joints that count as visible. Default: those of each window's target frame.
    """
    true = windows.pose
    shown = windows.visible[:, windows.target] if left is None else left.expand(len(poses), -1)
    weight = shown[..., None].float()
    number = weight.sum(1, keepdim=True).clamp(min=1)
    off = (poses - (poses * weight).sum(1, keepdim=True) / number) - (
        true - (true * weight).sum(1, keepdim=True) / number
    )
    return WindowErrors(
        1000 * float((poses - true).norm(dim=-1).mean()),
        1000 * float(metrics.p_mpjpe(poses.numpy(), true.numpy()).mean()),
        1000 * float((off.norm(dim=-1) * shown).sum() / shown.sum()),
        len(poses),
    )
