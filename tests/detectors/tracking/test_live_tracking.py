import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.detectors.people import People
from videopose.detectors.tracking.live_tracking import LivePeople, LiveTracker
from videopose.detectors.tracking.similarity import keypoint_boxes


def person(x: float, size: float = 100, y: float = 200) -> NDArray[np.float32]:
    shape = np.random.default_rng(0).uniform(-1, 1, (17, 2))
    keypoints = np.full((17, 3), 0.8, np.float32)
    keypoints[:, :2] = shape * (size / 2, size) + (x, y)
    return keypoints


def people(*found: NDArray[np.float32]) -> People:
    keypoints = np.stack(found) if found else np.zeros((0, 17, 3), np.float32)
    return People(keypoint_boxes(keypoints), np.full(len(found), 0.8, np.float32), keypoints)


def steps(tracker: LiveTracker, *frames: People, rate: float = 30) -> list[LivePeople]:
    return [tracker.step(frame, index / rate) for index, frame in enumerate(frames)]


def test_people_keep_number_and_place_whatever_their_order() -> None:
    frames = []
    for n in range(20):
        pair = [person(100 + 5 * n), person(500 - 5 * n, 90)]
        frames.append(people(*(pair if n % 2 else pair[::-1])))
    found = steps(LiveTracker(2), *frames)
    assert [each.begins.tolist() for each in found[:2]] == [[True, True], [False, False]]
    first = found[0].ids.tolist()
    for n, each in enumerate(found):
        assert each.ids.tolist() == first
        assert each.seen.all()
        place = first.index(0)
        np.testing.assert_array_equal(each.keypoints[place], person(100 + 5 * n))


def test_the_largest_come_first_and_the_others_wait_for_a_place() -> None:
    small, large = person(100, 60), person(500, 150)
    tracker = LiveTracker(1)
    for each in steps(tracker, people(small, large), people(large, small), people(small, large)):
        assert each.ids.tolist() == [0]
        np.testing.assert_array_equal(each.keypoints[0], large)
    gone = [tracker.step(people(small), 0.1 + n / 30) for n in range(30)]
    assert not gone[5].seen.any()
    assert gone[-1].ids.tolist() == [1]
    assert [n for n, each in enumerate(gone) if each.begins.any()] == [15]


@pytest.mark.parametrize(("absent", "number"), [(10, 0), (14, 0), (20, 1)])
def test_who_comes_back_soon_is_the_same(absent: int, number: int) -> None:
    frames = [people(person(100))] * 5 + [people()] * absent + [people(person(120))]
    found = steps(LiveTracker(1), *frames)
    assert found[-1].ids.tolist() == [number]
    assert found[-1].begins.tolist() == [number == 1]
    missing = found[7]
    assert missing.ids.tolist() == [0]
    assert not missing.seen[0]
    np.testing.assert_array_equal(missing.keypoints[0, :, :2], person(100)[:, :2])
    assert (missing.keypoints[0, :, 2] == np.float32(0.4)).all()


def test_who_jumps_too_far_is_another() -> None:
    found = steps(LiveTracker(2), people(person(100)), people(person(900)))
    assert found[1].ids.tolist() == [0, 1]
    assert found[1].seen.tolist() == [False, True]


def test_no_people() -> None:
    (found,) = steps(LiveTracker(3), people())
    assert found.ids.tolist() == [-1, -1, -1]
    assert not found.keypoints.any()
    assert not found.begins.any()
