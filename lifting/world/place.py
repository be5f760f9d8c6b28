"""Place a pose table in the world: gravity, floor, the camera's pose on every frame, and contact of feet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...parts import give_back_memory, in_parts
from ...skeleton import H36M17
from ..pose_table import FLOOR_OF_LOWEST_JOINTS, PoseTable
from ..vectors import unit
from .contact import find_contact
from .floor import fit_floor, lowest_floor, standing_spots
from .foot_keypoints import foot_speed
from .gravity import CAMERA_UP, Upright, agree, camera_axes, pitch_and_roll, turned, up_of, upright
from .stated_camera import StatedCamera

ANKLES = [H36M17.index("lfoot"), H36M17.index("rfoot")]


def place_in_world(table: PoseTable, stated: StatedCamera | None = None) -> PoseTable:
    """Find the world of a table that has poses, and place its camera in it.

    Args:
        table: poses and roots. How its `camera_rotation` turns from frame to frame is kept.
        stated: what the user states about the camera; it replaces what the footage shows.

    Returns:
        The table with `camera_rotation`, `camera_position`, `contact`, and in `meta["world"]` how gravity and
        floor were found.
    """
    stated = stated or StatedCamera()
    # Everything is seen from the first frame's camera; camera poses differ from it by their rotation only.
    turn = (
        np.einsum("ji,tjk->tik", table.camera_rotation[0], table.camera_rotation.astype(np.float64))
        if len(table.time)
        else np.zeros((0, 3, 3))
    )
    tracks = list(table.tracks())
    people = [
        person
        for _, rows in tracks
        if (person := upright(table.pose[rows], turn[table.frame[rows]])) is not None
    ]
    up, gravity = _up(people, stated)
    give_back_memory()
    ankles = turned(turn[table.frame], table.pose[:, ANKLES] + table.root[:, None])
    seen = _feet_seen(table)
    spots = [
        standing_spots(ankles[rows], table.time[table.frame[rows]], up, seen[rows]) for _, rows in tracks
    ]
    fixed = stated.gravity is not None or (stated.pitch is not None and stated.roll is not None)
    if people and not fixed:
        up, height = fit_floor(spots, up, bodies=len(people))
        up = _with_stated(up, stated)
    _, height = fit_floor(spots, up, bodies=1, fixed=True)
    found = sum(len(each) for each in spots)
    floor = f"feet at rest on {found} spot{'' if found == 1 else 's'}"
    if people and not fixed and found:
        gravity += f" and {floor}"
    if height is None:
        height = lowest_floor(_lowest(table, turn, up))
        floor = FLOOR_OF_LOWEST_JOINTS
    if height is None:
        height, floor = 0.0, "not found: no root is known; the camera is at height 0"
    if stated.height is not None:
        height, floor = stated.height, f"--camera-height {stated.height:g}"

    del ankles  # what is not needed again: contact takes memory by itself
    rotation = (camera_axes(up) @ turn).astype(np.float32)
    del turn
    give_back_memory()
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
        camera_rotation=rotation,
        camera_position=position,
        meta={**table.meta, "world": about},
    )
    contact = contact_of(placed)
    give_back_memory()
    return replace(placed, contact=contact)


def contact_of(table: PoseTable) -> NDArray[np.float32]:
    """Tell when feet stand on the floor, track by track: (N, 2), as of `find_contact`; NaN if not seen."""
    ankles = table.world(ANKLES)
    contact = np.full((len(table), 2), np.nan, np.float32)
    speed, seen = foot_speed(table), _feet_seen(table)
    for _, rows in table.tracks():
        of_track = None if speed is None else speed[rows]
        contact[rows] = find_contact(ankles[rows], table.time[table.frame[rows]], of_track, seen[rows])
    return contact


def _feet_seen(table: PoseTable) -> NDArray[np.bool_]:
    """(N, 2), whether each foot is in the picture and not hidden."""
    return np.asarray(table.confidence[:, ANKLES] != 0)


def _lowest(table: PoseTable, turn: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,): how far along `up` the lowest joint of each pose is from the camera; NaN where not known."""

    def heights(
        pose: NDArray[np.float32], root: NDArray[np.float32], frame: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        return np.asarray((turned(turn[frame], pose + root[:, None]) @ up).min(1), np.float64)

    return in_parts(heights, table.pose, table.root, table.frame)


def _up(people: list[Upright], stated: StatedCamera) -> tuple[NDArray[np.float64], str]:
    """Up in the first frame's camera space, and how it is known."""
    if people:
        poses = round(sum(person.poses for person in people))
        count = "1 person" if len(people) == 1 else f"{len(people)} people"
        up, source = agree(people), f"{count} standing ({poses} poses)"
    else:
        up, source = CAMERA_UP, "assumed: the camera is level, because no person stands"
    if stated.gravity is not None:
        up, source = -unit(np.array(stated.gravity)), "gravity of the camera's side-car file"
    given = [
        f"--camera-{n} {v:g}" for n, v in (("pitch", stated.pitch), ("roll", stated.roll)) if v is not None
    ]
    if len(given) == 2:
        source = " ".join(given)
    elif given:
        source = f"{given[0]}, else {source}"
    return _with_stated(up, stated), source


def _with_stated(up: NDArray[np.float64], stated: StatedCamera) -> NDArray[np.float64]:
    """`up` with the pitch and roll that are stated."""
    if stated.pitch is None and stated.roll is None:
        return up
    pitch, roll = pitch_and_roll(up)
    return up_of(
        pitch if stated.pitch is None else stated.pitch, roll if stated.roll is None else stated.roll
    )
