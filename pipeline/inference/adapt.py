"""Adapt the lifter to the people of pose tables, between detecting and lifting (`--adapt`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ...lifting.pose_table import PoseTable
from ..progress import Progress, no_progress
from .lift import lens_of
from .options import LiftOptions

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter


def adapt_to(
    tables: Mapping[str, PoseTable],
    options: LiftOptions,
    lifter: Lifter,
    *,
    progress: Progress = no_progress,
    report: Callable[[str], None] = lambda line: None,
) -> Lifter:
    """Return a copy of the lifter that is adapted to all people of the tables together.

    If they are seen too shortly or too poorly, the lifter itself is returned, and the user is told.

    Args:
        tables: The keypoints of each clip, by the clip's path.
        options: How keypoints are lifted.
        lifter: As `load_video_lifter` gives it.
        progress: How progress is shown.
        report: Called with each line for the user.

    Raises:
        InputError: The lens distortion that a table records cannot be used.
    """
    from ...semi.spans import spans_of  # loads parts of training that most runs do not need
    from ..adaptation import adapt_lifter

    spans = [
        span for name, table in tables.items() for span in spans_of(table, lens_of(table, options)[0], name)
    ]
    adapted = adapt_lifter(lifter, spans, progress=progress, report=report)
    return adapted.in_precision(options.precision)
