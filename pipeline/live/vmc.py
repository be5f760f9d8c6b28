"""Speak VMC, the protocol that avatars and game engines listen to (https://protocol.vmc.info).

Each frame is one bundle of OSC messages: /VMC/Ext/OK, /VMC/Ext/T, /VMC/Ext/Root/Pos and one
/VMC/Ext/Bone/Pos for each bone of Unity's humanoid. Rotations are relative to the parent bone, from a T-pose.
Space is Unity's: metres, x right, y up, z forward, left-handed. The rig (`lifting.exports.rig`) has x to the
person's left, so its x is turned round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...lifting.exports.rig import JOINTS, NAMES, BoneLengths
from ...lifting.exports.rig_fitting import bone_lengths, fit_rig
from . import osc

_LENGTH_FRAMES = 90  # over which the lengths of bones are averaged
_WINDOW = 5  # frames that are fitted together: the twist of straight limbs comes from bent ones


class VmcPerson:
    """One person's bones as VMC sends them. The last frames are kept, for twist and lengths."""

    def __init__(self) -> None:
        self._joints: list[NDArray[np.float64]] = []
        self._times: list[float] = []

    def packet(self, joints: NDArray[np.float64], time: float) -> bytes:
        """Return the bundle of a frame.

        Args:
            joints: (17, 3) H36M17 joints in metres, y up, the floor at 0, all finite.
            time: Seconds, later than the frame before.
        """
        if self._times and time <= self._times[-1]:
            self._times, self._joints = [], []
        self._joints = [*self._joints[1 - _LENGTH_FRAMES :], joints]
        self._times = [*self._times[1 - _LENGTH_FRAMES :], time]
        lengths = bone_lengths(np.stack(self._joints))
        motion = fit_rig(np.stack(self._joints[-_WINDOW:]), np.array(self._times[-_WINDOW:]))
        return _bundle(lengths, motion.hips[-1], motion.rotations[-1], time)


def _bundle(
    lengths: BoneLengths, hips: NDArray[np.float64], rotations: NDArray[np.float64], time: float
) -> bytes:
    messages = [
        osc.message("/VMC/Ext/OK", 1),
        osc.message("/VMC/Ext/T", float(time)),
        osc.message("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    ]
    offsets = lengths.rest()
    offsets[0] = hips
    for joint, name in enumerate(NAMES["plain"]):
        x, y, z = offsets[joint].tolist()
        qx, qy, qz, qw = rotations[joint].tolist()
        messages.append(osc.message("/VMC/Ext/Bone/Pos", name, -x, y, z, qx, -qy, -qz, qw))
    assert len(messages) == 3 + len(JOINTS)
    return osc.bundle(messages)
