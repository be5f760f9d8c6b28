"""The shipped lifter's errors on people it was never trained on.

    python benchmarks/lifter_accuracy.py --data FOLDER

FOLDER holds the motion-capture tables. Measured are the subjects that the lifter's file says were held out, and
all of HDM05 (Müller et al., CG-2007-2), each clip through random cameras, with simulated detections and with
true 2D, over several seeds. A clip counts as one window, so long clips have one bias and at most one episode.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import astuple
from pathlib import Path

from rich.console import Console
from rich.table import Table

from videopose.lifting.config import DetectionConfig, TrainingConfig
from videopose.lifting.evaluation import Errors, measure, sequences
from videopose.lifting.mocap import MotionCapture
from videopose.lifting.shipped import load_lifter
from videopose.lifting.training import split

TRUE_2D = DetectionConfig(jitter=(1e-9, 1e-9), drift=(1e-9, 1e-9), bias=0, outliers=0, episodes=0)
COLUMNS = ("MPJPE", "P-MPJPE", "N-MPJPE", "MPJVE", "limbs MPJPE", "limbs P-MPJPE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the motion-capture tables")
    parser.add_argument("--lifter", default="default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=1, help="cameras a clip and seed")
    parser.add_argument("--hdm05", default="hdm05_h36m17_50hz.npz", help="file name of HDM05's table")
    options = parser.parse_args()

    lifter = load_lifter(options.lifter)
    config = TrainingConfig.model_validate(lifter.about["config"])
    held = split(config, options.data)[1]
    tables = {"HDM05": MotionCapture.load(options.data / options.hdm05)}
    if held is not None:
        tables = {"held-out people": held} | tables

    table = Table("people", "2D", *COLUMNS, "frames", title=f"{options.lifter}, mm (MPJVE: mm a frame)")
    for name, motion in tables.items():
        for kind, detections in (("simulated", config.detections), ("true", TRUE_2D)):
            results: list[Errors] = []
            for seed in range(1, options.seeds + 1):
                seen = list(
                    sequences(
                        motion,
                        rate=config.rate,
                        cameras=config.cameras,
                        detections=detections,
                        per_clip=options.cameras,
                        seed=seed,
                    )
                )
                results.append(measure(lifter.model, seen, config.input_space))
            values = list(zip(*(astuple(r)[:6] for r in results), strict=True))
            cells = [f"{statistics.mean(v):.1f} ({min(v):.1f}–{max(v):.1f})" for v in values]
            table.add_row(name, kind, *cells, str(results[0].frames))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
