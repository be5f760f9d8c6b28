"""Heels and toes tell how fast feet move."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.detectors.people import FEET
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.cameras.level import LEVEL
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.world.contact import find_contact
from videopose.lifting.world.foot_keypoints import foot_speed
from videopose.lifting.world.place import contact_of

COUNT, RATE, AWAY, FOCAL = 60, 30.0, 5.0, 800.0


def table(left: float, right: float, turn: float = 0.0) -> PoseTable:
    """Feet that move to the side at these speeds, m/s, filmed by a camera that turns, degrees a second."""
    time = np.arange(COUNT) / RATE
    camera = np.stack([LEVEL @ Rotation.from_euler("y", turn * t, degrees=True).as_matrix() for t in time])
    at = np.zeros((COUNT, 6, 3))
    for foot, name in enumerate(FEET):
        at[:, foot] = np.stack([(left if name[0] == "l" else right) * time, 1 + 0 * time, AWAY + 0 * time], 1)
    # `at` is in the axes of the first camera; each frame's camera sees it turned.
    seen = np.einsum("tij,tkj->tki", np.transpose(camera, (0, 2, 1)) @ LEVEL, at)
    extra = np.ones((COUNT, 6, 3), np.float32)
    extra[..., :2] = FOCAL * seen[..., :2] / seen[..., 2:] + (640, 360)
    root = np.einsum("tij,j->ti", np.transpose(camera, (0, 2, 1)) @ LEVEL, [0, 0, AWAY])
    return PoseTable(
        track=np.zeros(COUNT, np.int32),
        frame=np.arange(COUNT, dtype=np.int32),
        keypoints=np.ones((COUNT, 17, 3), np.float32),
        pose=np.zeros((COUNT, 17, 3), np.float32),
        root=root.astype(np.float32),
        filled=np.zeros(COUNT, np.bool_),
        time=time,
        size=(1280, 720),
        intrinsics=Intrinsics(FOCAL, FOCAL, 640, 360),
        camera_rotation=camera.astype(np.float32),
        extra=extra,
        extra_names=FEET,
    )


@pytest.mark.parametrize("turn", [0.0, 10.0])
def test_speeds_across_the_line_of_sight(turn: float) -> None:
    speed = foot_speed(table(0.0, 1.5, turn))
    assert speed is not None
    middle = speed[10:-10]
    assert np.median(middle[:, 0]) < 0.1
    assert np.median(middle[:, 1]) == pytest.approx(1.5, rel=0.1)


def test_the_slower_of_heel_and_toe_counts_and_unsure_ones_do_not() -> None:
    moving = table(1.5, 1.5)
    extra = moving.extra.copy()
    heel = FEET.index("lheel")
    extra[:, heel] = table(0.0, 0.0).extra[:, heel]
    speed = foot_speed(replace(moving, extra=extra))
    assert speed is not None
    assert np.median(speed[10:-10, 0]) < 0.1
    extra[:, heel, 2] = 0.1
    speed = foot_speed(replace(moving, extra=extra))
    assert speed is not None
    assert np.median(speed[10:-10, 0]) > 1
    extra[..., 2] = 0
    assert np.isnan(foot_speed(replace(moving, extra=extra))).all()


def test_tables_without_feet() -> None:
    plain = replace(table(0, 0), extra=np.zeros((COUNT, 0, 3), np.float32), extra_names=())
    assert foot_speed(plain) is None


def test_contact_uses_them() -> None:
    still, times = np.zeros((COUNT, 2, 3)), np.arange(COUNT) / RATE
    assert (find_contact(still, times) > 0.5).all()
    sliding = np.column_stack([np.zeros(COUNT), np.full(COUNT, 2.5)])
    contact = find_contact(still, times, sliding)
    assert (contact[:, 0] > 0.5).all()
    assert (contact[:, 1] < 0.5).all()
    assert (find_contact(still, times, np.full((COUNT, 2), np.nan)) > 0.5).all()
    of_table = contact_of(table(0.0, 2.5))
    assert (of_table[10:30, 0] > 0.5).all()
    assert (of_table[10:30, 1] < 0.5).all()
