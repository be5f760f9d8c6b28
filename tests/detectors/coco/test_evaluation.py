import math
from dataclasses import astuple

import numpy as np
import pytest

from videopose.detectors.coco.annotations import Annotations, ImageEntry, Person
from videopose.detectors.coco.evaluation import (
    Found,
    KeypointScores,
    as_results,
    is_coco,
    score_keypoints,
)
from videopose.detectors.coco.sigmas import sigmas
from videopose.skeleton import COCO17, Skeleton

COCO_SIGMAS = [
    0.26,
    0.25,
    0.25,
    0.35,
    0.35,
    0.79,
    0.79,
    0.72,
    0.72,
    0.62,
    0.62,
    1.07,
    1.07,
    0.87,
    0.87,
    0.89,
    0.89,
]
NOBODY = np.zeros((0, 17, 3), np.float32)


def _person(number: int, image: int, size: float = 100.0, keypoints: Skeleton = COCO17) -> Person:
    points = np.random.default_rng(number).uniform(20, 20 + size, (len(keypoints), 2))
    box = np.array([20, 20, 20 + size, 20 + size], np.float32)
    return Person(number, image, box, np.c_[points, np.full(len(points), 2)].astype(np.float32), size**2)


def _images(count: int) -> dict[int, ImageEntry]:
    return {i: ImageEntry(i, f"{i}.jpg", 640, 480) for i in range(1, count + 1)}


PEOPLE = Annotations(COCO17, _images(3), [_person(1, 1), _person(2, 1, 60), _person(3, 2, 300)])


def _found(image: int, *people: np.ndarray, scores: tuple[float, ...] = (0.9, 0.8, 0.7)) -> Found:
    return Found(image, np.stack(people) if people else NOBODY, np.array(scores[: len(people)], np.float32))


def _right(*people: Person) -> list[np.ndarray]:
    return [person.keypoints.copy() for person in people]


def test_everybody_found_exactly():
    one, two, three = PEOPLE.people
    scores = score_keypoints(PEOPLE, [_found(1, *_right(one, two)), _found(2, *_right(three))])
    assert astuple(scores) == pytest.approx([1.0] * 10)


def test_one_of_three_missed_and_no_one_found():
    one, _, three = PEOPLE.people
    scores = score_keypoints(PEOPLE, [_found(1, *_right(one)), _found(2, *_right(three))])
    assert scores.ar == pytest.approx(2 / 3)
    assert scores.ap == pytest.approx(67 / 101)  # COCO's 101 recalls: 0.00 to 0.66 are reached
    assert (scores.ar_medium, scores.ar_large) == (0, 1)
    assert score_keypoints(PEOPLE, []) == KeypointScores(*[0.0] * 10)


def test_a_shift_of_known_similarity():
    """Every keypoint off by what makes its similarity 0.72: right up to 0.70, five of ten thresholds."""
    alone = Annotations(COCO17, _images(1), [_person(1, 1)])
    points = alone.people[0].keypoints.copy()
    points[:, 0] += np.sqrt(-math.log(0.72) * 2) * 2 * np.array(COCO_SIGMAS) / 10 * 100
    scores = score_keypoints(alone, [_found(1, points)])
    assert (scores.ap, scores.ap50, scores.ap75, scores.ar) == pytest.approx((0.5, 1, 0, 0.5))
    assert math.isnan(scores.ap_medium)


def test_a_surer_wrong_person_costs_precision():
    alone = Annotations(COCO17, _images(1), [_person(1, 1)])
    wrong = alone.people[0].keypoints + np.array([300, 0, 0])
    right = alone.people[0].keypoints
    assert score_keypoints(alone, [_found(1, wrong, right)]).ap == pytest.approx(0.5)
    assert score_keypoints(alone, [_found(1, right, wrong)]).ap == pytest.approx(1)


def test_groups_and_people_without_keypoints_count_nothing():
    crowd = Person(9, 3, np.array([0, 0, 500, 400], np.float32), np.zeros((17, 3), np.float32), 2e5, True)
    blank = Person(10, 2, np.array([400, 0, 500, 400], np.float32), np.zeros((17, 3), np.float32), 4e4)
    more = Annotations(COCO17, PEOPLE.images, [*PEOPLE.people, crowd, blank])
    one, two, three = PEOPLE.people
    found = [_found(1, *_right(one, two)), _found(2, *_right(three)), _found(3, _person(4, 3, 200).keypoints)]
    assert score_keypoints(more, found).ap == pytest.approx(1)


def test_the_fall_offs_are_cocos():
    assert sigmas(COCO17).tolist() == pytest.approx(np.array(COCO_SIGMAS) / 10)
    names = ("hip", "rhip", "rfoot", "spine", "thorax", "nose", "head", "LWrist")
    assert sigmas(Skeleton.from_names(names)).tolist() == [
        0.107,
        0.107,
        0.089,
        0.107,
        0.107,
        0.026,
        0.035,
        0.062,
    ]
    assert is_coco(COCO17)
    assert not is_coco(Skeleton.from_names(names))


def test_another_keypoint_set():
    keypoints = Skeleton.from_names(("head", "lhip", "rhip", "spine"))
    person = _person(1, 1, keypoints=keypoints)
    few = Annotations(keypoints, _images(1), [person], category=5)
    assert score_keypoints(few, [_found(1, person.keypoints)]).ap == pytest.approx(1)
    (result,) = as_results([_found(1, person.keypoints)], 5)
    assert result["category_id"] == 5
    # COCO's 0 is the middle of the first pixel
    assert result["keypoints"][:2] == pytest.approx((person.keypoints[0, :2] - 0.5).tolist(), abs=1e-3)
    with pytest.raises(ValueError, match=r"expected \(P, 4, 3\) keypoints as annotated, found \(1, 17, 3\)"):
        score_keypoints(few, [_found(1, PEOPLE.people[0].keypoints)])


def test_people_may_be_numbered_from_0():
    person = _person(0, 1)
    alone = Annotations(COCO17, _images(1), [person])
    assert score_keypoints(alone, [_found(1, person.keypoints)]).ap == pytest.approx(1)


def test_it_prints_nothing(capsys):
    score_keypoints(PEOPLE, [_found(1, *_right(PEOPLE.people[0]))])
    assert capsys.readouterr().out == ""
