"""What a training run of a lifter is made of, whatever data it learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...lifting.evaluation.scores import Errors
from ...lifting.network.temporal_model import TemporalModel
from ...lifting.training.batch import BatchSource


@dataclass(frozen=True)
class LifterSession:
    """What a lifter is trained and measured on.

    Attributes:
        source: Where batches come from.
        measure: A model → its errors on held-out people. None if there are none.
        layout: The keypoint layout that the lifter reads.
        rate: The frame rate that the lifter reads.
        plan: What the run will do, in words.
        about: What the lifter's file says of its training.
    """

    source: BatchSource
    measure: Callable[[TemporalModel], Errors] | None
    layout: str
    rate: float
    plan: str
    about: dict[str, object]
