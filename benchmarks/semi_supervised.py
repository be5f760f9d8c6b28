"""Measure the effect of unlabeled footage if there are few labels: the paper's §6.2 on open motion capture.

    python benchmarks/semi_supervised.py run --data FOLDER    train and measure what is not there yet
    python benchmarks/semi_supervised.py table                write the page's tables and its picture

FOLDER holds the motion capture that `videopose prepare cmu` makes. Of person 05, a dancer, a
share of every clip is labeled. The keypoints of all others are the unlabeled footage, except those of
`TEST_SUBJECTS`, on whom the errors are measured. For every share and seed five lifters are trained on the
same labels: on labels alone, with footage but without the bone term, with footage as in the paper, with
bones of constant length, too, and with second views, too.

Every run adds a row to the CSV table --results; runs that it has are not done again. Runs go side by side,
--jobs at a time, on one core each. configs/semi/studio.yaml says how they train, docs/semi-supervised.md what
is measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from reproduction_training import ShortEpochs
from semi_supervised_plan import EPOCH, KEYPOINTS, METHODS, SHARES, Run
from semi_supervised_table import write
from study_results import is_done, load, save

from videopose.errors import UsageError, VideoposeError
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
from videopose.semi.config import SemiRecordedConfig
from videopose.semi.footage import recorded_footage
from videopose.semi.networks import PoseAndTrajectory
from videopose.semi.training import train_semi_supervised

RESULTS = Path(__file__).with_name("results") / "semi_supervised.csv"
LABELED = "05"
"""A dancer. The bone term assumes people as large, on average, as those of the footage."""
RATE = 10.0  # frames a second


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
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    options = parser.parse_args()
    try:
        if options.what == "table":
            write(load(options.results))
            return
        if options.data is None:
            raise UsageError("give --data FOLDER, the motion capture that `videopose prepare cmu` makes")
        order = product(options.keypoints, options.seeds, options.shares, options.methods)
        runs = [Run(keypoints, share, method, seed) for keypoints, seed, share, method in order]
        carry_out(runs, options.data, options.results, jobs=options.jobs)
    except VideoposeError as error:
        sys.exit(str(error))


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


if __name__ == "__main__":
    main()
