"""From a pose table to people's motion on an even clock, as its user chose."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UsageError
from ...lifting.exports.clock import make_clock
from ...lifting.exports.motion import Motion, make_motion
from ...lifting.exports.tracks import tracks_in_world
from ...lifting.pose_table import PoseTable
from ..progress import say

_HIGHEST_FPS = 1000.0


@dataclass(frozen=True, kw_only=True)
class MotionOptions:
    """Whose motion, at which frame rate.

    Attributes:
        people: How many people, those most present first; None for all.
        select: The ids of the tracks; empty for all.
        fps: Frames a second; None for the video's own.

    Raises:
        UsageError: If `fps` is no frame rate.
    """

    people: int | None = None
    select: tuple[int, ...] = ()
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= _HIGHEST_FPS:
            raise UsageError(f"--fps {self.fps:g}: expected a rate above 0 and up to {_HIGHEST_FPS:g}")


def make_motions(table: PoseTable, options: MotionOptions) -> list[Motion]:
    """Return the chosen people's motion; say if the video's frames are unevenly spaced.

    Raises:
        InputError: If the table has no poses.
        UsageError: If a selected track is not in it.
    """
    tracks = tracks_in_world(table, people=options.people, select=options.select)
    clock = make_clock(table.time, table.rate, options.fps)
    if clock.uneven and options.fps is None:
        say(
            f"note: the video's frames are unevenly spaced; the motion is resampled to {clock.rate:g} "
            "even frames a second (--fps changes that)"
        )
    return [make_motion(track, clock) for track in tracks]
