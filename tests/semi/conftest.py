"""Two people who walk, filmed by a studio's four cameras."""

import numpy as np
import pytest

from videopose.lifting.capture import CaptureSet
from videopose.lifting.mocap import MotionCapture
from videopose.lifting.simulated_studio import film

# A person who looks along x: H36M17, then the ears. Metres.
STILL = np.array([
    (0, 0, 0.93), (0, -0.12, 0.93), (0, -0.12, 0.5), (0, -0.12, 0.07), (0, 0.12, 0.93), (0, 0.12, 0.5),
    (0, 0.12, 0.07), (0, 0, 1.17), (0, 0, 1.42), (0.065, 0, 1.565), (0, 0, 1.72), (0, 0.18, 1.42),
    (0, 0.2, 1.13), (0, 0.22, 0.88), (0, -0.18, 1.42), (0, -0.2, 1.13), (0, -0.22, 0.88),
    (0, 0.075, 1.6), (0, -0.075, 1.6),
])  # fmt: skip
SWINGS = {2: 0.15, 3: 0.35, 5: -0.15, 6: -0.35, 12: 0.1, 13: 0.3, 15: -0.1, 16: -0.3}


def _walk(frames: int, pace: float) -> np.ndarray:
    phase = np.arange(frames)[:, None] / 50 * pace
    swing = np.array([SWINGS.get(joint, 0) for joint in range(19)])
    positions = np.broadcast_to(STILL, (frames, 19, 3)).copy()
    positions[..., 0] += swing * np.sin(2 * np.pi * phase) + phase
    return positions.astype(np.float32)


@pytest.fixture(scope="session")
def motion() -> MotionCapture:
    """Persons "a" and "b", 1.2 seconds each."""
    clips = _walk(60, 1.0), _walk(60, 1.3)
    lengths = np.array([len(clip) for clip in clips])
    names = ("a", "b")
    return MotionCapture(np.concatenate(clips), lengths, 50.0, names, names, ("Walking",) * 2, names)


@pytest.fixture(scope="session")
def studio(motion: MotionCapture) -> dict[str, CaptureSet]:
    """Each person's recordings, with true keypoints."""
    return {name: film(motion, detections=None, clips=[i]) for i, name in enumerate(motion.subjects)}
