"""Adapt a lifter to clips, or take the lifter that an earlier run adapted to the same ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ...errors import InputError
from ...lifting.inference.lifter import Lifter
from ...lifting.training.training_state import TrainingState
from ...semi.adaptation import AdaptationConfig, Adapted, adapt
from ...semi.spans import Span
from ..progress import Progress, Report
from .cache import cached, keep, key

_TIMED = 3  # steps after which the time of all steps is estimated


def adapt_lifter(lifter: Lifter, spans: Sequence[Span], *, progress: Progress, report: Report) -> Lifter:
    """Return a copy of a lifter that is adapted to tracks, or the lifter itself if they are too poor.

    `about["adaptation"]` of the result tells what was done, or why nothing was.

    Args:
        lifter: The starting lifter, on any device.
        spans: The tracks of all clips that it is adapted to.
        progress: How progress is shown.
        report: Called with each line for the user.
    """
    config = AdaptationConfig()
    digest = key(lifter, spans, config)
    known = cached(digest)
    if known is not None:
        report("the lifter was adapted to this footage before; that result is used")
        return known.to(lifter.model.device)
    try:
        with _Shown(progress, report, _footage(spans)) as shown:
            adapted = adapt(lifter, spans, config, report=shown)
    except InputError as error:
        report(f"note: the lifter is not adapted: {error}")
        return _about(lifter, {"done": False, "reason": str(error)})
    result = _about(adapted.lifter, _record(lifter, spans, config, adapted))
    return keep(result, digest, report).to(lifter.model.device)


def _about(lifter: Lifter, adaptation: dict[str, object]) -> Lifter:
    return replace(lifter, about={**lifter.about, "adaptation": adaptation})


def _record(
    lifter: Lifter, spans: Sequence[Span], config: AdaptationConfig, adapted: Adapted
) -> dict[str, object]:
    """Return what a pose table records about the adaptation."""
    return {
        "done": True,
        "from_lifter_sha256": lifter.digest(),
        "videos": sorted({Path(span.name).name for span in spans}),
        "tracks": len(spans),
        "seconds": round(adapted.seconds, 2),
        "steps": adapted.steps,
        "bone_length_change_percent": round(adapted.drift, 2),
        "settings": config.model_dump(mode="json"),
    }


def _footage(spans: Sequence[Span]) -> str:
    """Say how much footage there is."""
    tracks = "1 track" if len(spans) == 1 else f"{len(spans)} tracks"
    return f"{tracks}, {sum(span.seconds for span in spans):.0f} s"


class _Shown:
    """Shows a bar, and after the first steps a line with the time that all steps take."""

    def __init__(self, progress: Progress, report: Report, footage: str) -> None:
        self._progress, self._report, self._footage = progress, report, footage
        self._stack = ExitStack()
        self._advance: Callable[[], None] | None = None
        self._begun = 0.0

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def __call__(self, state: TrainingState) -> None:
        """Show a step."""
        if self._advance is None:
            self._begun = time.monotonic()
            self._advance = self._stack.enter_context(self._progress("adapting the lifter", state.steps))
        elif state.step == _TIMED:
            each = (time.monotonic() - self._begun) / (_TIMED - 1)
            self._report(
                f"adapting the lifter to {self._footage}: about {max(1, round(each * state.steps))} s"
            )
        self._advance()
