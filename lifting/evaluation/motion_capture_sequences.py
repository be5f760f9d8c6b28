"""Make sequences to measure a lifter on, of motion capture with simulated cameras and detections."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from ...skeleton import COCO17, COCO_TO_H36M
from ..cameras.intrinsics import H36M_FOCAL
from ..datasets.motion_capture import MotionCapture, coco_face
from ..inference.resampling import at_rate
from ..simulation.config import CameraConfig, DetectionConfig
from ..simulation.detector_noise import simulate_clip
from ..simulation.motion_bank import COCO_POINTS
from ..simulation.random_cameras import random_cameras
from .scores import Sequence3D


def motion_capture_sequences(
    table: MotionCapture,
    *,
    rate: float,
    cameras: CameraConfig,
    detections: DetectionConfig,
    per_clip: int = 3,
    seed: int = 1,
    layout: str = "h36m17",
    window: float = 3.0,
) -> Iterator[Sequence3D]:
    """Yield every clip as seen by random cameras and a simulated detector.

    Each camera stands far enough away for the whole clip. Bodies are not changed.

    Args:
        table: The motion capture.
        rate: Frames per second of the sequences.
        cameras: Distribution of the random cameras.
        detections: Settings of the simulated detector.
        per_clip: Cameras per clip.
        seed: The same seed gives the same sequences.
        layout: Layout of the keypoints: h36m17 or coco17.
        window: Seconds after which the simulated detector's errors change (see `simulate_clip`).
    """
    generator = torch.Generator().manual_seed(seed)
    for index in range(len(table)):
        clip = table.clip(index)
        points = at_rate(np.concatenate([clip, coco_face(clip)], 1), table.rate, rate)
        points[..., 2] -= np.percentile(points[..., 2].min(1), 2) - 0.07
        world = torch.from_numpy(points)
        middle = world[:, 0].mean(0)
        for _ in range(per_clip):
            rotation, position = (v[0] for v in random_cameras(middle[None], cameras, generator))
            seen = (world - position) @ rotation.T
            while float(seen[..., 2].min()) < 0.8 * cameras.distance[0]:
                position = middle + 1.2 * (position - middle)
                seen = (world - position) @ rotation.T
            coco = seen[:, list(COCO_POINTS)]
            joints = H36M_FOCAL * simulate_clip(
                (coco[..., :2] / coco[..., 2:]).transpose(1, 2),
                coco[..., 2],
                seen[:, 0, 2],
                detections,
                generator,
                window=max(2, round(window * rate)),
            )
            if layout != COCO17.name:
                joints = joints @ torch.from_numpy(COCO_TO_H36M.copy()).T
            pose = seen[:, :17] - seen[:, :1]
            yield Sequence3D(
                table.subjects[index],
                table.actions[index],
                joints.transpose(1, 2).contiguous().numpy(),
                pose.numpy(),
            )
