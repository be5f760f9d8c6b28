"""The pose network and the trajectory network of §4, which have the same architecture."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from ..lifting.cameras.input_space import InputSpace, look_at, turn_back
from ..lifting.inference.lifter import Lifter
from ..lifting.network.config import ModelConfig
from ..lifting.network.temporal_model import TemporalModel
from ..skeleton import H36M17

_HIP = H36M17.index("hip")


class PoseAndTrajectory(nn.Module):
    """A module that contains the pose network and the trajectory network. They share no weights.

    Attributes:
        pose: Predicts poses, root at 0.
        trajectory: Predicts roots.
        strided: Whether the faster strided form is used. It requires chunks of one frame.
    """

    def __init__(self, pose: TemporalModel, trajectory: TemporalModel, *, strided: bool) -> None:
        super().__init__()
        self.pose = pose
        self.trajectory = trajectory
        self.strided = strided

    @classmethod
    def untrained(
        cls,
        config: ModelConfig,
        *,
        num_joints_in: int = 17,
        num_joints_out: int = 17,
        seed: int,
        strided: bool,
    ) -> Self:
        """Return two networks with random weights."""
        torch.manual_seed(seed)
        shape = config.model_dump() | {"num_joints_in": num_joints_in}
        pose = TemporalModel(**shape, num_joints_out=num_joints_out)
        return cls(pose, TemporalModel(**shape, num_joints_out=1), strided=strided)

    @classmethod
    def from_lifter(cls, lifter: Lifter, *, seed: int, strided: bool) -> Self:
        """Return a lifter's networks.

        If the lifter has no trajectory network, a copy of its pose network with a new last layer is used,
        because the features of the pose network also carry most of the information about distance.
        """
        torch.manual_seed(seed)
        pose = copy.deepcopy(lifter.model)
        trajectory = copy.deepcopy(lifter.trajectory)
        if trajectory is None:
            trajectory = copy.deepcopy(pose)
            trajectory.num_joints_out = 1
            trajectory.shrink = nn.Conv1d(pose.channels, 3, 1)
        return cls(pose, trajectory, strided=strided)

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Predict poses (N, chunk, J, 3) and roots (N, chunk, 1, 3).

        Args:
            keypoints: (N, receptive field − 1 + chunk, K, 2), as the networks read them.
        """
        return self.lift(keypoints), self._run(self.trajectory, keypoints)

    def lift(self, keypoints: Tensor) -> Tensor:
        """Predict poses (N, chunk, J, 3) alone, of keypoints as in `forward`."""
        return self._run(self.pose, keypoints)

    def _run(self, network: TemporalModel, keypoints: Tensor) -> Tensor:
        output: Tensor = network.forward_strided(keypoints) if self.strided else network(keypoints)
        return output


class EvaluationMode(nn.Module):
    """A module that stays in evaluation mode while it is trained.

    Dropout is off, and batch normalisation keeps the statistics of the lifter's original training, which had
    much more motion than a user's videos. Training with dropout, or with the statistics of each batch, would
    shift the predictions in inference. In particular it would shift people's size, which video does not
    determine.
    """

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode."""
        return super().train(False)


class FineTunedNetworks(EvaluationMode, PoseAndTrajectory):
    """Networks that stay in evaluation mode while they are trained."""


@dataclass(frozen=True)
class Prediction:
    """The prediction of the networks for a batch.

    Attributes:
        pose: (N, chunk, J, 3) poses, root at 0.
        root: (N, chunk, 1, 3) roots.
        rotation: (N, chunk, 3, 3) from camera space to the space of a virtual camera that looks at the hip.
            Networks that read centred rays predict in that space. None if poses and roots are in camera
            space.
    """

    pose: Tensor
    root: Tensor
    rotation: Tensor | None

    def __getitem__(self, samples: slice) -> Prediction:
        """Return the prediction of some samples."""
        rotation = None if self.rotation is None else self.rotation[samples]
        return Prediction(self.pose[samples], self.root[samples], rotation)

    def in_camera_space(self) -> Tensor:
        """Return the joints (N, chunk, J, 3) in camera space, metres, with the root at its position."""
        points = self.pose + self.root
        return points if self.rotation is None else turn_back(points, self.rotation)

    def from_camera_space(self, points: Tensor) -> Tensor:
        """Convert points (N, chunk, J, 3) from camera space to the space of the prediction."""
        return points if self.rotation is None else torch.einsum("...ij,...kj->...ki", self.rotation, points)


def predict(
    networks: nn.Module, keypoints: Tensor, *, padding: tuple[int, int], input_space: InputSpace
) -> Prediction:
    """Predict poses and roots.

    Args:
        networks: `PoseAndTrajectory`, or its wrapper for training in several processes.
        keypoints: (N, receptive field − 1 + chunk, K, 2) in the input space of the networks.
        padding: `TemporalModel.padding` of the networks.
        input_space: The input space of the networks.
    """
    pose, root = networks(keypoints)
    target = keypoints[:, padding[0] : padding[0] + pose.shape[1]]
    return Prediction(pose.float(), root.float(), camera_rotation(target, input_space))


def camera_rotation(keypoints: Tensor, input_space: InputSpace) -> Tensor | None:
    """Return `Prediction.rotation` for target frames (N, chunk, K, 2) in the input space of the networks."""
    # In centred rays, the entry of the hip holds the direction of the hip.
    centred = input_space in ("centred", "centred-visible")
    return look_at(keypoints[:, :, _HIP, :2]) if centred else None
