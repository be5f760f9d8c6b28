"""Errors in 3D of a lifter before and after `infer --adapt`, on simulated footage.

    python benchmarks/adaptation.py --data FOLDER [cmu|hdm05] [good|bad] [--clips 12] [--together]

People of motion capture whom the lifter was not trained on are filmed, each clip by its own camera, and a
simulated detector finds their keypoints, as in `semi_footage.py`. A copy of the lifter is adapted to each
clip, or with --together to all of them, and lifts the same clips. The settings of the adaptation were chosen
on CMU's held-out people. HDM05 is for measuring only.

FOLDER holds `cmu_h36m17_50hz.npz` and `hdm05_h36m17_50hz.npz`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from semi_footage import DETECTORS, LONGEST, SCENES, Filmed, errors_of, film

from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.semi.adaptation import AdaptationConfig, adapt
from videopose.semi.quality import assess

SHORTEST = 4  # seconds of a clip
KINDS = ("MPJPE", "P-MPJPE", "N-MPJPE")


@dataclass(frozen=True)
class Result:
    """What was measured on a clip.

    Attributes:
        before: The mean of each error of `KINDS` with the starting lifter, millimetres.
        after: The same with the adapted lifter.
        drift: Change of the mean bone length, percent.
        seconds: Processor time of the adaptation per clip.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    drift: float
    seconds: float


def main() -> None:
    """Adapt and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scene", choices=SCENES)
    parser.add_argument("detector", choices=DETECTORS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--longest", type=int, default=LONGEST, help="seconds of a clip")
    parser.add_argument("--seed", type=int, default=3, help="of the clips and the cameras")
    parser.add_argument("--lifter", default="default")
    parser.add_argument("--together", action="store_true", help="one lifter for all clips")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    config = AdaptationConfig.model_validate(dict(each.split("=", 1) for each in given.settings))
    lifter = load_lifter(given.lifter)
    filmed = film_clips(given.scene, given.detector, given.clips, given.seed, given.data, given.longest)
    groups = [filmed] if given.together else [[each] for each in filmed]
    results = [result for group in groups for result in measure(lifter, group, config)]
    report(results)


def film_clips(scene: str, detector: str, count: int, seed: int, folder: Path, longest: int) -> Filmed:
    """Film clips of a scene's people, each by its own camera."""
    table = MotionCapture.load(folder / SCENES[scene].table)
    people = SCENES[scene].people
    clips = [
        i
        for i in range(len(table))
        if (not people or table.subjects[i] in people) and table.lengths[i] >= SHORTEST * table.rate
    ]
    np.random.default_rng(seed).shuffle(clips)
    return film(table, clips[:count], *DETECTORS[detector], cameras=count, seed=seed + 10, longest=longest)


def measure(lifter: Lifter, filmed: Filmed, config: AdaptationConfig) -> list[Result]:
    """Adapt a lifter to clips together, and measure it on each."""
    begun = time.process_time()
    adapted = adapt(lifter, [span for span, _ in filmed], config)
    seconds = (time.process_time() - begun) / len(filmed)

    results = []
    for span, true in filmed:
        before, after = (
            np.array([np.mean(errors_of(each, span, true)[kind]) for kind in KINDS])
            for each in (lifter, adapted.lifter)
        )
        results.append(Result(before, after, adapted.drift, seconds))
        change = 100 * (after / before - 1)
        reprojection = [assess([span], each).reprojection_rays for each in (lifter, adapted.lifter)]
        print(
            f"{span.name:24} {span.seconds:4.1f} s  "
            + ", ".join(f"{k} {b:.1f} {c:+.1f} %" for k, b, c in zip(KINDS, before, change, strict=True))
            + f", reprojection {reprojection[0]:.1f} → {reprojection[1]:.1f}",
            flush=True,
        )
    return results


def report(results: list[Result]) -> None:
    """Print the means over clips."""
    before, after = (np.array([getattr(r, name) for r in results]) for name in ("before", "after"))
    for index, kind in enumerate(KINDS):
        ratio = after[:, index] / before[:, index] - 1
        print(
            f"{kind}: {before[:, index].mean():.1f} → {after[:, index].mean():.1f} mm, "
            f"mean change over clips {100 * ratio.mean():+.1f} %, worst {100 * ratio.max():+.1f} %, "
            f"better on {(ratio < 0).sum()} of {len(ratio)}"
        )
    print(
        f"mean bone length: {np.mean([r.drift for r in results]):+.2f} %; "
        f"processor time {np.mean([r.seconds for r in results]):.0f} s a clip"
    )


if __name__ == "__main__":
    main()
