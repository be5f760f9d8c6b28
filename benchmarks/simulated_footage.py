"""Make footage with known true poses: motion capture by a simulated camera and detector, lifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.resampling import at_rate
from videopose.lifting.inference.root_trajectory import fit_root
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.simulation.config import CameraConfig, DetectionConfig
from videopose.lifting.simulation.detector_noise import simulate_clip
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.lifting.simulation.random_cameras import random_cameras

SIZE = (1920, 1080)
CAMERA = Intrinsics.assumed(SIZE)
ANKLE = 0.07  # metres, the height of an ankle whose foot stands on the floor
_WINDOW = 3.0  # seconds between changes of the simulated detector's errors
_SCORE = 0.9  # of every simulated keypoint


@dataclass(frozen=True)
class Footage:
    """One simulated video.

    Attributes:
        table: what lifting gives, with a level camera at the origin.
        joints: (N, 17, 3), the truth in a world with z up and the floor at 0.
        up: (3,), the true up direction in camera space.
        height: the camera's true height above the floor, metres.
    """

    name: str
    table: PoseTable
    joints: NDArray[np.float64]
    up: NDArray[np.float64]
    height: float


def film(
    motion: MotionCapture, clips: Sequence[int], lifter: Lifter, *, severity: float, seed: int
) -> Footage:
    """Film some clips at once, a person each, standing 1.5 to 4 m from the first."""
    generator = torch.Generator().manual_seed(seed)
    cameras = CameraConfig()
    rate = lifter.rate or motion.rate
    people = [person_of(motion, clip, rate) for clip in clips]
    for person in people[1:]:
        distance, bearing = torch.rand(2, generator=generator).tolist()
        away, angle = 1.5 + 2.5 * distance, 2 * np.pi * bearing
        person[..., :2] += people[0][:, 0, :2].mean(0) - person[:, 0, :2].mean(0)
        person[..., :2] += away * np.array([np.cos(angle), np.sin(angle)])
    middle = torch.from_numpy(np.concatenate([p[:, 0] for p in people]).mean(0))
    rotation, position = (v[0] for v in random_cameras(middle[None].float(), cameras, generator))
    turn = rotation.double()

    def seen(place: torch.Tensor) -> list[torch.Tensor]:
        return [(torch.from_numpy(person) - place) @ turn.T for person in people]

    place = position.double()
    while min(float(points[..., 2].min()) for points in seen(place)) < 0.8 * cameras.distance[0]:
        place = middle + 1.2 * (place - middle)
    detections = DetectionConfig(severity=(severity, severity))
    keypoints, poses, roots, times = [], [], [], np.arange(max(len(p) for p in people)) / rate
    for points in seen(place):
        coco = points[:, list(COCO_POINTS)].float()
        rays = simulate_clip(
            (coco[..., :2] / coco[..., 2:]).transpose(1, 2), coco[..., 2], points[:, 0, 2].float(),
            detections, generator, window=max(2, round(_WINDOW * rate)),
        ).transpose(1, 2).numpy()  # fmt: skip
        pixels = rays * [CAMERA.fx, CAMERA.fy] + [CAMERA.cx, CAMERA.cy]
        scores = np.full((*pixels.shape[:2], 1), _SCORE)
        keypoints.append(np.concatenate([pixels, scores], -1).astype(np.float32))
        at = times[: len(pixels)]
        poses.append(lifter.lift_track(keypoints[-1], at, lens=Lens(CAMERA), size=SIZE).pose)
        roots.append(fit_root(poses[-1], keypoints[-1], at, CAMERA))
    table = PoseTable(
        track=np.concatenate([np.full(len(p), i, np.int32) for i, p in enumerate(people)]),
        frame=np.concatenate([np.arange(len(p), dtype=np.int32) for p in people]),
        keypoints=np.concatenate(keypoints),
        pose=np.concatenate(poses),
        root=np.concatenate(roots),
        filled=np.zeros(sum(len(p) for p in people), np.bool_),
        time=times,
        size=SIZE,
        intrinsics=CAMERA,
    )
    return Footage(
        " + ".join(motion.names[clip] for clip in clips),
        table,
        np.concatenate([p[:, :17] for p in people]),
        turn[:, 2].numpy(),
        float(place[2]),
    )


def person_of(motion: MotionCapture, clip: int, rate: float) -> NDArray[np.float64]:
    """(T, 22, 3) points in the world, the floor at 0."""
    points = motion.clip(clip)
    at = at_rate(np.concatenate([points, coco_face(points)], 1), motion.rate, rate)
    person = np.asarray(at, np.float64)
    person[..., 2] -= np.percentile(person[..., 2].min(1), 2) - ANKLE
    return person
