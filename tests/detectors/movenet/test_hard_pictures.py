"""People who fill the picture, are small, or are on a long picture; pictures without people."""

from itertools import islice

import av
import cv2
import numpy as np
import pytest

from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.people import Image
from videopose.pipeline.downloads.assets import cache_folder, fetch

pytestmark = pytest.mark.network

NOSE, SHOULDERS, HIPS = 0, [5, 6], [11, 12]


@pytest.fixture(scope="module")
def movenet() -> MoveNet:
    networks = {
        name: (fetch(f"movenet-{name}.json"), fetch(f"movenet-{name}.bin"))
        for name in ("multipose", "thunder")
    }
    return MoveNet(**networks, cache=cache_folder(), threads=1)


@pytest.fixture(scope="module")
def frames() -> list[Image]:
    """Frames 60 to 90, every third: the man at about (640, 250), the woman comes from the right."""
    with av.open(str(fetch("demo.mp4"))) as container:
        return [f.to_ndarray(format="rgb24") for f in islice(container.decode(video=0), 60, 91, 3)]


@pytest.fixture(scope="module")
def followed(movenet: MoveNet, frames: list[Image]) -> np.ndarray:
    """(T, 2, 17, 3): the man and the woman on the whole frames."""
    people = list(movenet.detect(frames))
    return np.stack([sorted(p.keypoints, key=lambda k: k[:, 0].mean()) for p in people])


def close_up(frame: Image, body: np.ndarray, lower: list[int], aspect: float) -> tuple[Image, np.ndarray]:
    """Cut a person from the head down to the keypoints `lower`; return also where they are on the crop."""
    shoulders, face = body[SHOULDERS, 1].mean(), body[:5, 1]
    top = face.min() - 0.7 * (shoulders - face.mean())
    bottom = body[lower, 1].mean()
    side = (bottom - top) * aspect
    left = body[SHOULDERS, 0].mean() - side / 2
    x, y = max(round(left), 0), max(round(top), 0)
    crop = frame[y : round(bottom), x : round(left + side)]
    scale = 480 / crop.shape[0]
    size = (round(crop.shape[1] * scale), 480)
    moved = body.copy()
    moved[:, :2] = (moved[:, :2] - [x, y]) * scale
    return np.asarray(cv2.resize(crop, size), np.uint8), moved


def near(found: np.ndarray, expected: np.ndarray, joints: list[int], size: float) -> bool:
    return any(np.linalg.norm(body[joints, :2] - expected[joints, :2], axis=1).max() < size for body in found)


@pytest.mark.parametrize("who", [pytest.param(0, id="man"), pytest.param(1, id="woman")])
@pytest.mark.parametrize("aspect", [16 / 9, 1.0])
@pytest.mark.parametrize(
    "lower", [pytest.param(HIPS, id="head to hips"), pytest.param([*SHOULDERS, *HIPS], id="chest up")]
)
def test_a_person_who_fills_the_picture(movenet, frames, followed, who, aspect, lower):
    views = [close_up(frame, body[who], lower, aspect) for frame, body in zip(frames, followed, strict=True)]
    size = views[0][0].shape
    clip = [cv2.resize(view, (size[1], size[0])) for view, _ in views]
    found = list(movenet.detect(clip))
    right = [
        near(people.keypoints, expected * [size[1] / view.shape[1], 1, 1], [NOSE, *SHOULDERS], 110)
        for people, (view, expected) in zip(found, views, strict=True)
    ]
    assert np.mean(right) > 0.9
    assert max(map(len, found)) == 1


def test_small_people(movenet, frames, followed):
    """The man is 85 pixels tall on 1080 rows."""
    canvas = np.full((1080, 1920, 3), 110, np.uint8)
    scale = 0.25
    small = cv2.resize(frames[0], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas[700 : 700 + small.shape[0], 1300 : 1300 + small.shape[1]] = small
    (people,) = movenet.detect([canvas])
    expected = followed[0] * [scale, scale, 1] + [1300, 700, 0]
    assert near(people.keypoints, expected[0], [NOSE, *SHOULDERS, *HIPS], 15)
    assert near(people.keypoints, expected[1], [NOSE, *SHOULDERS, *HIPS], 15)
    assert len(people) == 2


@pytest.mark.parametrize("shape", [(360, 4000), (2400, 640)])
def test_panoramas(movenet, frames, followed, shape):
    long = np.full((*shape, 3), 110, np.uint8)
    scale = min(shape) / frames[0].shape[0 if shape[0] < shape[1] else 1]
    small = cv2.resize(frames[0], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x, y = (
        (0.6 * (shape[1] - small.shape[1]), 0)
        if shape[0] < shape[1]
        else (0, 0.6 * (shape[0] - small.shape[0]))
    )
    long[int(y) : int(y) + small.shape[0], int(x) : int(x) + small.shape[1]] = small[: shape[0], : shape[1]]
    (people,) = movenet.detect([long])
    for body in followed[0]:
        expected = body * [scale, scale, 1] + [int(x), int(y), 0]
        assert near(people.keypoints, expected, [NOSE, *SHOULDERS, *HIPS], 30)
    assert len(people) == 2


def test_someone_who_comes_in_late(movenet, frames):
    blank = np.full_like(frames[0], 90)
    found = list(movenet.detect([*[blank] * 40, *frames]))
    assert all(len(people) == 0 for people in found[:40])
    assert max(len(people) for people in found[-6:]) == 2


def test_forty_people(movenet, frames):
    """The man stands on a grid of 8 × 5; one run of MultiPose finds six people."""
    man = cv2.resize(frames[6][40:480, 500:780], (140, 220), interpolation=cv2.INTER_AREA)
    crowd = np.tile(man, (5, 8, 1))
    (people,) = movenet.detect([crowd])
    centres = people.keypoints[:, [*SHOULDERS, *HIPS], :2].mean(1)
    cells = {(int(x // 140), int(y // 220)) for x, y in centres}
    assert len(cells) >= 30
    assert len(people) <= 40


@pytest.mark.parametrize("shape", [(32, 32), (4320, 7680), (360, 4000), (2400, 640)])
def test_pictures_without_people(movenet, shape):
    slope = np.linspace(0, 255, shape[1]).astype(np.uint8)
    picture = np.broadcast_to(slope[None, :, None], (*shape, 3))
    (people,) = movenet.detect([np.ascontiguousarray(picture)])
    assert len(people) == 0


def test_an_empty_scene_stays_empty(movenet, frames):
    """The wall below the man, trees and houses: with all glances, and with those that take turns."""
    wall = np.ascontiguousarray(frames[0][460:930, :740])
    assert [len(people) for people in movenet.detect([wall] * 30)] == [0] * 30
