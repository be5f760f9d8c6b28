"""Errors in 3D of the default lifter before and after `videopose semi-train`, on simulated footage.

    python benchmarks/semi_footage.py --data FOLDER [cmu|hdm05] [good|bad]

People of motion capture whom the lifter was not trained on are filmed by three fixed cameras, and a simulated
detector finds their keypoints: a good one, or one nearly as bad as any that training simulates. In addition,
each keypoint has an offset, the same in all videos. The recipe `footage` was chosen on CMU's held-out people.
HDM05 was measured with earlier recipes, and once with this one.

Errors are measured on the last fifth of every track, and on other clips through other cameras, of which
nothing was learned. FOLDER holds `cmu_h36m17_50hz.npz` and `hdm05_h36m17_50hz.npz`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.evaluation import metrics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.inference.resampling import at_rate
from videopose.lifting.simulation.config import DetectionConfig
from videopose.lifting.simulation.detector_noise import simulate_clip
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.lifting.simulation.studio import DETECTOR, TEST_SUBJECTS
from videopose.pipeline.progress import no_progress
from videopose.pipeline.training.semi_supervised.find_people import People
from videopose.pipeline.training.semi_supervised.from_videos import train_on_videos
from videopose.pipeline.training.semi_supervised.options import SemiOptions
from videopose.semi.quality import assess
from videopose.semi.spans import Span, hold_out

RATE = 30
CAMERA, SIZE = Intrinsics(1400.0, 1400.0, 960.0, 540.0), (1920, 1080)
SHORTEST, LONGEST = 3, 8  # seconds of a clip
HELD_OUT = 0.2


@dataclass(frozen=True)
class Scene:
    """Clips of some people of a table: the number to train on, and the number to measure on."""

    table: str
    people: tuple[str, ...]
    learnt: int
    others: int


SCENES = {
    "cmu": Scene("cmu_h36m17_50hz.npz", TEST_SUBJECTS, 20, 12),
    "hdm05": Scene("hdm05_h36m17_50hz.npz", (), 36, 24),
}
DETECTORS = {
    "good": (DETECTOR.model_copy(update={"severity": (0.4, 0.4)}), 0.01),
    "bad": (DETECTOR, 0.02),
}
"""By name: the simulated detector, and the size of its constant offsets in metres."""

Filmed = list[tuple[Span, NDArray[np.float32]]]
"""The keypoints of a clip, and its true poses (T, 17, 3)."""


def main() -> None:
    """Train and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scene", choices=SCENES)
    parser.add_argument("detector", choices=DETECTORS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labeled", type=Path, help="as of semi-train")
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    given = parser.parse_args()
    learnt, others = film_scene(SCENES[given.scene], *DETECTORS[given.detector], folder=given.data)
    people = People(tuple(span for span, _ in learnt), (), (), ())
    options = SemiOptions(labeled=given.labeled, overrides=tuple(given.overrides))
    with TemporaryDirectory() as folder:
        result = train_on_videos(
            options,
            options.recipe_file,
            Path(folder),
            lambda *_: people,
            resume=False,
            device="cpu",
            command="",
            progress=no_progress,
        )
        after = Lifter.load(result)
    kept = [(part, true[-len(part) :]) for span, true in learnt for part in hold_out([span], HELD_OUT)[1]]
    for name, lifter in (("before", load_lifter("default")), ("after", after)):
        quality = assess([span for span, _ in kept], lifter)
        print(f"{name}: reprojection {quality.reprojection_rays:.2f}, bones {quality.bones:.2f} %, "
              f"sides {quality.sides:.2f} %, jitter {quality.jitter:.2f} m/s²")  # fmt: skip
        for where, filmed in (("kept apart", kept), ("other clips", others)):
            errors = [errors_of(lifter, *each) for each in filmed]
            mean = {key: np.concatenate([each[key] for each in errors]).mean() for key in errors[0]}
            print(f"{name}: {where}: " + ", ".join(f"{key} {value:.1f}" for key, value in mean.items()))


def errors_of(lifter: Lifter, span: Span, true: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Return the error of every frame in millimetres."""
    pose = span.lifted(lifter)[0]
    kinds = {"MPJPE": metrics.mpjpe, "P-MPJPE": metrics.p_mpjpe, "N-MPJPE": metrics.n_mpjpe}
    return {name: 1000 * error(pose, true) for name, error in kinds.items()}


def film_scene(
    scene: Scene, detector: DetectionConfig, bias: float, *, folder: Path
) -> tuple[Filmed, Filmed]:
    """Film clips to learn from by three cameras, and other clips by one camera each."""
    table = MotionCapture.load(folder / scene.table)
    clips = [
        i
        for i in range(len(table))
        if (not scene.people or table.subjects[i] in scene.people)
        and table.lengths[i] >= SHORTEST * table.rate
    ]
    np.random.default_rng(0).shuffle(clips)
    learnt, others = clips[: scene.learnt], clips[scene.learnt : scene.learnt + scene.others]
    return (
        film(table, learnt, detector, bias, cameras=3, seed=5),
        film(table, others, detector, bias, cameras=len(others), seed=6),
    )


def film(
    table: MotionCapture,
    clips: Sequence[int],
    detector: DetectionConfig,
    bias: float,
    *,
    cameras: int,
    seed: int,
    longest: int = LONGEST,
) -> Filmed:
    """Film each clip, `longest` seconds at most, by one of several fixed cameras that look at the action."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, count: int) -> list[float]:
        return (low + (high - low) * torch.rand(count, generator=generator)).tolist()

    bearings, heights = uniform(0, 2 * np.pi, cameras), uniform(0.8, 2.4, cameras)
    distances, facing = uniform(3.5, 6.5, cameras), uniform(0, 2 * np.pi, len(clips))
    always = bias * torch.randn(2, len(COCO_POINTS), generator=generator)
    filmed: Filmed = []
    for number, clip in enumerate(clips):
        points = at_rate(
            np.concatenate([table.clip(clip), coco_face(table.clip(clip))], 1), table.rate, RATE
        )[: longest * RATE]
        points[..., 2] -= np.percentile(points[..., 2].min(1), 2) - 0.07
        camera = number % cameras
        bearing = bearings[camera] + facing[number]
        seen = torch.from_numpy(_seen(points, bearing, heights[camera], distances[camera]))
        coco, depth = seen[:, list(COCO_POINTS)], seen[:, 0, 2]
        true = (coco[..., :2] / coco[..., 2:]).transpose(1, 2) + always / depth[:, None, None]
        rays = simulate_clip(true, coco[..., 2], depth, detector, generator, window=3 * RATE)
        off = (rays - true).norm(dim=1) * depth[:, None]
        # A detector's scores are lower for keypoints with larger errors.
        score = (0.9 - 2.5 * off + 0.1 * torch.randn(off.shape, generator=generator)).clamp(0.05, 0.95)
        pixels = rays.transpose(1, 2).numpy() * [CAMERA.fx, CAMERA.fy] + [CAMERA.cx, CAMERA.cy]
        frames = len(points)
        span = Span(
            table.names[clip],
            0,
            np.concatenate([pixels, score[..., None].numpy()], 2).astype(np.float32),
            np.zeros(frames, bool),
            np.arange(frames) / RATE,
            CAMERA,
            SIZE,
        )
        filmed.append((span, (seen[:, :17] - seen[:, :1]).numpy()))
    return filmed


def _seen(points: NDArray[np.float32], bearing: float, height: float, distance: float) -> NDArray[np.float32]:
    """Bring points (T, J, 3) from the world to camera space, far enough away to be in front of the camera."""
    middle = np.array([*points[:, 0, :2].mean(0), 0.9])
    away = np.array([distance * np.cos(bearing), distance * np.sin(bearing), height - middle[2]])
    position = middle + away
    while True:
        forward = (middle - position) / np.linalg.norm(middle - position)
        right = np.cross(forward, (0, 0, 1)) / np.linalg.norm(np.cross(forward, (0, 0, 1)))
        seen = (points - position) @ np.stack([right, np.cross(forward, right), forward], 1)
        if seen[..., 2].min() >= 1.4:
            return seen.astype(np.float32)
        position = middle + 1.2 * (position - middle)


if __name__ == "__main__":
    main()
