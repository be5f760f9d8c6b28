"""Place a pose table in the world: gravity, floor, the camera's pose on every frame, and contact of feet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ...skeleton import H36M17
from ..pose_table import PoseTable
from .contact import find_contact
from .floor import fit_floor, lowest_floor, standing_spots
from .gravity import CAMERA_UP, Upright, agree, camera_axes, pitch_and_roll, unit, up_of, upright

ANKLES = [H36M17.index("lfoot"), H36M17.index("rfoot")]


@dataclass(frozen=True, kw_only=True)
class KnownCamera:
    """What is known of the camera's pose on the first frame; None for what is to be found.

    Attributes:
        pitch: degrees that the camera looks up; negative: down.
        roll: degrees that the camera is turned clockwise, as its operator sees it.
        height: metres above the floor.
        gravity: direction of gravity in camera space (x right, y down, z forward), of any length.

    Raises:
        UsageError: A value is impossible.
    """

    pitch: float | None = None
    roll: float | None = None
    height: float | None = None
    gravity: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        for name, value, limit in (("pitch", self.pitch, 90), ("roll", self.roll, 180)):
            if value is not None and not -limit <= value <= limit:
                raise UsageError(f"--camera-{name}: expected −{limit} to {limit} degrees, found {value:g}")
        if self.height is not None and not math.isfinite(self.height):
            raise UsageError(f"--camera-height: expected metres, found {self.height:g}")
        if self.gravity is not None and not 0 < math.hypot(*self.gravity) < math.inf:
            raise UsageError("gravity: expected a direction of three numbers, not all 0")


def place_in_world(table: PoseTable, known: KnownCamera | None = None) -> PoseTable:
    """Find the world of a table that has poses, and place its camera in it.

    Args:
        table: poses and roots. How its `camera_rotation` turns from frame to frame is kept.
        known: what is known of the camera; it wins over what the footage shows.

    Returns:
        The table with `camera_rotation`, `camera_position`, `contact`, and in `meta["world"]` how gravity and
        floor were found.
    """
    known = known or KnownCamera()
    # Everything is seen from the first frame's camera; camera poses differ from it by their rotation only.
    turn = (
        np.einsum("ji,tjk->tik", table.camera_rotation[0], table.camera_rotation.astype(np.float64))
        if len(table.time)
        else np.zeros((0, 3, 3))
    )
    poses = np.einsum("nij,nkj->nki", turn[table.frame], table.pose.astype(np.float64))
    roots = np.einsum("nij,nj->ni", turn[table.frame], table.root.astype(np.float64))
    joints = poses + roots[:, None]
    tracks = list(table.tracks())

    people = [person for _, rows in tracks if (person := upright(poses[rows])) is not None]
    up, gravity = _up(people, known)
    spots = [standing_spots(joints[rows][:, ANKLES], table.time[table.frame[rows]], up) for _, rows in tracks]
    fixed = known.gravity is not None or (known.pitch is not None and known.roll is not None)
    if people and not fixed:
        up, height = fit_floor(spots, up, bodies=len(people))
        up = _with_known(up, known)
    _, height = fit_floor(spots, up, bodies=1, fixed=True)
    found = sum(len(each) for each in spots)
    floor = f"feet at rest on {found} spots"
    if people and not fixed and found:
        gravity += f" and {floor}"
    if height is None:
        height = lowest_floor(joints, up)
        floor = "the lowest joints: no foot is at rest"
    if height is None:
        height, floor = 0.0, "not found: no root is known; the camera is at height 0"
    if known.height is not None:
        height, floor = known.height, f"--camera-height {known.height:g}"

    rotation = camera_axes(up) @ turn
    position = np.tile(np.array([0, 0, height], np.float32), (len(table.time), 1))
    pitch, roll = pitch_and_roll(up)
    about: dict[str, Any] = {
        **table.meta.get("world", {}),
        "gravity": gravity,
        "floor": floor,
        "camera": {"pitch": round(pitch, 2), "roll": round(roll, 2), "height": round(height, 3)},
    }
    placed = replace(
        table,
        camera_rotation=rotation.astype(np.float32),
        camera_position=position,
        meta={**table.meta, "world": about},
    )
    return replace(placed, contact=contact_of(placed))


def contact_of(table: PoseTable) -> NDArray[np.float32]:
    """Tell when feet stand on the floor, track by track: (N, 2), as of `find_contact`."""
    ankles = table.world()[:, ANKLES]
    contact = np.full((len(table), 2), np.nan, np.float32)
    for _, rows in table.tracks():
        contact[rows] = find_contact(ankles[rows], table.time[table.frame[rows]])
    return contact


def _up(people: list[Upright], known: KnownCamera) -> tuple[NDArray[np.float64], str]:
    """Up in the first frame's camera space, and how it is known."""
    if people:
        poses = round(sum(person.poses for person in people))
        count = "1 person" if len(people) == 1 else f"{len(people)} people"
        up, source = agree(people), f"{count} standing ({poses} poses)"
    else:
        up, source = CAMERA_UP, "assumed: the camera is level, because no person stands"
    if known.gravity is not None:
        up, source = -unit(np.array(known.gravity)), "gravity of the camera's side-car file"
    given = [
        f"--camera-{n} {v:g}" for n, v in (("pitch", known.pitch), ("roll", known.roll)) if v is not None
    ]
    if len(given) == 2:
        source = " ".join(given)
    elif given:
        source = f"{given[0]}, else {source}"
    return _with_known(up, known), source


def _with_known(up: NDArray[np.float64], known: KnownCamera) -> NDArray[np.float64]:
    """`up` with the pitch and roll that are known."""
    if known.pitch is None and known.roll is None:
        return up
    pitch, roll = pitch_and_roll(up)
    return up_of(pitch if known.pitch is None else known.pitch, roll if known.roll is None else known.roll)
