"""Two people who walk, filmed by a studio's four cameras."""

import numpy as np
import pytest

from standing import STILL
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.datasets.recordings import RecordingSet
from videopose.lifting.simulation.studio import film

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
def studio(motion: MotionCapture) -> dict[str, RecordingSet]:
    """Each person's recordings, with true keypoints."""
    return {name: film(motion, detections=None, clips=[i]) for i, name in enumerate(motion.subjects)}
