"""One person's motion at even times, as joints and as a rig: what every format is written from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..world.feet import Feet
from .angles import Angles, joint_angles
from .axes import Z_UP_TO_Y_UP
from .clock import Clock
from .rig_fitting import fit_rig
from .rig_motion import RigMotion
from .tracks import Track


@dataclass(frozen=True)
class Motion:
    """One person, frame by frame of an even clock.

    Attributes:
        track: The person's joints in the world, on the video's frames.
        clock: The clock of the exported file.
        frames: (F,) the clock's frames from the person's first to the last one.
        only_seen: Whether `joints` leaves out the joints that nothing in the picture shows.
    """

    track: Track
    clock: Clock
    frames: NDArray[np.int64]
    only_seen: bool = False

    @property
    def id(self) -> int:
        """The track's number."""
        return self.track.id

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.clock.rate

    @property
    def times(self) -> NDArray[np.float64]:
        """(F,) seconds since the video's first frame."""
        return self.frames / self.clock.rate

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(F,): whether the person has a pose there; False in a gap."""
        at = self.clock.seconds(self.track.frames)
        after = np.searchsorted(at, self.times - 1e-9).clip(0, len(at) - 1)
        before = (np.searchsorted(at, self.times + 1e-9, side="right") - 1).clip(0)
        return np.asarray(self.track.frames[after] - self.track.frames[before] <= 1)

    @cached_property
    def all_joints(self) -> NDArray[np.float64]:
        """(F, 17, 3) Human3.6M joints, metres, z up, linearly between the video's frames; NaN in a gap."""
        return self._between_frames(self.track.joints)

    @cached_property
    def joints(self) -> NDArray[np.float64]:
        """`all_joints`; with `only_seen`, NaN for joints whose confidence is 0."""
        if not self.only_seen:
            return self.all_joints
        return np.where(self.confidence[..., None] > 0, self.all_joints, np.nan)

    @cached_property
    def feet(self) -> Feet | None:
        """Heels and toes on the clock's frames, z up; None if the detector found none.

        NaN in a gap and, with `only_seen`, where the score is 0.
        """
        if self.track.feet is None:
            return None
        confidence = self._between_frames(self.track.feet.confidence)
        positions = self._between_frames(self.track.feet.positions)
        if self.only_seen:
            positions = np.where(confidence[..., None] > 0, positions, np.nan)
        return Feet(positions, confidence)

    @cached_property
    def angles(self) -> Angles:
        """Name → (F,) degrees: the angles of `joints`."""
        return joint_angles(self.joints, None if self.feet is None else self.feet.positions)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """(F, 17), 0–1: how reliable each joint is; NaN in a gap."""
        return self._between_frames(self.track.confidence)

    def _between_frames(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the track's frames (T, …), linearly between them; NaN in a gap."""
        at = self.clock.seconds(self.track.frames)
        columns = values.reshape(len(at), -1).T
        result = np.stack([np.interp(self.times, at, column) for column in columns], 1)
        result[~self.present] = np.nan
        return result.reshape(-1, *values.shape[1:])

    @cached_property
    def rig(self) -> RigMotion:
        """The rig fitted to the joints, y up; gaps are interpolated, since a rig always has a pose."""
        at = self.clock.seconds(self.track.frames)
        rising = np.diff(at, prepend=-1) > 0  # two frames with one time stamp count once
        contact = None if self.track.contact is None else self.track.contact[rising]
        feet = None if self.track.feet is None else self.track.feet[rising].positions @ Z_UP_TO_Y_UP.T
        joints = self.track.joints[rising] @ Z_UP_TO_Y_UP.T
        return fit_rig(joints, at[rising], contact, feet).at(self.times)


def make_motion(track: Track, clock: Clock, *, only_seen: bool = False) -> Motion:
    """Return a track's motion on a clock; only_seen: see `Motion`."""
    return Motion(track, clock, clock.span(track.frames), only_seen)
