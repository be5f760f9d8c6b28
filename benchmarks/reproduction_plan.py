"""The training runs that reproduce the paper's claims, and the paper's figures that they are compared with.

A `Run` is one training with its measurements. A `Row` is one claim, made of figures of several runs, which
rows share. Runs are changes of configs/reproduction/base.yaml: 27 frames, 128 channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from videopose.lifting.training.config import RecordedConfig, load_config

BASE = Path(__file__).parents[1] / "configs" / "reproduction" / "base.yaml"

EPOCHS = 80  # of the schedule, as in the paper
FLIPPED = "simulated, flips"  # what a run is measured on: keypoints, and whether flips are averaged
PLAIN = "simulated"
TRUE = "gt, flips"


def changed_settings(config: BaseModel) -> dict[str, Any]:
    """Return the values of a configuration that are not defaults, except texts."""
    return config.model_dump(mode="json", exclude_defaults=True, exclude={"name", "acknowledgement"})


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        name: Of the run, and of the rows of the results.
        changes: Changes of the base configuration, by dotted name.
        epoch: Steps of an epoch. There are `EPOCHS` epochs.
        tests: What the trained model is measured on, see `FLIPPED`.
        last_epochs: Whether it is measured after each of the last ten epochs, too.
        cost: Milliseconds a step, measured on one core, for the estimate of the time left.
        test_cost: Seconds a test, for the same.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 50
    tests: tuple[str, ...] = (FLIPPED,)
    last_epochs: bool = False
    cost: float = 10.0
    test_cost: float = 4.0

    def config(self, seed: int) -> RecordedConfig:
        """Return the whole configuration."""
        config = load_config(BASE, {**self.changes, "name": f"reproduction {self.name}", "seed": seed})
        assert isinstance(config, RecordedConfig)
        return config

    def settings(self, seed: int) -> dict[str, Any]:
        """Return all that the result depends on, beside the data."""
        return {"epoch": self.epoch, **changed_settings(self.config(seed))}

    @property
    def seconds(self) -> float:
        """Estimated time on one core."""
        return EPOCHS * self.epoch * self.cost / 1000 + len(self.tests) * self.test_cost


@dataclass(frozen=True)
class Figure:
    """One figure of a run, beside the paper's.

    Attributes:
        label: What the line of the table is called.
        run: Name of the run.
        paper: The paper's figure in the same unit; None if it has a curve or nothing.
        test: What is measured on, see `FLIPPED`.
        metric: Name of the metric.
        why: What explains the difference from the paper.
    """

    label: str
    run: str
    paper: float | None = None
    test: str = FLIPPED
    metric: str = "mpjpe"
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One claim of the paper.

    Attributes:
        name: What the command line calls it.
        claim: The claim in a sentence.
        source: Where the paper says so, and what is different here.
        figures: The figures that show it; changes are relative to the first.
        speed: Whether training speeds belong to it.
    """

    name: str
    claim: str
    source: str
    figures: tuple[Figure, ...]
    speed: bool = False


RECEPTIVE_FIELDS = (1, 9, 27, 81, 243)
CHANNELS = (128, 256, 512, 1024, 2048)
CHUNKS = (1, 2, 4, 8, 16, 32)

_SMALL = "all errors are twice the paper's: a model of 128 channels sees 1 million frames, not 250"
_UNFINISHED = "not trained to the end in so few steps: its training error is higher, too"
_NOT_OVERFITTED = (
    "there the gain is presumably less over-fitting; so short a training does not over-fit: its training "
    "errors are as high as its test errors"
)

_WIDTHS = {1: [1, 1, 1], 9: [3, 3], 27: [3, 3, 3], 81: [3, 3, 3, 3], 243: [3, 3, 3, 3, 3]}
_FIELD_COST = {1: 5, 9: 5, 81: 16, 243: 38}
_CHANNEL_COST = {128: (6, 4), 256: (8, 5), 512: (15, 9), 1024: (35, 25), 2048: (133, 90)}
_CHUNK_COST = {1: 20, 2: 74, 4: 48, 8: 33, 16: 25, 32: 20}


def _field_run(frames: int) -> str:
    return "base" if frames == 27 else f"frames-{frames}"


RUNS: dict[str, Run] = {
    run.name: run
    for run in (
        Run("base", tests=(FLIPPED, PLAIN, TRUE), last_epochs=True),
        *(
            Run(_field_run(n), {"model.filter_widths": _WIDTHS[n]}, cost=_FIELD_COST[n])
            for n in RECEPTIVE_FIELDS
            if n != 27
        ),
        Run("causal", {"model.causal": True}),
        Run("dense", {"model.dense": True}, cost=50),
        Run("no-flips", {"recordings.flip": False}, tests=(PLAIN,)),
        Run("constant-momentum", {"schedule.final_momentum": 0.1}, last_epochs=True),
        Run("true-2d", {"recordings.keypoints": "gt"}, tests=(TRUE, FLIPPED)),
        Run("zero-padding", {"recordings.padding": "zero"}),
        *(
            Run(f"chunk-{n}", {"schedule.chunk": n, "schedule.batch": 1024}, epoch=15, cost=_CHUNK_COST[n])
            for n in CHUNKS
        ),
        *(
            Run(
                f"channels-{n}",
                {"model.channels": n, "model.filter_widths": [3, 3]},
                epoch=25,
                cost=_CHANNEL_COST[n][0],
                test_cost=_CHANNEL_COST[n][1],
            )
            for n in CHANNELS
        ),
    )
}

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row(
            "temporal",
            "Time helps; a causal model gains about half as much",
            "Table 1, whose temporal models see 243 frames; ours 27",
            (
                Figure("single frame", "frames-1", 51.8, why=_SMALL),
                Figure("causal", "causal", 49.0),
                Figure(
                    "temporal",
                    "base",
                    46.8,
                    why="27 frames; with 27 the paper's model is 5.8 % better than its single frame",
                ),
            ),
        ),
        Row(
            "velocity",
            "Time makes motion smooth: MPJVE, mm a frame at 50 Hz",
            "Table 2; 243 frames there, 27 here",
            (
                Figure("single frame", "frames-1", 11.6, metric="mpjve"),
                Figure(
                    "temporal", "base", 2.8, metric="mpjve", why="27 frames average out less noise than 243"
                ),
            ),
        ),
        Row(
            "receptive-field",
            "More frames are better, by less and less",
            "Appendix A.3, a curve; 1 and 243: Table 1; 27 and 81: VideoPose3D's README, with true boxes",
            tuple(
                Figure(f"{n} frame{'s' * (n > 1)}", _field_run(n), paper, why=_UNFINISHED if n > 27 else "")
                for n, paper in zip(RECEPTIVE_FIELDS, (51.8, None, 48.8, 47.7, 46.8), strict=True)
            ),
        ),
        Row(
            "channels",
            "More channels help, up to a point",
            "Appendix A.3, a curve, 243 frames; 9 here",
            tuple(
                Figure(f"{n} channels", f"channels-{n}", why=_UNFINISHED if n == 2048 else "")
                for n in CHANNELS
            ),
        ),
        Row(
            "convolution",
            "Dilated convolutions beat dense ones of 3.5 times the size",
            "Appendix A.4, 27 frames",
            (Figure("dilated", "base", 48.8), Figure("dense", "dense", 50.4, why=_NOT_OVERFITTED)),
        ),
        Row(
            "flips",
            "Flips help, in training and in testing",
            "Appendix A.4; 243 frames there, 27 here",
            (
                Figure("in both", "base", 46.8),
                Figure("in training only", "base", 47.7, test=PLAIN),
                Figure("in neither", "no-flips", 49.2, test=PLAIN, why=_NOT_OVERFITTED),
            ),
        ),
        Row(
            "chunk",
            "Chunks of neighbouring frames train faster and worse",
            "Appendix A.5, a curve, 27 frames; 1024 frames a step. One frame trains in the strided form",
            tuple(Figure(f"{n} frame{'s' * (n > 1)}", f"chunk-{n}") for n in CHUNKS),
            speed=True,
        ),
        Row(
            "batch-norm",
            "A falling batch-norm momentum steadies the test error",
            "§5, in words: ± 1 mm without it. ± here: half the range over the last ten epochs",
            (
                Figure("error, falling momentum", "base"),
                Figure("error, constant momentum", "constant-momentum"),
                Figure("±, falling momentum", "base", metric="fluctuation"),
                Figure("±, constant momentum", "constant-momentum", 1.0, metric="fluctuation"),
            ),
        ),
        Row(
            "keypoints",
            "True 2D keypoints, in training and in testing",
            "Table 3; trained on detected, tested on true: VideoPose3D's issue 19; 243 frames there, 27 here",
            (
                Figure("both detected", "base", 46.8),
                Figure("both true", "true-2d", 37.2, test=TRUE),
                Figure("trained on detected, tested on true", "base", 42.6, test=TRUE),
                Figure("trained on true, tested on detected", "true-2d"),
            ),
        ),
        Row(
            "padding",
            "Replicated frames beat zeros beyond a clip's ends",
            "§3, in words. Ends: the first and last 13 frames of a take",
            (
                Figure("replicated frames", "base"),
                Figure("zeros", "zero-padding"),
                Figure("ends, replicated frames", "base", metric="ends"),
                Figure("ends, zeros", "zero-padding", metric="ends"),
            ),
        ),
    )
}


def runs_of(rows: Mapping[str, Row]) -> list[Run]:
    """Return the runs that some rows need, each once, in the order of `RUNS`."""
    wanted = {figure.run for row in rows.values() for figure in row.figures}
    return [run for name, run in RUNS.items() if name in wanted]
