"""One run of benchmarks/reproduction.py, trained as by `videopose train`, measured as by `evaluate`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from reproduction_plan import CHUNKS, RUNS, Run

from videopose.lifting.datasets.config import RecordingsConfig
from videopose.lifting.datasets.recordings import RecordingSet
from videopose.lifting.evaluation.recorded_sequences import lift_recorded, recorded_sequences
from videopose.lifting.evaluation.scores import Scores, score
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.training.batch import Batch
from videopose.lifting.training.config import RecordedConfig
from videopose.lifting.training.lifter_training import train_lifter
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.lifting.training.recorded_data import load_recordings
from videopose.lifting.training.training_state import TrainingState

METRICS = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve")
ENDS = 13  # frames at either end of a take: half of the base model's receptive field
LAST_EPOCHS = 10  # of these, each is measured


@dataclass(frozen=True)
class ShortEpochs:
    """A `BatchSource` whose epochs have a given number of steps. Each begins where the one before stopped."""

    whole: RecordedBatches
    steps_per_epoch: int
    epochs: int

    @property
    def num_joints_in(self) -> int:
        return self.whole.num_joints_in

    @property
    def num_joints_out(self) -> int:
        return self.whole.num_joints_out

    @property
    def num_steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        return self.whole.sample(step, rank=rank, world_size=world_size)


@cache
def simulated_recordings(keypoints: str, data: Path) -> tuple[RecordingSet, RecordingSet]:
    """Return simulated recordings to train on, and others to measure on."""
    train_on, test_on = load_recordings(RecordingsConfig(data_set="studio", keypoints=keypoints), data)
    assert test_on is not None
    return train_on, test_on


def perform(
    run: Run, seed: int, data: Path, *, count: Callable[[float], None] = lambda seconds: None
) -> dict[str, Any]:
    """Train and measure.

    Args:
        run: What to train.
        seed: Of its random numbers.
        data: Folder of the motion capture.
        count: Called with the seconds of work done, as the plan estimates them.

    Returns:
        A row of the table of results. Errors are millimetres.
    """
    config = run.config(seed)
    train_on, test_on = simulated_recordings(config.recordings.keypoints, data)
    source = ShortEpochs(RecordedBatches(train_on, config), run.epoch, config.schedule.epochs)
    losses: list[float] = []
    last_epochs: list[float] = []

    def report(state: TrainingState) -> None:
        losses[:] = state.losses
        count(run.cost / 1000)

    def watch(model: TemporalModel, step: int) -> dict[str, float]:
        if step > source.num_steps - LAST_EPOCHS * source.steps_per_epoch:
            first = test_on.recordings[0].camera
            one_camera = tuple(r for r in test_on.recordings if r.camera == first)
            scores = measure(model, config, replace(test_on, recordings=one_camera), flip=False)
            last_epochs.append(_mean(scores, "mpjpe"))
        return {}

    with tempfile.TemporaryDirectory() as folder:
        model = train_lifter(
            config, source, folder=Path(folder), report=report, measure=watch if run.last_epochs else None
        )
    errors = {}
    for test in run.tests:
        keypoints, _, flips = test.partition(", ")
        scores = measure(model, config, simulated_recordings(keypoints, data)[1], flip=bool(flips))
        errors[test] = {name: _mean(scores, name) for name in METRICS}
        errors[test]["ends"] = _mean(scores, "mpjpe", ends=ENDS)
        count(run.test_cost)
    measured_on_the_way = {}
    if last_epochs:
        errors[run.tests[0]]["fluctuation"] = round((max(last_epochs) - min(last_epochs)) / 2, 3)
        measured_on_the_way["last_epochs_mpjpe"] = last_epochs
    return {
        "run": run.name,
        "seed": seed,
        "errors": errors,
        **measured_on_the_way,
        "training_mpjpe": round(1000 * losses[-1], 2),
        "settings": run.settings(seed),
    }


def measure(model: TemporalModel, config: RecordedConfig, data: RecordingSet, *, flip: bool) -> list[Scores]:
    """Measure every frame of every recording, as `videopose train` and `videopose evaluate` do."""
    about = {"config": config.model_dump(mode="json")}
    lifter = Lifter(model, data.skeleton.name, config.input_space, data.rate, about=about)
    lift = lift_recorded(lifter, flip=flip, skeleton=data.skeleton)
    return [score(lift, seen, skeleton=data.skeleton) for seen in recorded_sequences(data, lifter)]


def _mean(scores: Sequence[Scores], metric: str, *, ends: int | None = None) -> float:
    """Return the mean over all frames, or over the `ends` first and last frames of every clip."""
    values = [s.errors[metric] for s in scores]
    if ends is not None:
        values = [np.concatenate([v[:ends], v[ends:][-ends:]]) for v in values]
    return round(float(np.concatenate(values).mean()), 3)


def chunk_speed(data: Path, *, rounds: int = 3, steps: int = 12) -> dict[str, float]:
    """Return milliseconds a training step by run, batches included; the chunk sizes take turns."""
    train_on, _ = simulated_recordings("simulated", data)
    times: dict[str, list[float]] = {f"chunk-{n}": [] for n in CHUNKS}
    for _ in range(rounds):
        for name, taken in times.items():
            taken += _step_times(RUNS[name].config(0), train_on, steps)
    return {name: round(1000 * median(taken), 2) for name, taken in times.items()}


def _step_times(config: RecordedConfig, data: RecordingSet, steps: int) -> list[float]:
    """Return seconds of each step except the first two, which allocate memory."""
    source = ShortEpochs(RecordedBatches(data, config), steps, 1)
    stamps: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train_lifter(
            config, source, folder=Path(folder), report=lambda state: stamps.append(time.perf_counter())
        )
    return [later - earlier for earlier, later in pairwise(stamps[1:-1])]
