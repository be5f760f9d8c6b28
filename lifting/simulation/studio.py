"""Simulated recordings: motion capture filmed by four fixed, simulated cameras, as in Human3.6M.

The people of a motion-capture table move in the middle of a room. Four cameras in its corners film them, and
a simulated detector finds their keypoints. The result is a `RecordingSet`, like that of the readers of
datasets.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from ...errors import InputError, UsageError
from ...skeleton import COCO_TO_H36M, H36M17
from ..cameras.distortion import Lens
from ..cameras.extrinsics import Extrinsics
from ..cameras.intrinsics import H36M_FOCAL, Intrinsics, project
from ..datasets.config import RecordingsConfig
from ..datasets.motion_capture import MotionCapture, coco_face
from ..datasets.recordings import CalibratedCamera, Recording, RecordingSet, activity
from .config import DetectionConfig
from .detector_noise import simulate_clip
from .motion_bank import COCO_POINTS

TEST_SUBJECTS = ("02", "06", "09", "49", "115")
"""The held-out people of CMU's database, the same as for the default lifter."""

UNKNOWN_SUBJECT = "?"
"""The subject of clips of unknown people. They are never trained on, because they may show a test subject."""

TABLES = "cmu*.npz"
"""The motion-capture table in a data folder, as `videopose prepare cmu` names it."""

DETECTOR = DetectionConfig(
    jitter=(0.003, 0.02),
    drift=(0.005, 0.04),
    bias=0.018,
    hidden=1.2,
    outliers=0.006,
    outlier_size=0.15,
    episodes=0.35,
)
"""The errors of the simulated detector. The mean error of a keypoint is 12 pixels."""

ROOM = 1.5
"""Radius in metres around the middle of the room, in which the hip stays during a take."""

_SIZE = (1000, 1000)
_CORNER = 3.5  # metres from the middle along either wall: cameras stand 4.95 m away
_HEIGHT = 1.6
_AIM = (0.0, 0.0, 0.9)  # a hip in the middle of the room
_ANKLE = 0.07  # metres above the floor
_SHORTEST = 0.5  # seconds of a take
_WINDOW = 3.0  # seconds with one sample of the simulated detector's errors, as in `evaluation.sequences`


def _camera(name: str, x: float, y: float) -> CalibratedCamera:
    position = (x, y, _HEIGHT)
    forward = np.subtract(_AIM, position)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    i, j, k, w = Rotation.from_matrix(np.stack([right, np.cross(forward, right), forward], 1)).as_quat()
    lens = Lens(Intrinsics.centred(H36M_FOCAL * _SIZE[0] / 2, _SIZE))
    return CalibratedCamera(name, _SIZE, Extrinsics((float(w), float(i), float(j), float(k)), position), lens)


CAMERAS = tuple(
    _camera(f"corner {number}", x * _CORNER, y * _CORNER)
    for number, (x, y) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1)), 1)
)
"""Pinholes with Human3.6M's picture size and focal length."""


def film(
    table: MotionCapture,
    *,
    detections: DetectionConfig | None,
    clips: Collection[int] | None = None,
    seed: int = 0,
) -> RecordingSet:
    """Film motion capture with all four cameras.

    A clip is divided into takes that are short enough to stay in the room. Each take is turned about the
    vertical axis and moved in the room, at random. Keypoints are H36M17, converted from COCO17 as in
    inference.

    Args:
        table: The motion capture.
        detections: The errors of the simulated detector; None for true keypoints.
        clips: The indices of the clips to film; None for all.
        seed: Seed of the random numbers. The recordings of a clip depend only on the seed and the clip, not
            on the other clips. Its takes are at the same places with and without detection errors.

    Raises:
        ValueError: If no clip is long enough for a take.
    """
    recordings = []
    for clip in range(len(table)) if clips is None else sorted(clips):
        places, faults = (torch.Generator().manual_seed(2 * (seed * 1_000_003 + clip) + i) for i in (0, 1))
        points = table.clip(clip)
        points = np.concatenate([points, coco_face(points)], 1)
        points[..., 2] -= np.percentile(points[..., 2].min(1), 2) - _ANKLE
        for take in _takes(points[:, 0, :2], shortest=round(_SHORTEST * table.rate)):
            world = _put(points[take], places)
            for camera in CAMERAS:
                seen = camera.extrinsics.to_camera(world)
                root = seen[:, 0]
                recordings.append(
                    Recording(
                        table.subjects[clip],
                        table.actions[clip],
                        camera,
                        _keypoints(seen, camera, detections, table.rate, faults),
                        seen[:, : len(H36M17)] - root[:, None],
                        root.copy(),
                    )
                )
    if not recordings:
        raise ValueError("no clip is long enough to film")
    return RecordingSet(tuple(recordings), H36M17, H36M17, table.rate)


def read_studio(config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
    """Film the motion-capture table of a folder.

    Args:
        config: Which recordings to make. `keypoints` is "simulated" or "gt". By default `TEST_SUBJECTS` are
            measured on, and all other known people are trained on.
        folder: The folder of the table.

    Returns:
        The recordings to train on, and those to measure on (None if there are no test subjects).

    Raises:
        InputError: If the folder does not have exactly one table.
        UsageError: If the keypoints or a person are unknown, or a person is in both parts.
    """
    if config.keypoints not in ("simulated", "gt"):
        raise UsageError(f"recordings.keypoints: a studio has simulated and gt, not {config.keypoints!r}")
    table = load_table(folder)
    test = TEST_SUBJECTS if config.test_subjects is None else config.test_subjects
    train = config.train_subjects or tuple(sorted({*table.subjects} - {*test, UNKNOWN_SUBJECT}))
    if both := sorted({*train} & {*test}):
        raise UsageError(f"recordings: {', '.join(both)} cannot be both trained and tested on")
    if unknown := sorted({*train, *test} - {*table.subjects}):
        raise UsageError(f"recordings: the motion capture has no person called {', '.join(unknown)}")

    def part(people: Collection[str]) -> RecordingSet:
        clips = [
            i
            for i, (subject, action) in enumerate(zip(table.subjects, table.actions, strict=True))
            if subject in people and (not config.activities or activity(action) in config.activities)
        ]
        if not clips:
            raise UsageError(f"recordings.activities: none of {', '.join(people)}")
        return film(table, clips=clips, detections=None if config.keypoints == "gt" else DETECTOR)

    return part(train), part(test) if test else None


@dataclass(frozen=True)
class SimulatedDataset:
    """A `Dataset` of simulated recordings of a motion-capture table."""

    licence: str

    def read(self, config: RecordingsConfig, folder: Path) -> tuple[RecordingSet, RecordingSet | None]:
        """Read recordings to train on and to measure on, as `read_studio` does."""
        return read_studio(config, folder)


DATASET = SimulatedDataset(
    "free for all uses; CMU asks that mocap.cs.cmu.edu be named as where the data was obtained"
)


def load_table(folder: Path) -> MotionCapture:
    """Load the motion-capture table of a folder.

    Raises:
        InputError: If the folder does not have exactly one table.
    """
    found = sorted(folder.glob(TABLES))
    if len(found) != 1:
        raise InputError(
            f"{folder}: {len(found)} motion-capture tables {TABLES} where one is needed; "
            "`videopose prepare cmu` makes it"
        )
    return MotionCapture.load(found[0])


def _takes(path: NDArray[np.float32], *, shortest: int) -> Iterator[slice]:
    """Yield the longest spans of a hip's path (T, 2) that fit into the room; short spans are left out."""
    start = 0
    while start < len(path):
        rest = path[start:]
        extent = np.maximum.accumulate(rest) - np.minimum.accumulate(rest)
        outside = np.hypot(*extent.T) > 2 * ROOM
        stop = start + (int(outside.argmax()) if outside.any() else len(rest))
        if stop - start >= shortest:
            yield slice(start, stop)
        start = stop


def _put(points: NDArray[np.float32], generator: torch.Generator) -> NDArray[np.float32]:
    """Turn a take (T, J, 3) about the vertical axis, and move it to a random place in the room."""
    bearing, towards, far = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
    c, s = math.cos(2 * math.pi * bearing), math.sin(2 * math.pi * bearing)
    low, high = points[:, 0, :2].min(0), points[:, 0, :2].max(0)
    room = max(0.0, ROOM - float(np.hypot(*(high - low))) / 2) * math.sqrt(far)
    place = room * np.array([math.cos(2 * math.pi * towards), math.sin(2 * math.pi * towards)])
    out = points.copy()
    out[..., :2] = (points[..., :2] - (low + high) / 2) @ np.array([[c, s], [-s, c]]) + place
    return out


def _keypoints(
    seen: NDArray[np.float32],
    camera: CalibratedCamera,
    detections: DetectionConfig | None,
    rate: float,
    generator: torch.Generator,
) -> NDArray[np.float32]:
    """Return H36M17 keypoints (T, 17, 2), pixels, of points (T, 22, 3) in camera space."""
    coco = torch.from_numpy(seen[:, list(COCO_POINTS)])
    rays: Tensor = (coco[..., :2] / coco[..., 2:]).transpose(1, 2)
    if detections is not None:
        distance = torch.from_numpy(seen[:, 0, 2])
        window = max(2, round(_WINDOW * rate))
        rays = simulate_clip(rays, coco[..., 2], distance, detections, generator, window=window)
    joints = (rays @ torch.from_numpy(COCO_TO_H36M.copy()).T).transpose(1, 2)
    assert camera.lens is not None
    return project(torch.nn.functional.pad(joints, (0, 1), value=1.0).numpy(), camera.lens.intrinsics)
