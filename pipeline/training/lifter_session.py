"""The parts of a training run of a lifter, for all kinds of training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...lifting.evaluation.scores import Errors
from ...lifting.network.temporal_model import TemporalModel
from ...lifting.training.batch import BatchSource


@dataclass(frozen=True)
class LifterSession:
    """The data on which a lifter is trained and measured.

    Attributes:
        source: The source of batches.
        measure: Function from a model to its errors on held-out people. None if no people are held out.
        layout: The keypoint layout that the lifter reads.
        rate: The frame rate that the lifter reads.
        plan: Description of the run, in words.
        about: Metadata about the training for the lifter's file.
    """

    source: BatchSource
    measure: Callable[[TemporalModel], Errors] | None
    layout: str
    rate: float
    plan: str
    about: dict[str, object]
