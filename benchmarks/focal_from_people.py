"""Measure whether the focal length can be estimated from the people in a video.

    python benchmarks/focal_from_people.py --data FOLDER [--clips 40] [--severity 0.5]

FOLDER holds motion-capture tables (.npz). People are filmed by simulated cameras, whose angles of view across
the longer side are random from 45° to 90°, and by a simulated detector. Each video is lifted with several
candidates for the focal length. Two numbers tell candidates apart: how far the keypoints are from the lifted
joints (the residual), and how much the lengths of bones change through time. A candidate's cost is a weighted
sum of the logarithms of both, plus a prior around 60°. The estimate is the cheapest candidate times a factor.
The factor and the weights are chosen on people of the training data, and the result is measured on held-out
people, against assuming 60° for every video, and against the constant that is best for the training people.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.interpolate import CubicSpline
from simulated_footage import CAMERA, SIZE, film

from videopose.errors import VideoposeError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import DEFAULT_FOV, Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.held_out import roles, select_held_out
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.skeleton import COCO17, H36M17, convert

_ANGLES = (45.0, 90.0)
_CANDIDATES = (35.0, 100.0)
_LONGEST = 300  # frames of a video
# Focal lengths to lift with, relative to the true one: for each true angle they span the candidates.
_RATIOS = np.geomspace(0.34, 3.2, 16)
_WEIGHTS = (0.0, 1.0, 4.0, 16.0, 64.0)
_SPREADS = (0.1, 0.2, 0.4, 1e9)  # of the prior, in the logarithm of the focal length
_FACTORS = tuple(np.linspace(-0.6, 0.6, 13).tolist())  # logarithms
_LIMBS = [H36M17.index(name) for name in H36M17.names if name[0] in "lr"]
_ASSUMED = 1 / math.tan(math.radians(DEFAULT_FOV) / 2)  # focal length in halves of the longer side


class Clip(NamedTuple):
    """A video: its true focal length, in halves of the longer side, and both numbers by candidate."""

    focal: float
    depth: float
    residual: NDArray[np.float64]
    bones: NDArray[np.float64]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Motion-capture tables (.npz).")
@click.option("--lifter", default="default", show_default=True)
@click.option("--clips", default=40, show_default=True, help="At most so many of each table, evenly chosen.")
@click.option("--severity", default=0.5, show_default=True, help="Of the detector; 1 is harsh.")
def main(data: Path, lifter: str, clips: int, severity: float) -> None:
    loaded = load_lifter(lifter)
    tuning: list[Clip] = []
    held_out: dict[str, list[Clip]] = {}
    for path in sorted(data.glob("*.npz")):
        motion = MotionCapture.load(path)
        trained = [i for i, r in enumerate(roles(motion, loaded.about, file=path.name)) if r == "trained"]
        tuning += _film(motion, trained, clips, loaded, severity, f"{path.stem}, training people")
        try:
            chosen = select_held_out(motion, loaded.about, file=path.name).clips
        except VideoposeError:
            continue
        held_out[path.stem] = _film(motion, chosen, clips, loaded, severity, f"{path.stem}, held-out people")
    options = list(itertools.product(_WEIGHTS, _WEIGHTS, _SPREADS, _FACTORS))
    best = min(options, key=lambda option: np.median([_error(clip, *option) for clip in tuning]))
    console = Console()
    names = ("residual weight", "bone weight", "spread of the prior", "logarithm of the factor")
    console.print(", ".join(f"{name} {value:g}" for name, value in zip(names, best, strict=True)))
    table = Table(
        "people", "videos", "assuming 60°", "best constant", "estimated", "residual alone", "bones alone"
    )
    constant = float(np.median([math.log(clip.focal) for clip in tuning]))
    alone = [
        min(
            ((*weights, 1e9, factor) for factor in _FACTORS),
            key=lambda option: np.median([_error(clip, *option) for clip in tuning]),
        )
        for weights in ((1.0, 0.0), (0.0, 1.0))
    ]
    rows = {"training people": tuning, **held_out}
    rows["nearer than 4 m"] = [c for group in held_out.values() for c in group if c.depth < 4]
    for name, group in rows.items():
        if group:
            logs = np.array([math.log(clip.focal) for clip in group])
            values = [np.median(np.abs(logs - guess)) for guess in (math.log(_ASSUMED), constant)]
            values += [np.median([_error(clip, *way) for clip in group]) for way in (best, *alone)]
            table.add_row(name, str(len(group)), *(f"{100 * value:.1f} %" for value in values))
    console.print(table)
    console.print("median error of the focal length: |log(estimate / truth)|")


def _film(
    motion: MotionCapture, clips: Sequence[int], most: int, lifter: Lifter, severity: float, name: str
) -> list[Clip]:
    random = np.random.default_rng(0)
    long = [clip for clip in clips if motion.lengths[clip] / motion.rate >= 3]
    chosen = [long[i] for i in np.linspace(0, len(long) - 1, min(most, len(long))).round().astype(int)]
    results = []
    for clip in track(chosen, name):
        footage = film(motion, [clip], lifter, severity=severity, seed=clip).table
        keypoints, times = footage.keypoints[:_LONGEST], footage.time[:_LONGEST]
        rays = (keypoints[..., :2] - [CAMERA.cx, CAMERA.cy]) / CAMERA.fx
        reach = float(np.abs(rays / [1, SIZE[1] / SIZE[0]]).max())  # of the wanted half picture
        angle = random.uniform(*_ANGLES)
        if math.tan(math.radians(angle) / 2) < reach:
            continue  # the person leaves the picture
        numbers = [_measure(lifter, keypoints, times, ratio) for ratio in _RATIOS]
        residual, bones = np.array(numbers).T
        focal = 1 / math.tan(math.radians(angle) / 2)
        results.append(Clip(focal, float(np.nanmedian(footage.root[:, 2])), residual, bones))
    return results


def _measure(
    lifter: Lifter, keypoints: NDArray[np.float32], times: NDArray[np.float64], ratio: float
) -> tuple[float, float]:
    """Residual in metres, and the spread of bone lengths, if the focal length is wrong by this factor."""
    camera = Intrinsics(CAMERA.fx * ratio, CAMERA.fy * ratio, CAMERA.cx, CAMERA.cy)
    lifted = lifter.lift_track(keypoints, times, lens=Lens(camera), size=SIZE, flip=False)
    placed = lifted.pose[:, _LIMBS] + lifted.root[:, None]
    seen = convert(keypoints[..., :2], COCO17, H36M17)[:, _LIMBS]
    rays = (seen - [camera.cx, camera.cy]) / camera.fx
    off = np.linalg.norm(placed[..., :2] - rays * placed[..., 2:], axis=-1)
    children = [joint for joint, parent in enumerate(H36M17.parents) if parent >= 0]
    bones = lifted.pose[:, children] - lifted.pose[:, [H36M17.parents[c] for c in children]]
    lengths = np.linalg.norm(bones, axis=-1)
    return float(np.nanmean(off)), float((lengths.std(0) / lengths.mean(0)).mean())


def _error(clip: Clip, residual: float, bones: float, spread: float, factor: float) -> float:
    """|log(estimate / truth)| with these weights and this factor."""
    focal = clip.focal * _RATIOS
    cost = residual * np.log(clip.residual) + bones * np.log(clip.bones)
    cost += np.log(focal / _ASSUMED) ** 2 / (2 * spread**2)
    widest, narrowest = (1 / math.tan(math.radians(angle) / 2) / clip.focal for angle in _CANDIDATES[::-1])
    fine = np.linspace(math.log(widest), math.log(narrowest), 400)
    return abs(fine[CubicSpline(np.log(_RATIOS), cost)(fine).argmin()] + factor)


if __name__ == "__main__":
    main()
