"""Predicted poses, turned and seen again: a second view of footage that was filmed from one side.

A pose and its projection are an exact pair of label and keypoints from whichever side the pose is seen. The
lifter's own poses of the footage are turned about the vertical, projected through the footage's camera, and
lifted again; the second lifting has to give the turned poses. So errors that depend on the side from which a
person is seen, such as a limb that is lifted too flat, are made smaller. Lifting, turning, projecting and
lifting again is the idea of Chen et al., "Unsupervised 3D Pose Estimation with Geometric Self-Supervision"
(CVPR 2019), where gradients pass through all of it. Here the turned poses are constants, because a lifter
could otherwise make the loss small with poses that are simple from all sides, such as flat ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..lifting.simulation.recombination.body_frames import from_rotation_vectors, rotate
from ..skeleton import COCO17, H36M17, Skeleton, conversion_weights
from .networks import Prediction
from .projection import project

TILT = math.radians(2)
"""Standard deviation of a turned pose's tilt: about how exactly the vertical is known, for level cameras."""

_THORAX = H36M17.index("thorax")
_FEET = [H36M17.index("rfoot"), H36M17.index("lfoot")]


@dataclass(frozen=True)
class SecondView:
    """Poses of Human3.6M's skeleton that are known, and what the lifter would read of them.

    Attributes:
        pose: (N, T, 17, 3) poses, root at 0.
        keypoints: (N, T, K, 2) keypoints in the lifter's input space.
    """

    pose: Tensor
    keypoints: Tensor


@dataclass(frozen=True)
class SeenPoints:
    """Which keypoints a lifter reads if the joints are known.

    Attributes:
        found: (P, J) the weight of each joint in each point that the detector finds.
        read: (K, P) the weight of each of these points in each keypoint that the lifter reads.
    """

    found: Tensor
    read: Tensor

    @classmethod
    def of(cls, given: Skeleton, *, exact: bool) -> SeenPoints:
        """Return the weights for poses of Human3.6M's skeleton.

        Args:
            given: The layout of the keypoints that the lifter reads.
            exact: Whether the keypoints are those of Human3.6M's joints themselves. If not, they are, or are
                converted from, points that a detector of COCO's keypoints finds.
        """
        if exact:
            return cls(torch.eye(len(H36M17)), torch.eye(len(H36M17)))
        found = torch.from_numpy(conversion_weights(H36M17, COCO17).copy()).float()
        read = torch.from_numpy(conversion_weights(COCO17, given).copy()).float()
        return cls(found, read)

    def project(self, joints: Tensor, camera: Tensor, *, noise: float) -> Tensor:
        """Return the keypoints (N, T, K, 2) of joints (N, T, J, 3) in camera space.

        Args:
            joints: Metres.
            camera: (N, 14) `Lens.parameters`.
            noise: Standard deviation of the detector's errors, in the camera's pixels.
        """
        pixels = project(self.found.to(joints) @ joints, camera)
        return self.read.to(joints) @ (pixels + noise * torch.randn_like(pixels))


@torch.no_grad()
def second_view(prediction: Prediction, camera: Tensor, seen: SeenPoints, *, noise: float) -> SecondView:
    """Turn predicted poses by any angle about the vertical, and see them where they are.

    The vertical is the mean direction from the feet to the thorax, over all samples of this process. It is
    therefore that of no camera if cameras are rolled differently. Random numbers come from PyTorch's own
    generator.

    Args:
        prediction: Poses of Human3.6M's skeleton, and roots, in camera space.
        camera: (N, 14) `Lens.parameters` of each sample's camera.
        seen: Which keypoints the lifter reads.
        noise: See `SeenPoints.project`.
    """
    pose, root = prediction.pose, prediction.root
    with torch.autocast(pose.device.type, enabled=False):  # keypoints are more exact than bfloat16
        up = (pose[..., _THORAX, :] - pose[..., _FEET, :].mean(-2)).mean((0, 1))
        once_for_each = pose.new_ones(len(pose), 1, 1, 1)
        pose = turned(pose, up, 2 * math.pi * torch.rand_like(once_for_each))
        pose = turned(pose, pose.new_tensor([1.0, 0.0, 0.0]), TILT * torch.randn_like(once_for_each))
        return SecondView(pose, seen.project(pose + root, camera, noise=noise))


def turned(points: Tensor, axis: Tensor, angle: Tensor) -> Tensor:
    """Turn points (…, P, 3) about an axis (3,) through the origin, by angles in radians (…, 1, 1)."""
    vectors = (torch.nn.functional.normalize(axis, dim=0) * angle).reshape(*angle.shape[:-2], 3)
    return rotate(from_rotation_vectors(vectors), points)
