from dataclasses import replace

import numpy as np
import pytest

from videopose.lifting.world.foot_lock import lock_feet, lock_joints, reach
from videopose.lifting.world.gravity import camera_axes, up_of
from videopose.skeleton import H36M17

ANKLES = [H36M17.index("lfoot"), H36M17.index("rfoot")]
LEGS = [H36M17.index(n) for n in ("lknee", "lfoot", "rknee", "rfoot")]


def _slide(joints, standing):
    step = np.linalg.norm(np.diff(joints[:, ANKLES], axis=0), axis=-1)
    return step[standing[1:] & standing[:-1]].mean()


def test_planted_feet_stop_sliding(walk) -> None:
    walked = walk(6.0)
    drift = 0.05 * np.sin(2 * np.pi * 0.4 * walked.times)[:, None, None] * np.array([1, 0.5, 0])
    sliding = walked.joints + drift
    locked = lock_joints(sliding, walked.standing, walked.times)
    assert _slide(locked, walked.standing) < 0.1 * _slide(sliding, walked.standing)
    for child, parent in H36M17.bones:
        before, after = (np.linalg.norm(j[:, child] - j[:, parent], axis=-1) for j in (sliding, locked))
        np.testing.assert_allclose(after, before, atol=1e-6)
    others = [j for j in range(17) if j not in LEGS]
    np.testing.assert_allclose(
        locked[:, others] - locked[:, :1], sliding[:, others] - sliding[:, :1], atol=1e-9
    )
    assert (
        np.abs(np.diff(locked[:, 0], 2, axis=0)).max()
        < 2 * np.abs(np.diff(sliding[:, 0], 2, axis=0)).max() + 0.01
    )


def test_a_foot_whose_contact_is_not_known_is_free_and_the_other_is_held(walk, film) -> None:
    walked = walk(4.0)
    table = film([walked], camera_axes(up_of(0, 0)), (0, 0, 1.5))
    slid = table.world().astype(np.float64) + 0.05 * np.sin(walked.times * 5)[:, None, None] * [1, 0.5, 0]
    contact = np.where(walked.standing, 1.0, 0.0).astype(np.float32)
    contact[:, 0] = np.nan
    locked = lock_feet(replace(table.with_world(slid), contact=contact))
    after = locked.world()
    assert _slide(after, walked.standing & [False, True]) < 0.2 * _slide(
        slid, walked.standing & [False, True]
    )
    np.testing.assert_array_equal(locked.contact, contact)


def test_a_motion_without_slide_stays(walk) -> None:
    walked = walk()
    np.testing.assert_allclose(
        lock_joints(walked.joints, walked.standing, walked.times), walked.joints, atol=1e-6
    )


def test_nothing_is_locked_without_contact(walk) -> None:
    walked = walk()
    np.testing.assert_array_equal(
        lock_joints(walked.joints, np.zeros_like(walked.standing), walked.times), walked.joints
    )


def test_a_leg_reaches_its_target_and_no_further() -> None:
    leg = np.array([[[0, 0, 0.9], [0.05, 0, 0.5], [0, 0, 0.1]]])
    near, far = np.array([[0.1, 0.05, 0.2]]), np.array([[1.0, 0, -0.5]])
    knee, ankle = reach(leg, near)[0]
    np.testing.assert_allclose(ankle, near[0], atol=1e-9)
    assert knee[0] > 0.05  # still before the leg
    knee, ankle = reach(leg, far)[0]
    thigh, shank = (
        np.linalg.norm(np.subtract(*pair)) for pair in ((leg[0, 0], leg[0, 1]), (leg[0, 1], leg[0, 2]))
    )
    assert np.linalg.norm(knee - leg[0, 0]) == pytest.approx(thigh)
    assert np.linalg.norm(ankle - knee) == pytest.approx(shank)
    way = far[0] - leg[0, 0]
    assert np.dot(ankle - leg[0, 0], way) / np.linalg.norm(way) > 0.99 * (thigh + shank)


def test_tables_with_gaps_and_unknown_roots(film, walk) -> None:
    table = film([walk(), walk(bearing=90)], camera_axes(up_of(-10, 0)), (0, -5, 1.5))
    root = table.root.copy()
    root[30:40] = np.nan
    table = replace(table, root=root)[np.r_[0:70, 90:240]]
    locked = lock_feet(table)
    assert locked.meta["lock_feet"] is True
    np.testing.assert_array_equal(locked.pose[30:40], table.pose[30:40])
    assert np.isnan(locked.root[30:40]).all()
    assert np.isfinite(locked.pose).all()
    assert np.isfinite(lock_feet(table[:1]).pose).all()
    assert len(lock_feet(table[:0])) == 0
