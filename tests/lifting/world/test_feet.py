from dataclasses import replace

import numpy as np
import pytest
from feet_in_pictures import headings, pitches, with_feet
from walking import table_of, walking

from videopose.lifting.pose_table import PoseTable
from videopose.lifting.world.feet import Feet, find_feet, foot_axes

FRONT = -90.0  # degrees of a person who looks into the camera; it films along y


def _standing(heading: float, frames: int = 40) -> PoseTable:
    """A person who stands still and looks that way, degrees to the left of x."""
    return table_of({1: np.repeat(walking(1, heading=heading)["joints"], frames, 0)})


def _feet(table: PoseTable) -> Feet:
    found = find_feet(table, slice(0, len(table)), table.world().astype(np.float64))
    assert found is not None
    return found


@pytest.mark.parametrize("looks", [FRONT, FRONT + 40, 0.0, 90.0])
@pytest.mark.parametrize("out", [-30.0, 0.0, 30.0])
def test_the_turn_of_feet_is_found_from_every_side(looks: float, out: float) -> None:
    found = headings(_feet(with_feet(_standing(looks), looks + out, noise=2.0)).positions)
    off = (found - looks - out + 180) % 360 - 180
    # From the side, a foot's turn hardly changes its length in the picture.
    assert np.abs(off).mean() < (25 if looks == 0.0 else 8)


def test_feet_that_point_right_while_the_body_looks_into_the_camera() -> None:
    found = headings(_feet(with_feet(_standing(FRONT), 0.0, noise=1.0)).positions)
    assert np.abs(found).max() < 30  # not −90, where the body looks


@pytest.mark.parametrize("looks", [FRONT, FRONT + 50, 0.0])
def test_the_pitch_follows_the_picture(looks: float) -> None:
    pitch = 30 * np.sin(np.linspace(0, 2 * np.pi, 60))
    found = pitches(_feet(with_feet(_standing(looks, 60), looks, pitch, noise=2.0)).positions)
    assert np.abs(found - pitch[:, None]).mean() < 7
    assert np.ptp(found[:, 0]) > 45


def test_a_foot_is_rigid_and_begins_at_the_ankle() -> None:
    table = with_feet(table_of({1: walking(60)["joints"]}), 0.0, noise=3.0)
    positions = _feet(table).positions
    lengths = np.linalg.norm(positions[:, :, 1] - positions[:, :, 0], axis=-1)
    assert np.ptp(lengths, axis=0) == pytest.approx(0, abs=1e-9)
    assert 0.2 < lengths.min() < lengths.max() < 0.35
    ankles = table.world()[:, [6, 3]]
    assert np.ptp(np.linalg.norm(positions[:, :, 0] - ankles, axis=-1), axis=0) == pytest.approx(0, abs=1e-6)


def test_where_heel_and_toes_are_hidden_the_foot_returns_to_the_shin() -> None:
    table = with_feet(_standing(FRONT, 120), FRONT + 35)
    extra = table.extra.copy()
    extra[60:, :, 2] = 0
    extra[60:, :, :2] = 0  # as of keypoints that were not found
    feet = _feet(replace(table, extra=extra))
    found = headings(feet.positions) - FRONT
    assert found[30] == pytest.approx(35, abs=6)
    assert found[-1] == pytest.approx(0, abs=6)
    assert np.abs(np.diff(found, axis=0)).max() < 10
    assert feet.confidence[:60].min() > 0.8
    assert feet.confidence[60:].max() == 0


def test_without_heels_and_toes_there_are_no_feet() -> None:
    table = _standing(FRONT)
    joints = table.world().astype(np.float64)
    assert find_feet(table, slice(0, 40), joints) is None
    never = with_feet(table, FRONT)
    extra = never.extra.copy()
    extra[..., 2] = 0.1
    assert find_feet(replace(never, extra=extra), slice(0, 40), joints) is None


def test_frames_without_a_pose_or_a_root_are_borne() -> None:
    table = with_feet(_standing(FRONT), FRONT + 20)
    root, joints = table.root.copy(), table.world().astype(np.float64)
    root[10:20] = np.nan
    joints[25:28] = np.nan
    feet = find_feet(replace(table, root=root), slice(0, 40), joints)
    assert feet is not None
    assert np.isnan(feet.positions[25:28]).all()
    assert np.isfinite(np.delete(feet.positions, slice(25, 28), 0)).all()


def test_one_frame_is_enough() -> None:
    feet = _feet(with_feet(_standing(FRONT, 1), FRONT))
    assert headings(feet.positions) == pytest.approx(FRONT, abs=8)


def test_a_foot_s_axes_are_left_up_and_ahead() -> None:
    positions = _feet(with_feet(_standing(0.0), 0.0)).positions
    left, up, ahead = np.moveaxis(foot_axes(positions), -1, 0)
    assert (left[..., 1] > 0.9).all()
    assert (up[..., 2] > 0.9).all()
    assert (ahead[..., 0] > 0.9).all()
    assert np.linalg.det(foot_axes(positions)) == pytest.approx(1)


@pytest.mark.parametrize("spoilt", ["heel", "ankle"])
def test_a_keypoint_without_position_spoils_no_foot(spoilt: str) -> None:
    table = with_feet(_standing(FRONT), FRONT, noise=0.0)
    extra, keypoints = table.extra.copy(), table.keypoints.copy()
    if spoilt == "heel":
        extra[3, table.extra_names.index("lheel")] = [np.nan, np.nan, 0]
    else:
        keypoints[3, 15] = np.nan
    found = _feet(replace(table, extra=extra, keypoints=keypoints)).positions
    np.testing.assert_allclose(found, _feet(table).positions, atol=0.05)
