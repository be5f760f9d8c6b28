"""From a pose table to people's motion in the world, on an even clock, as its user chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError
from ...lifting.exports.clock import make_clock
from ...lifting.exports.motion import Motion, make_motion
from ...lifting.exports.tracks import tracks_in_world
from ...lifting.pose_table import PoseTable
from ...lifting.world.filters import Filter, filter_motion
from ...lifting.world.foot_lock import lock_feet
from ...lifting.world.place import place_in_world
from ..progress import say

_HIGHEST_FPS = 1000.0


@dataclass(frozen=True, kw_only=True)
class MotionOptions:
    """Whose motion, at which frame rate.

    Attributes:
        people: How many people, those most present first; None for all.
        select: The ids of the tracks; empty for all.
        fps: Frames a second; None for the video's own.
        filters: The filters that smooth the motion, NAME or NAME:HZ, in order.
        only_seen: Leave out joints that the picture does not show, in formats of joint positions.

    Raises:
        UsageError: If `fps` is no frame rate, or a filter is unknown.
    """

    people: int | None = None
    select: tuple[int, ...] = ()
    fps: float | None = None
    filters: tuple[str, ...] = ()
    only_seen: bool = False

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= _HIGHEST_FPS:
            raise UsageError(f"--fps {self.fps:g}: expected a rate above 0 and up to {_HIGHEST_FPS:g}")
        for text in self.filters:
            Filter.parse(text)


def prepare(table: PoseTable, options: MotionOptions) -> PoseTable:
    """Return the table with a world, which tables of earlier versions do not have, and filtered."""
    if "world" not in table.meta:
        table = place_in_world(table)
    return filter_motion(table, [Filter.parse(text) for text in options.filters])


def make_motions(table: PoseTable, options: MotionOptions, *, locked: bool = False) -> list[Motion]:
    """Return the chosen people's motion in a table that is prepared. locked: hold planted feet still.

    Raises:
        InputError: If the table has no poses.
        UsageError: If a selected track is not in it.
    """
    if locked:
        table = lock_feet(table)
    tracks = tracks_in_world(table, people=options.people, select=options.select)
    clock = make_clock(table.time, table.rate, options.fps)
    return [make_motion(track, clock, only_seen=options.only_seen) for track in tracks]


def say_uneven(motions: Sequence[Motion], options: MotionOptions) -> None:
    """Say if the motion is resampled because the video's frames are unevenly spaced."""
    clock = motions[0].clock
    if clock.uneven and options.fps is None:
        say(
            f"note: the video's frames are unevenly spaced; the motion is resampled to {clock.rate:g} "
            "even frames a second (--fps changes that)"
        )
