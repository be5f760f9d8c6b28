from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import UsageError
from videopose.lifting.world.gravity import CAMERA_UP, camera_axes, pitch_and_roll, up_of
from videopose.lifting.world.place import place_in_world
from videopose.lifting.world.stated_camera import StatedCamera
from videopose.skeleton import H36M17

ANKLES = [H36M17.index("lfoot"), H36M17.index("rfoot")]


def _people(walk, seconds=4.0):
    return [walk(seconds, bearing=30, start=(-1, 5)), walk(seconds, bearing=200, start=(1, 6))]


@pytest.mark.parametrize("pose", [(0, 0, 1.6), (-20, 5, 2.5), (25, -8, 0.3), (-15, 175, 1.5), (-5, 180, 1.5)])
def test_a_tilted_or_upside_down_camera_is_found(pose, walk, film) -> None:
    pitch, roll, height = pose
    up = up_of(pitch, roll)
    people = _people(walk)
    table = place_in_world(film(people, camera_axes(up), (0, 0, height)))
    found = table.camera_rotation[0]
    assert np.degrees(np.arccos(found[2] @ up)) < 2
    assert table.camera_position[0, 2] == pytest.approx(height, abs=0.15)
    truth = np.concatenate([person.joints for person in people])
    assert np.median(table.world()[:, ANKLES, 2] - truth[:, ANKLES, 2]) == pytest.approx(0, abs=0.03)
    assert np.abs(table.world()[..., :2] - truth[..., :2]).max() < 0.25
    standing = np.concatenate([person.standing for person in people])
    assert ((table.contact > 0.5) == standing).mean() > 0.9
    assert "2 people standing" in table.meta["world"]["gravity"]
    assert "feet at rest" in table.meta["world"]["floor"]


def test_feet_that_are_not_seen_have_no_contact(walk, film) -> None:
    filmed = film(_people(walk), camera_axes(up_of(-20, 5)), (0, 0, 2.0))
    whole = place_in_world(filmed)
    confidence, half = filmed.confidence.copy(), len(filmed) // 2  # the rows of the first person
    confidence[:half, ANKLES[0]] = 0
    partly = place_in_world(replace(filmed, confidence=confidence))
    assert np.isnan(partly.contact[:half, 0]).all()
    assert np.isfinite(partly.contact[half:]).all()
    assert ((partly.contact[:half, 1] > 0.5) == (whole.contact[:half, 1] > 0.5)).mean() > 0.97

    confidence[:, ANKLES] = 0
    never = place_in_world(replace(filmed, confidence=confidence))
    assert np.isnan(never.contact).all()
    assert never.meta["world"]["floor"] == "the lowest joints: no foot is seen at rest"
    assert "feet at rest" not in never.meta["world"]["gravity"]


def test_a_foot_that_is_not_seen_does_not_lift_the_other_one(walk, film) -> None:
    """What the lifter makes of the right foot is half a metre too low."""
    filmed = film([walk(4.0)], camera_axes(up_of(0, 0)), (0, 0, 1.5))
    confidence, pose = filmed.confidence.copy(), filmed.pose.copy()
    confidence[:, ANKLES[1]] = 0
    pose[:, ANKLES[1], 1] += 0.5
    made_up = place_in_world(replace(filmed, confidence=confidence, pose=pose))
    whole = place_in_world(filmed)
    assert ((made_up.contact[:, 0] > 0.5) == (whole.contact[:, 0] > 0.5)).mean() > 0.95
    assert made_up.camera_position[0, 2] == pytest.approx(whole.camera_position[0, 2], abs=0.05)


def test_a_glimpse_of_feet_that_are_out_of_the_picture_is_none(walk, film) -> None:
    filmed = film([walk(4.0)], camera_axes(up_of(0, 0)), (0, 0, 1.5))
    confidence = filmed.confidence.copy()
    confidence[:, ANKLES] = 0
    confidence[[30, 31, 60], ANKLES[1]] = 0.4  # a detector's mistake
    placed = place_in_world(replace(filmed, confidence=confidence))
    assert np.isnan(placed.contact).all()
    assert placed.meta["world"]["floor"] == "the lowest joints: no foot is seen at rest"


@pytest.mark.parametrize("period", [2, 7])
def test_a_foot_that_is_hidden_for_moments_keeps_its_contact(period, walk, film) -> None:
    filmed = film(_people(walk), camera_axes(up_of(-20, 5)), (0, 0, 2.0))
    confidence = filmed.confidence.copy()
    confidence[::period, ANKLES] = 0
    blinking = place_in_world(replace(filmed, confidence=confidence))
    whole = place_in_world(filmed)
    np.testing.assert_array_equal(blinking.contact, whole.contact)
    assert blinking.meta["world"] == whole.meta["world"]


def test_what_is_known_of_the_camera_wins(walk, film) -> None:
    seen = film(_people(walk), camera_axes(up_of(-20, 5)), (0, 0, 2.0))
    table = place_in_world(seen, StatedCamera(pitch=-30, roll=0, height=3.5))
    assert pitch_and_roll(table.camera_rotation[0, 2]) == pytest.approx((-30, 0), abs=1e-3)
    assert table.camera_position[0].tolist() == [0, 0, 3.5]
    assert table.meta["world"]["gravity"] == "--camera-pitch -30 --camera-roll 0"
    assert table.meta["world"]["floor"] == "--camera-height 3.5"
    half = place_in_world(seen, StatedCamera(roll=5))
    assert pitch_and_roll(half.camera_rotation[0, 2]) == pytest.approx((-20, 5), abs=1.5)
    assert half.meta["world"]["gravity"].startswith("--camera-roll 5, else 2 people")
    down = tuple(-9.81 * up_of(-20, 5))
    told = place_in_world(seen, StatedCamera(gravity=down))
    assert pitch_and_roll(told.camera_rotation[0, 2]) == pytest.approx((-20, 5), abs=1e-3)
    assert told.camera_position[0, 2] == pytest.approx(2.0, abs=0.02)


def test_without_a_person_who_stands_the_camera_is_level(walk, film) -> None:
    seen = film(_people(walk), camera_axes(up_of(-20, 0)), (0, 0, 2.0))
    sitting = seen.pose.copy()
    sitting[:, [H36M17.index(n) for n in ("lknee", "rknee")]] = (0.0, 0.1, 0.4)
    sitting[:, ANKLES] = (0.0, 0.4, 0.4)
    for table in (replace(seen, pose=sitting), seen[:1], seen[:0]):
        placed = place_in_world(table)
        np.testing.assert_allclose(placed.camera_rotation[0, 2], CAMERA_UP, atol=1e-6)
        assert placed.meta["world"]["gravity"] == "assumed: the camera is level, because no person stands"
        assert np.isfinite(placed.camera_position).all()


def test_people_who_lie_straight_do_not_turn_the_world(walk, film) -> None:
    tipped = Rotation.from_euler("x", 85, degrees=True).as_matrix()
    lying = replace(person := walk(step=0), joints=(person.joints - (0, 0, 0.88)) @ tipped.T + (0, 5, 0.3))
    placed = place_in_world(film([lying], camera_axes(CAMERA_UP), (0, 0, 1.5)))
    np.testing.assert_allclose(placed.camera_rotation[0, 2], CAMERA_UP, atol=1e-6)
    others = [walk(start=(x, 5)) for x in (-1, 1)]
    placed = place_in_world(film([lying, *others], camera_axes(up_of(-10, 0)), (0, 0, 1.5)))
    assert pitch_and_roll(placed.camera_rotation[0, 2]) == pytest.approx((-10, 0), abs=1.5)


def test_a_camera_that_turns(walk, film) -> None:
    pan = Rotation.from_euler("z", np.linspace(0, 40, 120)[:, None], degrees=True).as_matrix()
    shake = Rotation.from_euler(
        "x", np.random.default_rng(0).normal(0, 1, (120, 1)), degrees=True
    ).as_matrix()
    turns = pan @ shake @ camera_axes(up_of(-10, 0))
    turns = pan[0] @ camera_axes(up_of(-10, 0)) @ (turns[0].T @ turns)
    people = _people(walk)
    relative = camera_axes(CAMERA_UP) @ turns[0].T @ turns
    seen = film(people, turns, (0, 0, 1.5), camera_rotation=relative.astype(np.float32))
    placed = place_in_world(seen)
    angles = [
        np.degrees(Rotation.from_matrix(a.T @ b).magnitude())
        for a, b in zip(placed.camera_rotation, turns, strict=True)
    ]
    assert max(angles) < 2
    truth = np.concatenate([person.joints for person in people])
    assert np.abs(placed.world() - truth).max() < 0.3


def test_placing_twice_changes_nothing(walk, film) -> None:
    once = place_in_world(film(_people(walk), camera_axes(up_of(-20, 5)), (0, 0, 2.0)))
    twice = place_in_world(once)
    np.testing.assert_allclose(twice.camera_rotation, once.camera_rotation, atol=1e-5)
    np.testing.assert_allclose(twice.camera_position, once.camera_position, atol=1e-4)


def test_tables_without_roots_or_poses(walk, film) -> None:
    seen = film(_people(walk), camera_axes(up_of(-20, 0)), (0, 0, 2.0))
    unplaced = place_in_world(replace(seen, root=seen.root * np.float32("nan")))
    assert pitch_and_roll(unplaced.camera_rotation[0, 2])[0] == pytest.approx(-20, abs=3)
    assert unplaced.meta["world"]["floor"].startswith("not found")
    assert np.isnan(unplaced.contact).all()
    unlifted = place_in_world(replace(seen, pose=seen.pose * np.float32("nan")))
    assert unlifted.meta["world"]["gravity"].startswith("assumed")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pitch": 100}, "--camera-pitch: expected −90 to 90 degrees, found 100"),
        ({"roll": 200}, "--camera-roll: expected −180 to 180 degrees, found 200"),
        ({"height": float("inf")}, "--camera-height: expected metres, found inf"),
        ({"gravity": (0, 0, 0)}, "gravity: expected a direction"),
    ],
)
def test_impossible_cameras(values, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        StatedCamera(**values)


def test_a_person_on_a_wall_does_not_raise_the_floor(walk, film) -> None:
    high = walk(step=0, start=(-1, 6))
    high = replace(high, joints=high.joints + np.array([0, 0, 2.0]))
    low = walk(bearing=20, start=(0, 5))
    placed = place_in_world(film([high, low], camera_axes(up_of(-3, 0)), (0, 0, 1.4)))
    assert placed.camera_position[0, 2] == pytest.approx(1.4, abs=0.15)
    heights = np.median(placed.world()[:, ANKLES, 2].reshape(len(placed), 2), axis=1)
    assert np.median(heights[placed.track == 0]) == pytest.approx(2.07, abs=0.2)
