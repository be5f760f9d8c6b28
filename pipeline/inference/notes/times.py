"""Notes on time stamps that are credible in few videos only."""

from __future__ import annotations

import numpy as np

from ....lifting.pose_table import PoseTable

_HIGHEST_RATE = 480.0  # frames per second
_JUMP = 60.0  # seconds
_TIMES_USUAL = 30.0  # of the usual step; a time lapse does not jump


def time_notes(table: PoseTable) -> list[str]:
    """Return what a user should know of the time stamps of a table's video, each a clause."""
    notes = []
    if table.rate > _HIGHEST_RATE:
        notes.append(
            f"its time stamps say {table.rate:.0f} frames a second; --fps would tell if that is wrong"
        )
    steps = np.diff(table.time)
    if len(steps):
        jumps = np.flatnonzero(steps > max(_JUMP, _TIMES_USUAL * float(np.median(steps))))
        if len(jumps):
            first = int(jumps[0])
            more = f", and {len(jumps) - 1} times more" if len(jumps) > 1 else ""
            notes.append(
                f"its time stamps jump by {_duration(float(steps[first]))} after frame {first}{more}"
            )
    return notes


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.1f} minutes"
