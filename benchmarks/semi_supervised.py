"""What unlabelled footage is worth where labels are scarce: the paper's §6.2 on motion capture for anybody.

    python benchmarks/semi_supervised.py run --data FOLDER --results runs/semi-supervised
    python benchmarks/semi_supervised.py table --results runs/semi-supervised

The people of CMU's motion capture act before four simulated cameras, and a simulated detector finds their
keypoints (`lifting/simulated_studio.py`); frames are thinned to ten a second. Of person 14, who does everyday
things, a share of every take is labelled. The keypoints of all others stand for unlabelled footage, except
those of `TEST_SUBJECTS`, on whom the errors are measured. For every share and seed three lifters of one kind
are trained for as many steps: on the labels alone, with the footage, and with it but without the bone term.

`run` does what is not yet in the results folder, so it can be stopped and started. FOLDER holds the table
that `videopose prepare cmu` makes. `table` writes the means into docs/semi-supervised.md.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory

import torch

from videopose.files import replacing
from videopose.lifting.capture import CaptureSet
from videopose.lifting.config import DetectionConfig
from videopose.lifting.evaluation import pool, score
from videopose.lifting.lifter import Lifter
from videopose.lifting.mocap import MotionCapture
from videopose.lifting.recorded_batches import RecordedBatches
from videopose.lifting.recorded_data import thin
from videopose.lifting.recorded_sequences import lift_recorded, recorded_sequences
from videopose.lifting.simulated_studio import NOBODY, TEST_SUBJECTS, film
from videopose.semi.batches import UnlabelledBatches
from videopose.semi.config import SemiRecordedConfig
from videopose.semi.footage import studio_footage
from videopose.semi.networks import Networks
from videopose.semi.training import train

TABLE = "cmu_h36m17_50hz.npz"
LABELLED = "14"
SHARES = (0.01, 0.05, 0.2, 1.0)
SEEDS = (0, 1, 2)
METHODS = {"supervised": (0, 0), "semi-supervised": (1, 1), "without bones": (1, 0)}
"""Name → weights of the reprojection and the bone term."""

PAGE = Path(__file__).parents[1] / "docs" / "semi-supervised.md"
BEGIN, END = "<!-- semi-supervised benchmark -->", "<!-- end -->"


def main() -> None:
    """Run, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", type=Path, help=f"folder with {TABLE}")
    parser.add_argument("--results", type=Path, required=True, help="folder of the runs' errors")
    parser.add_argument("--steps", type=int, default=3000, help="of every run")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.what == "table":
        write_table(options.results)
        return
    if options.data is None:
        parser.error("run needs --data")
    for seed, share, method in product(options.seeds, options.shares, options.methods):
        path = options.results / f"{share:g}-{method.replace(' ', '-')}-{seed}.json"
        if not path.exists():
            found = run(options.data / TABLE, share, method, seed, steps=options.steps, device=options.device)
            with replacing(path) as partial:
                partial.write_text(json.dumps(found, indent=2), encoding="utf-8")
            print(f"{path.name}: MPJPE {found['mpjpe']:.1f} mm, {found['seconds']:.0f} s", flush=True)


def run(table: Path, share: float, method: str, seed: int, *, steps: int, device: str) -> dict[str, object]:
    """Train one lifter and measure it."""
    begun = time.perf_counter()
    labelled, footage, test = studio(table, seed)
    labelled = thin(labelled, downsample=5, subset=share)
    reprojection, bones = METHODS[method]
    values = {
        "name": method, "recordings": {"data_set": "studio"}, "seed": seed,
        "model": {"filter_widths": [3, 3], "channels": 256},
        "schedule": {"batch": 64, "checkpoint_every": 10**9, "measure_every": 10**9},
        "semi": {"reprojection": reprojection, "bones": bones},
    }  # fmt: skip
    config = SemiRecordedConfig.model_validate(values)
    epoch = RecordedBatches(labelled, config).epoch
    epochs = math.ceil(steps / epoch)
    values["schedule"] |= {"epochs": epochs, "decay": 0.02 ** (1 / epochs)}  # type: ignore[operator]
    values["semi"] |= {"warmup": max(1, epochs // 10)}  # type: ignore[operator]
    config = SemiRecordedConfig.model_validate(values)

    networks = Networks.fresh(config.model, (17, 17), seed=seed, strided=True)
    unlabelled = UnlabelledBatches(
        studio_footage(footage, config.input_space, config.semi), networks.pose, seed=seed + 1
    )
    with TemporaryDirectory() as folder:
        train(
            config,
            networks,
            RecordedBatches(labelled, config, device=device),
            unlabelled,
            bones=labelled.skeleton.bones,
            folder=Path(folder),
            device=device,
        )
    lifter = Lifter(networks.pose, "h36m17", config.input_space, labelled.rate)
    lift = lift_recorded(lifter, flip=True, skeleton=test.skeleton)
    errors = pool([score(lift, sequence) for sequence in recorded_sequences(test, lifter)])
    return {
        "share": share, "method": method, "seed": seed, "steps": epoch * epochs,
        "labelled_frames": sum(len(r) for r in labelled.recordings),
        "unlabelled_frames": sum(len(r) for r in footage.recordings),
        **asdict(errors), "seconds": time.perf_counter() - begun, "torch": torch.__version__,
    }  # fmt: skip


@cache
def studio(path: Path, seed: int) -> tuple[CaptureSet, CaptureSet, CaptureSet]:
    """Person 14 at full rate; the others, and those to measure on, at ten frames a second."""
    table = MotionCapture.load(path)

    def people(wanted: set[str]) -> CaptureSet:
        clips = [i for i, subject in enumerate(table.subjects) if subject in wanted]
        return film(table, detections=DetectionConfig(), clips=clips, seed=seed)

    others = {*table.subjects} - {LABELLED, NOBODY, *TEST_SUBJECTS}
    return (
        people({LABELLED}),
        thin(people(others), downsample=5),
        thin(people({*TEST_SUBJECTS}), downsample=5),
    )


def write_table(results: Path) -> None:
    """Put means and spreads between the page's marks."""
    found: dict[tuple[float, str], list[dict[str, float]]] = {}
    for path in sorted(results.glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault((run["share"], run["method"]), []).append(run)
    lines = [
        f"| labels of person {LABELLED} | frames | {' | '.join(METHODS)} | gain | gain without bones |",
        "|---|---|---|---|---|---|---|",
    ]
    for share in sorted({share for share, _ in found}):
        cells, means = [], {}
        for method in METHODS:
            runs = found.get((share, method), [])
            values = [run["mpjpe"] for run in runs]
            means[method] = mean(values) if values else math.nan
            spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
            cells.append(f"{means[method]:.1f}{spread}" if values else "–")
        base, semi, bare = (means[method] for method in METHODS)
        frames = round(mean(run["labelled_frames"] for m in METHODS for run in found.get((share, m), [])))
        gains = (f"{100 * (1 - value / base):.0f} %" for value in (semi, bare))
        lines.append(f"| {100 * share:g} % | {frames:,} | {' | '.join(cells)} | {' | '.join(gains)} |")
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END, 1)[1]
    with replacing(PAGE) as partial:
        partial.write_text("\n".join([before.rstrip("\n"), "", BEGIN, *lines, END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
