"""Measure the effect of unlabeled footage if there are few labels: the paper's §6.2 on open motion capture.

    python benchmarks/semi_supervised.py run --data FOLDER    train and measure what is not there yet
    python benchmarks/semi_supervised.py table                write the page's tables and its picture

FOLDER holds the motion capture that `videopose prepare cmu` makes. Of person 05, a dancer, a
share of every clip is labeled. The keypoints of all others are the unlabeled footage, except those of
`TEST_SUBJECTS`, on whom the errors are measured. For every share and seed four lifters are trained on the
same labels: on labels alone, with footage as in the paper, with footage but without the bone term, and with
footage and bone-length consistency.

Every run adds a row to the CSV table --results; runs that it has are not done again. Runs go side by side,
--jobs at a time, on one core each. configs/semi/studio.yaml says how they train, docs/semi-supervised.md what
is measured.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from reproduction_plan import changed_settings
from reproduction_table import BLUE, GREEN, ORANGE, PURPLE, Results
from reproduction_training import ShortEpochs
from study_results import insert, is_done, load, save

from videopose.errors import InputError, UsageError, VideoposeError
from videopose.files import replacing
from videopose.lifting.cameras.intrinsics import project
from videopose.lifting.datasets.recordings import Recording, RecordingSet
from videopose.lifting.evaluation.recorded_sequences import recorded_sequences
from videopose.lifting.evaluation.scores import Errors, lift_with, pool, score
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.studio import DETECTOR, TEST_SUBJECTS, UNKNOWN_SUBJECT, film, load_table
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.lifting.training.recorded_data import thin
from videopose.pipeline.progress import say
from videopose.semi.batches import UnlabeledBatches
from videopose.semi.config import SemiRecordedConfig, load_recorded_recipe
from videopose.semi.footage import recorded_footage
from videopose.semi.networks import PoseAndTrajectory
from videopose.semi.training import train_semi_supervised

RESULTS = Path(__file__).with_name("results") / "semi_supervised.csv"
RECIPE = Path(__file__).parents[1] / "configs" / "semi" / "studio.yaml"
PAGE = Path(__file__).parents[1] / "docs" / "semi-supervised.md"
PICTURE = PAGE.parent / "images" / "semi-supervised.png"
BEGIN, END = "<!-- semi-supervised benchmark -->", "<!-- end -->"

LABELED = "05"
"""A dancer. The bone term assumes people as large, on average, as those of the footage."""
RATE = 10.0  # frames a second
EPOCH = 100  # steps; the recipe says how many epochs
SHARES = (0.01, 0.03, 0.1, 1.0)
METHODS: dict[str, dict[str, Any]] = {
    "labels alone": {"semi.reprojection": 0, "semi.bones": 0, "semi.bone_consistency": 0},
    "without bones": {"semi.bones": 0, "semi.bone_consistency": 0},
    "with footage": {"semi.bone_consistency": 0},
    "steady bones": {},
}
"""Name → changes of the recipe."""

_FEW = {"schedule.epochs": 25, "schedule.decay": 0.846, "schedule.learning_rate": 1e-3, "model.dropout": 0.25}
_MORE = {"schedule.epochs": 75, "schedule.decay": 0.946}


def schedule(share: float, *, footage: bool) -> dict[str, Any]:
    """Return the settings that are best for labels alone, on other people, or with footage.

    Few labels alone over-fit and are trained shorter, more are trained longer. With all labels, footage has
    as many steps as labels alone.
    """
    if footage:
        return _MORE if share == SHARES[-1] else {}
    return _FEW if share == SHARES[0] else _MORE


DETECTED = 5
"""The weight of reprojection to a detector's keypoints, which are less exact."""

KEYPOINTS = {"gt": "True keypoints", "simulated": "Simulated detections"}

EFFECTS = {
    "mean lengths (`bones`)": ("without bones", "with footage"),
    "constant lengths (`bone_consistency`)": ("with footage", "steady bones"),
}
"""A term → the methods without it and with it."""

SEEDS = 3
FEW_LABELS_SEEDS = 5
"""Seeds of the smallest share. With few labels, seeds differ more."""


@dataclass(frozen=True)
class Run:
    """One training."""

    keypoints: str
    share: float
    method: str
    seed: int

    @property
    def name(self) -> str:
        """Name that all its seeds share."""
        return f"{self.keypoints}-{100 * self.share:g}pc-{self.method.replace(' ', '-')}"

    def config(self) -> SemiRecordedConfig:
        """Return the recipe of this run. True keypoints are the joints of the poses, all are compared."""
        changes = {
            "name": self.name,
            "seed": self.seed,
            "recordings.keypoints": self.keypoints,
            "recordings.subset": self.share,
            "semi.joints": "all" if self.keypoints == "gt" else "limbs",
        }
        if self.keypoints == "simulated":
            changes["semi.reprojection"] = DETECTED
        changes |= schedule(self.share, footage=self.method != "labels alone")
        return load_recorded_recipe(RECIPE, changes | METHODS[self.method])

    def settings(self) -> dict[str, Any]:
        """Return all that the result depends on, beside the data."""
        return {"epoch": EPOCH, **changed_settings(self.config())}


def main() -> None:
    """Read the options; train what is missing, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", type=Path, help="folder of the motion capture, cmu*.npz")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the CSV table of results")
    parser.add_argument("--keypoints", nargs="+", default=list(KEYPOINTS), choices=list(KEYPOINTS))
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of a person's frames")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, nargs="+", help="by default as many as the page says")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    options = parser.parse_args()
    try:
        if options.what == "table":
            write(load(options.results))
            return
        if options.data is None:
            raise UsageError("give --data FOLDER, the motion capture that `videopose prepare cmu` makes")
        order = product(options.keypoints, options.shares, options.methods)
        runs = [Run(*what, seed) for what in order for seed in options.seeds or seeds(what[1])]
        carry_out(runs, options.data, options.results, jobs=options.jobs)
    except VideoposeError as error:
        sys.exit(str(error))


def seeds(share: float) -> range:
    """Return the seeds of a share of labels."""
    return range(FEW_LABELS_SEEDS if share == SHARES[0] else SEEDS)


def carry_out(runs: Sequence[Run], data: Path, results: Path, *, jobs: int) -> None:
    """Do the runs that have no result yet. Raises `InputError` for a result of other settings."""
    missing = [run for run in runs if not is_done(results, run.name, run.seed, run.settings())]
    say(f"{len(runs) - len(missing)} of {len(runs)} runs are there")
    with ProcessPoolExecutor(jobs, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        try:
            for done in as_completed([pool.submit(keep, run, data, results) for run in missing]):
                say(done.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def keep(run: Run, data: Path, results: Path) -> str:
    """Do a run, write its result, and return it as a line of text."""
    began = time.process_time()
    result = perform(run, data)
    save(results, result)
    seconds = time.process_time() - began
    return f"{run.name}, seed {run.seed}: {result['errors']['mpjpe']:.1f} mm ({seconds:.0f} s of a core)"


def perform(run: Run, data: Path) -> dict[str, Any]:
    """Train and measure: the result, a row of the table. Errors are millimetres."""
    config = run.config()
    labeled = thin(filmed(data, run.keypoints, LABELED, seed=run.seed), subset=run.share)
    frames = sum(len(recording) for recording in labeled.recordings)
    config = config.for_labeled_frames(frames)
    footage = recorded_footage(filmed(data, run.keypoints), config.input_space, config.semi)
    networks = PoseAndTrajectory.untrained(config.model, seed=run.seed, strided=True)
    with tempfile.TemporaryDirectory() as folder:
        train_semi_supervised(
            config,
            networks,
            ShortEpochs(RecordedBatches(labeled, config), EPOCH, config.schedule.epochs),
            UnlabeledBatches(footage, networks.pose, seed=run.seed + 1),
            folder=Path(folder),
        )
    test = filmed(data, run.keypoints, *TEST_SUBJECTS)
    errors = asdict(measure(networks.pose, config, test))
    return {
        "run": run.name,
        "seed": run.seed,
        "frames": {
            "labeled": frames,
            "unlabeled": footage.frames,
            "test": errors.pop("frames"),
        },
        "errors": {name: round(value, 3) for name, value in errors.items()},
        "settings": run.settings(),
    }


def measure(model: TemporalModel, config: SemiRecordedConfig, data: RecordingSet) -> Errors:
    """Measure poses as `infer` gives them, with flips and the hip at 0."""
    lifter = Lifter(model, data.skeleton.name, config.input_space, data.rate)
    lift = lift_with(lifter, flip=True)
    return pool([score(lift, sequence) for sequence in recorded_sequences(data, lifter)])


@cache
def filmed(data: Path, keypoints: str, *people: str, seed: int = 0) -> RecordingSet:
    """Film people of the motion capture at ten frames a second.

    Args:
        data: Folder of the motion capture.
        keypoints: "gt" or "simulated".
        people: Whom to film; by default all who are neither labeled nor tested on.
        seed: Of the places where they stand in the room.
    """
    table = load_table(data)
    wanted = {*people} or {*table.subjects} - {LABELED, UNKNOWN_SUBJECT, *TEST_SUBJECTS}
    clips = [number for number, subject in enumerate(table.subjects) if subject in wanted]
    taken = film(table, detections=None if keypoints == "gt" else DETECTOR, clips=clips, seed=seed)
    taken = thin(taken, downsample=round(table.rate / RATE))
    return with_true_keypoints(taken) if keypoints == "gt" else taken


def with_true_keypoints(data: RecordingSet) -> RecordingSet:
    """Replace keypoints by the projected joints of the poses, as Human3.6M's true keypoints are.

    Simulated recordings have those of a detector, which places spine, neck and head elsewhere.
    """

    def seen(recording: Recording) -> Recording:
        assert recording.camera.lens is not None
        points = recording.pose + recording.root[:, None]
        return replace(recording, keypoints=project(points, recording.camera.lens.intrinsics))

    return replace(data, recordings=tuple(seen(recording) for recording in data.recordings))


def write(results: Results, *, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Put the tables into the page and draw the picture.

    Raises:
        InputError: The page has no place for the tables, or there are no results.
    """
    measured = [keypoints for keypoints in KEYPOINTS if shares(results, keypoints)]
    if not measured:
        raise InputError("no results; train first, by `run`")
    tables = "\n\n".join([*(table(results, keypoints) for keypoints in measured), effects(results, measured)])
    shown = f"![Errors by the number of labeled frames](images/{picture.name})"
    insert(page, BEGIN, END, f"{tables}\n\n{shown}")
    draw(results, measured, picture)
    say(f"{page} and {picture} are written")


def table(results: Results, keypoints: str) -> str:
    """Return a table in Markdown: means, deviations and changes from labels alone, by share of labels."""
    lines = [
        f"| {KEYPOINTS[keypoints]}: labels | frames | {' | '.join(METHODS)} |",
        "|---|---|" + "---|" * len(METHODS),
    ]
    for share in shares(results, keypoints):
        base, *others = (mpjpe(results, keypoints, share, method) for method in METHODS)
        cells = [f"{100 * share:g} %", f"{_labeled_frames(results, keypoints, share):,}", _cell(base)]
        cells += [_cell(other, base) for other in others]
        lines.append(f"| {' | '.join(cells).replace('-', '−')} |")
    return "\n".join(lines)


def effects(results: Results, measured: Sequence[str]) -> str:
    """Return a table in Markdown: what each term changes, mean of the seeds and its standard error."""
    lines = [
        f"| Change of MPJPE by a term, mm | frames | {' | '.join(EFFECTS)} |",
        "|---|---|" + "---|" * len(EFFECTS),
    ]
    for keypoints in measured:
        for share in shares(results, keypoints):
            pairs = [paired(results, keypoints, share, *methods) for methods in EFFECTS.values()]
            cells = [KEYPOINTS[keypoints], f"{_labeled_frames(results, keypoints, share):,}"]
            cells += [_change(changes) for changes in pairs]
            lines.append(f"| {' | '.join(cells).replace('-', '−')} |")
    return "\n".join(lines)


def draw(results: Results, measured: Sequence[str], path: Path) -> None:
    """Draw errors by labeled frames, a plot for each kind of keypoints; bands are one standard deviation."""
    picture = Figure(figsize=(1 + 5 * len(measured), 4.5), layout="constrained")
    canvas = FigureCanvasAgg(picture)
    panels = picture.subplots(1, len(measured), sharey=True, squeeze=False)[0]
    for axes, keypoints in zip(panels, measured, strict=True):
        for method, colour in zip(METHODS, (BLUE, ORANGE, GREEN, PURPLE), strict=True):
            at = [share for share in shares(results, keypoints) if mpjpe(results, keypoints, share, method)]
            found = [mpjpe(results, keypoints, share, method) for share in at]
            frames = [_labeled_frames(results, keypoints, share) for share in at]
            centre = np.array([mean(values) for values in found])
            spread = np.array([stdev(values) if len(values) > 1 else 0.0 for values in found])
            axes.plot(frames, centre, "o-", color=colour, label=method)
            axes.fill_between(frames, centre - spread, centre + spread, color=colour, alpha=0.25)
        axes.set(title=KEYPOINTS[keypoints], xlabel="labeled frames", xscale="log")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("MPJPE, mm")
    panels[0].set_ylim(0, None)
    panels[0].legend()
    with replacing(path) as part:
        canvas.print_png(part)  # type: ignore[no-untyped-call]


def shares(results: Results, keypoints: str) -> list[float]:
    """Return the shares of labels that any run has, in ascending order."""
    runs = (run for found in results.values() for run in found)
    recordings = (run["settings"]["recordings"] for run in runs)
    return sorted({r.get("subset", 1.0) for r in recordings if r.get("keypoints", "gt") == keypoints})


def mpjpe(results: Results, keypoints: str, share: float, method: str) -> list[float]:
    """Return MPJPE for each seed; empty if it was not measured."""
    found = results.get(Run(keypoints, share, method, 0).name, ())
    return [run["errors"]["mpjpe"] for run in found]


def paired(results: Results, keypoints: str, share: float, before: str, after: str) -> list[float]:
    """Return the change of MPJPE from one method to another, for each seed that both have."""
    first, second = (
        {run["seed"]: run["errors"]["mpjpe"] for run in results.get(Run(keypoints, share, name, 0).name, ())}
        for name in (before, after)
    )
    return [second[seed] - first[seed] for seed in first if seed in second]


def _labeled_frames(results: Results, keypoints: str, share: float) -> int:
    names = (Run(keypoints, share, method, 0).name for method in METHODS)
    return next(int(results[name][0]["frames"]["labeled"]) for name in names if name in results)


def _change(values: Sequence[float]) -> str:
    if not values:
        return "–"
    error = f" ± {stdev(values) / math.sqrt(len(values)):.1f}" if len(values) > 1 else ""
    return f"{mean(values):+.1f}{error}"


def _cell(values: Sequence[float], base: Sequence[float] = ()) -> str:
    if not values:
        return "–"
    spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    change = f" ({100 * (mean(values) / mean(base) - 1):+.0f} %)" if base else ""
    return f"{mean(values):.1f}{spread}{change}"


if __name__ == "__main__":
    main()
