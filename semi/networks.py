"""The two networks of §4: one for the pose, and one of the same architecture for where the root is."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from ..lifting.cameras.input_space import InputSpace, look_at, turn_back
from ..lifting.inference.lifter import Lifter
from ..lifting.network.config import ModelConfig
from ..lifting.network.temporal_model import TemporalModel
from ..skeleton import H36M17

_HIP = H36M17.index("hip")


class Networks(nn.Module):
    """Pose and trajectory model, called as one. They share no weights.

    strided: whether to use the faster training form, for chunks of one frame.
    """

    def __init__(self, pose: TemporalModel, trajectory: TemporalModel, *, strided: bool) -> None:
        super().__init__()
        self.pose = pose
        self.trajectory = trajectory
        self.strided = strided

    @classmethod
    def fresh(cls, config: ModelConfig, joints: tuple[int, int], *, seed: int, strided: bool) -> Networks:
        """Both untrained. joints: of the keypoints and of the poses."""
        torch.manual_seed(seed)
        shape = config.model_dump()
        return cls(
            TemporalModel(**shape, num_joints_in=joints[0], num_joints_out=joints[1]),
            TemporalModel(**shape, num_joints_in=joints[0], num_joints_out=1),
            strided=strided,
        )

    @classmethod
    def of(cls, lifter: Lifter, *, seed: int, strided: bool) -> Networks:
        """A lifter's. One without a trajectory model gets a copy of its pose model for a start, with a last
        layer of its own: what tells a pose tells most of how far away it is."""
        torch.manual_seed(seed)
        pose = copy.deepcopy(lifter.model)
        trajectory = copy.deepcopy(lifter.trajectory)
        if trajectory is None:
            trajectory = copy.deepcopy(pose)
            trajectory.num_joints_out = 1
            trajectory.shrink = nn.Conv1d(pose.channels, 3, 1)
        return cls(pose, trajectory, strided=strided)

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """(N, receptive field − 1 + chunk, K, 2) → poses (N, chunk, J, 3), roots (N, chunk, 1, 3)."""
        if self.strided:
            return self.pose.forward_strided(keypoints), self.trajectory.forward_strided(keypoints)
        return self.pose(keypoints), self.trajectory(keypoints)


def rotation_of(keypoints: Tensor, model: ModelConfig, chunk: int, space: InputSpace) -> Tensor | None:
    """How the virtual cameras that the networks' answers belong to are turned: (N, chunk, 3, 3), camera to
    virtual camera, or None where they answer in camera space.

    keypoints: (N, receptive field − 1 + chunk, K, 2), as the networks read them. (Centred rays hold the hip's
    own ray in its place.)
    """
    if space != "centred":
        return None
    reach = math.prod(model.filter_widths) - 1
    before = reach if model.causal else reach // 2
    return look_at(keypoints[:, before : before + chunk, _HIP])


def to_camera(points: Tensor, rotation: Tensor | None) -> Tensor:
    """Points (N, chunk, J, 3) as the networks give them, in camera space."""
    return points if rotation is None else turn_back(points, rotation)


def to_network(points: Tensor, rotation: Tensor | None) -> Tensor:
    """Points (N, chunk, J, 3) in camera space, as the networks are to give them."""
    return points if rotation is None else torch.einsum("...ij,...kj->...ki", rotation, points)
