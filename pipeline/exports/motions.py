"""Prepare the motion of a pose table for export: placed in the world, filtered, at an even frame rate."""

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
    """Which people are exported, and at which frame rate.

    Attributes:
        people: Number of people; those most present are chosen. None for all.
        select: The ids of the tracks; empty for all.
        fps: Frames per second of the result; None for the rate of the video.
        filters: The filters that smooth the motion, NAME or NAME:HZ, in order.
        only_seen: Whether hidden joints are left out, in formats that store joint positions or angles.

    Raises:
        UsageError: If `fps` is out of range, or a filter is unknown.
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
    """Filter the motion of a table. A table of an earlier version is first placed in the world.

    Args:
        table: The pose table.
        options: The filters.

    Returns:
        The filtered table.
    """
    if "world" not in table.meta:
        table = place_in_world(table)
    return filter_motion(table, [Filter.parse(text) for text in options.filters])


def make_motions(table: PoseTable, options: MotionOptions, *, locked: bool = False) -> list[Motion]:
    """Return the motion of the chosen people, in the world.

    Args:
        table: A table from `prepare`.
        options: Which people, and at which frame rate.
        locked: Whether planted feet are held still.

    Returns:
        One motion for each person, all at the same even times.

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
    """Print a note if the motion is resampled because the video's frames are unevenly spaced."""
    clock = motions[0].clock
    if clock.uneven and options.fps is None:
        say(
            f"note: the video's frames are unevenly spaced; the motion is resampled to {clock.rate:g} "
            "even frames a second (--fps changes that)"
        )
