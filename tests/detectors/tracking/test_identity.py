"""Ids through crossings, and after leaving and returning: by what people look like."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from videopose.detectors.people import APPEARANCE_FEATURES, People
from videopose.detectors.tracking import Track, keypoint_boxes, link, with_appearance
from videopose.detectors.tracking.appearance import difference, usual

# nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles of a person 100 px tall, hips at 0, 0
BODY = np.array(
    [
        *([0, -48], [2, -50], [-2, -50], [5, -49], [-5, -49]),
        *([11, -35], [-11, -35], [14, -18], [-14, -18], [15, -2], [-15, -2]),
        *([7, 0], [-7, 0], [7, 24], [-7, 24], [7, 46], [-7, 46]),
    ],
    np.float32,
)
RED, BLUE, GREY, BLACK = (180, 30, 30), (30, 50, 170), (128, 128, 128), (25, 25, 25)
SIZE = (640, 360)


def body(x: float, y: float = 200) -> np.ndarray:
    return np.column_stack([BODY + np.array([x, y]), np.full(17, 0.8)]).astype(np.float32)


def found(*bodies: np.ndarray) -> People:
    keypoints = np.stack(bodies)
    return People(keypoint_boxes(keypoints), keypoints[..., 2].mean(1), keypoints)


def drawn(image: np.ndarray, keypoints: np.ndarray, shirt: tuple, trousers: tuple) -> None:
    points = np.round(keypoints[:, :2]).astype(np.int32)
    for hip, knee, ankle in ((11, 13, 15), (12, 14, 16)):
        for a, b in ((hip, knee), (knee, ankle)):
            cv2.line(image, points[a].tolist(), points[b].tolist(), trousers, 9)
    cv2.fillConvexPoly(image, points[[5, 6, 12, 11]], shirt)


def filmed(*people: tuple[np.ndarray, tuple, tuple], light: float = 1.0) -> People:
    """The people of one frame, the nearer (later) ones drawn over the others."""
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for keypoints, shirt, trousers in people:
        drawn(image, keypoints, shirt, trousers)
    image = np.clip(image * light + np.random.default_rng(0).normal(0, 5, image.shape), 0, 255)
    return with_appearance(found(*(keypoints for keypoints, _, _ in people)), image.astype(np.uint8))


def clock(count: int) -> dict[str, np.ndarray]:
    return {"frames": np.arange(count, dtype=np.int32), "times": np.arange(count) / 30}


def hips(track: Track) -> np.ndarray:
    return track.keypoints[:, 11:13, 0].mean(1)


def test_clothes_tell_people_apart_and_light_does_not() -> None:
    (red,) = filmed((body(100), RED, GREY)).appearance
    (dim,) = filmed((body(400), RED, GREY), light=0.7).appearance
    (blue,) = filmed((body(100), BLUE, BLACK)).appearance
    (trousers,) = filmed((body(100), RED, BLACK)).appearance
    assert difference(red, red) == 0
    assert difference(red, dim) < 0.4 * difference(red, blue)
    assert difference(red, dim) < difference(red, trousers) < difference(red, blue)


def test_what_is_hidden_or_outside_is_not_known() -> None:
    behind, front = filmed((body(100, 190), RED, GREY), (body(104, 200), BLUE, BLACK)).appearance
    assert np.isnan(behind).all()
    assert np.isfinite(front).all()
    (outside,) = filmed((body(100, 410), RED, GREY)).appearance  # the legs are below the picture
    assert np.isnan(outside[15:]).all()
    low = body(100)
    low[[13, 14, 15, 16], 2] = 0.1  # legs that were not found for sure
    (torso_only,) = filmed((low, RED, GREY)).appearance
    assert np.isfinite(torso_only[:15]).all()
    assert np.isnan(torso_only[15:]).all()
    (whole,) = filmed((body(100), RED, BLACK)).appearance
    assert difference(torso_only, whole) < 3  # the torsos alone are compared
    assert np.isnan(difference(outside * np.nan, whole))


def test_the_usual_appearance_ignores_what_is_not_known() -> None:
    looks = np.full((3, APPEARANCE_FEATURES), np.nan)
    looks[0], looks[1, :15] = 1, 3
    assert usual(looks).tolist() == [2] * 15 + [1] * 15
    assert np.isnan(usual(looks[2:])).all()


def test_nothing_to_look_at() -> None:
    assert with_appearance(People.none(), np.zeros((9, 9, 3), np.uint8)).appearance is None
    with pytest.raises(ValueError, match="expected appearance"):
        replace(found(body(100)), appearance=np.zeros((1, 7), np.float32))


def scene_with_exchange(*, known: bool) -> list[People]:
    """Two people meet, stand together, out of sight of the detector for a second, and turn back."""
    frames = []
    for t in range(120):
        way = 4.0 * (50 - min(t, 100 - t)) if t < 100 else 4.0 * min(t - 50, 50)
        left, right = body(300 - way / 2 - 14), body(300 + way / 2 + 14)
        people = filmed((left, RED, GREY), (right, BLUE, BLACK))
        if 40 < t < 60:
            people = People.none()
        frames.append(people if known else replace(people, appearance=None))
    return frames


def test_people_who_meet_and_turn_back_are_not_taken_for_people_who_cross() -> None:
    tracks = link(scene_with_exchange(known=True), **clock(120))
    assert len(tracks) == 2
    for track in tracks:
        assert (hips(track) < 300).all() or (hips(track) > 300).all()


def test_a_person_who_returns_after_long_has_the_same_id() -> None:
    frames = []
    for t in range(400):
        staying = (body(100), BLUE, BLACK)
        away = 60 <= t < 300
        frames.append(filmed(staying) if away else filmed(staying, (body(400), RED, GREY)))
    tracks = link(frames, **clock(400))
    assert [len(track) for track in tracks] == [400, 160]
    blind = [replace(each, appearance=None) for each in frames]
    assert [len(track) for track in link(blind, **clock(400))] == [400, 60, 100]


def test_someone_else_at_the_same_place_has_another_id() -> None:
    frames = [filmed((body(400), RED, GREY)) if t < 60 else People.none() for t in range(150)]
    frames += [filmed((body(400), BLUE, BLACK))] * 60
    assert [len(track) for track in link(frames, **clock(210))] == [60, 60]
    # also if they come at once
    frames = [filmed((body(400), RED, GREY))] * 40 + [People.none()] * 10
    frames += [filmed((body(400), BLUE, BLACK))] * 40
    assert [len(track) for track in link(frames, **clock(90))] == [40, 40]


def test_of_two_who_left_the_one_who_looks_alike_returned() -> None:
    frames = []
    for t in range(300):
        people = []
        if t < 60:
            people = [(body(200), RED, GREY), (body(400), BLUE, BLACK)]
        elif t >= 200:
            people = [(body(230), BLUE, BLACK)]
        frames.append(filmed(*people) if people else People.none())
    first, second = link(frames, **clock(300))
    assert len(first) == 60
    assert (len(second), second.frames[-1], hips(second)[0]) == (160, 299, 400)


def test_no_one_gets_across_the_picture_at_once() -> None:
    frames = [filmed((body(60), RED, GREY)) if t < 40 else People.none() for t in range(110)]
    frames += [filmed((body(580, 330 - 60), RED, GREY))] * 40
    assert len(link(frames, **clock(150))) == 1  # in more than two seconds one can walk that far
    frames = [filmed((body(60), RED, GREY))] * 40 + [filmed((body(580), RED, GREY))] * 40
    assert len(link(frames, **clock(80))) == 2


def test_low_scores_are_assigned_after_high_ones() -> None:
    frames = []
    for t in range(40):
        sure, unsure = body(200 + t), body(206 + t)
        unsure[:, 2] = 0.15
        frames.append(found(unsure, sure) if t >= 20 else found(sure))
    first, second = link(frames, **clock(40))
    assert (len(first), len(second)) == (40, 20)
    assert (first.keypoints[..., 2] > 0.5).all()
