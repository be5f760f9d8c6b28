"""MoveNet on the demo clip: 1768×994, a man on a wall, and a woman who walks in at about frame 45."""

from itertools import islice

import av
import cv2
import numpy as np
import pytest

from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.people import Image, People
from videopose.detectors.tracking.similarity import keypoint_boxes, oks
from videopose.errors import InputError, UsageError
from videopose.pipeline.downloads.assets import fetch

NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 0, 5, 6, 11, 12
ANKLES, HIPS, SHOULDERS = [15, 16], [11, 12], [5, 6]
FIRST = 56
NETWORKS = ("multipose", "thunder")

pytestmark = pytest.mark.network


def movenet(**options) -> MoveNet:
    networks = {name: (fetch(f"movenet-{name}.json"), fetch(f"movenet-{name}.bin")) for name in NETWORKS}
    return MoveNet(**{**networks, "threads": 1, **options})


def clip(first: int, last: int) -> list[Image]:
    with av.open(str(fetch("demo.mp4"))) as container:
        return [f.to_ndarray(format="rgb24") for f in islice(container.decode(video=0), first, last)]


@pytest.fixture(scope="module")
def frames():
    return clip(FIRST, FIRST + 26)


@pytest.fixture(scope="module")
def people(frames):
    return list(movenet().detect(frames))


def one(people: list[People], which: int) -> np.ndarray:
    """(T, 17, 3): the man stands left of the woman in these frames."""
    return np.stack([sorted(p.keypoints, key=lambda k: k[:, 0].mean())[which] for p in people])


def test_two_people_on_every_frame(people):
    assert [len(p) for p in people] == [2] * 26
    assert min(float(p.scores.min()) for p in people) > 0.4


@pytest.mark.parametrize("which", [0, 1])
def test_anatomy(people, which):
    body = one(people, which)
    height = np.ptp(body[:, :, 1], axis=1)
    assert (body[:, ANKLES, 1].mean(1) - body[:, HIPS, 1].mean(1) > 0.3 * height).all()
    assert (body[:, HIPS, 1].mean(1) - body[:, SHOULDERS, 1].mean(1) > 0.15 * height).all()
    assert (body[:, SHOULDERS, 1].mean(1) > body[:, NOSE, 1]).all()


def test_left_and_right_do_not_swap(people):
    man = one(people, 0)  # he faces the camera here, so his left is on the right
    for left, right in ((LEFT_SHOULDER, RIGHT_SHOULDER), (LEFT_HIP, RIGHT_HIP), (15, 16)):
        assert (man[:, left, 0] > man[:, right, 0]).all()


@pytest.mark.parametrize("which", [0, 1])
def test_keypoints_are_steady(people, which):
    body = one(people, which)
    acceleration = np.linalg.norm(np.diff(body[..., :2], n=2, axis=0), axis=-1)
    assert np.median(acceleration) < 0.015 * np.median(np.ptp(body[:, :, 1], axis=1))


def test_boxes_hold_the_keypoints_and_stay_in_the_frame(people, frames):
    height, width = frames[0].shape[:2]
    for present in people:
        inner = keypoint_boxes(present.keypoints)
        assert (present.boxes[:, :2] <= inner[:, :2] + 1e-3).all()
        assert (present.boxes[:, 2:] >= inner[:, 2:] - 1e-3).all()
        assert (present.boxes >= 0).all()
        assert (present.boxes <= [width, height, width, height]).all()


def test_agrees_with_the_eye(people):
    man = one(people, 0)[80 - FIRST]
    read_off = {  # from an enlarged still of frame 80: he faces the camera, 360 px tall
        "nose": (0, (637, 132)),
        "left shoulder": (5, (676, 172)),
        "right shoulder": (6, (591, 175)),
        "left wrist": (9, (684, 285)),
        "right wrist": (10, (583, 298)),
        "left knee": (13, (658, 352)),
        "right knee": (14, (608, 352)),
        "left ankle": (15, (655, 435)),
        "right ankle": (16, (610, 435)),
    }
    for name, (keypoint, place) in read_off.items():
        assert np.hypot(*(man[keypoint, :2] - place)) < 15, name


@pytest.mark.parametrize(
    ("matrix", "size"),
    [
        pytest.param([[1, 0, 150], [0, 1, 0]], (1918, 994), id="moved right"),
        pytest.param([[1, 0, 0], [0, 1, 230]], (1768, 1224), id="moved down"),
        pytest.param([[2, 0, 0], [0, 2, 0]], (3536, 1988), id="twice the size"),
        pytest.param([[0.6, 0, 31], [0, 0.6, 17]], (1100, 640), id="smaller and moved"),
    ],
)
def test_keypoints_go_with_the_picture(people, frames, matrix, size):
    matrix = np.array(matrix, np.float64)
    changed = [cv2.warpAffine(frame, matrix, size) for frame in frames[:2]]
    found = list(movenet().detect(changed))
    for which in (0, 1):
        meant = one(people[:2], which)
        got = one(found, which)
        sure = (meant[..., 2] > 0.5) & (got[..., 2] > 0.5)
        # pixel i covers i to i + 1, so what warpAffine does to centres it does to these half a pixel off
        expected = (meant[..., :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
        apart = np.linalg.norm(got[..., :2] - expected, axis=-1)[sure] / matrix[0, 0]
        assert sure.sum() > 15
        assert np.median(apart) < 4
        assert np.percentile(apart, 90) < 15


def test_mirrored_person_is_mirrored(people, frames):
    swap = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    (mirrored,) = movenet().detect([np.ascontiguousarray(frames[0][:, ::-1])])
    back = mirrored.keypoints[:, swap].copy()
    back[..., 0] = frames[0].shape[1] - back[..., 0]
    assert len(back) == 2
    assert (oks(people[0].keypoints, back).max(1) > 0.75).all()


def test_found_again_after_darkness(people, frames):
    dark = np.zeros_like(frames[0])
    found = list(movenet(search_interval=2).detect([*frames[:3], *[dark] * 4, *frames[7:12]]))
    assert [len(p) for p in found[:3]] == [2, 2, 2]
    assert [len(p) for p in found[3:7]] == [0, 0, 0, 0]
    assert len(found[8]) == 2
    assert (oks(found[-1].keypoints, people[11].keypoints).max(1) > 0.8).all()


def test_newcomer_is_found_within_the_interval():
    found = list(movenet(look_interval=8).detect(clip(34, 60)))
    assert len(found[0]) == 1
    assert [len(p) for p in found[-4:]] == [2] * 4


def test_someone_half_outside_the_frame(people, frames):
    cut = frames[0][:, : int(one(people, 0)[0][NOSE, 0])]  # the picture ends in the middle of the man
    (found,) = movenet().detect([np.ascontiguousarray(cut)])
    assert len(found) == 1
    assert np.isfinite(found.keypoints).all()
    assert found.boxes[0, 2] <= cut.shape[1]
    sure = found.keypoints[0, RIGHT_SHOULDER]
    assert np.hypot(*(sure[:2] - one(people, 0)[0][RIGHT_SHOULDER, :2])) < 20


@pytest.mark.parametrize("value", [0, 255])
def test_nobody(value):
    blank = np.full((240, 427, 3), value, np.uint8)
    for present in movenet().detect([blank] * 2):
        assert len(present) == 0
        assert present.keypoints.shape == (0, 17, 3)


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 2000, 3), (900, 3, 3)])
def test_odd_pictures(shape):
    (present,) = movenet().detect([np.full(shape, 128, np.uint8)])
    assert len(present) == 0


def test_limit_of_people(frames):
    present = list(movenet(max_people=1).detect(frames[:3]))
    assert [len(p) for p in present] == [1, 1, 1]
    assert oks(present[0].keypoints, present[2].keypoints)[0, 0] > 0.5  # the same one


def test_no_state_between_calls_and_lazy(frames):
    detector = movenet()
    first, second = detector.detect(iter(frames[:2])), detector.detect(iter(frames[:2]))
    interleaved = [(next(first), next(second)) for _ in range(2)]
    for a, b in interleaved:
        np.testing.assert_array_equal(a.keypoints, b.keypoints)


def test_description_names_the_weights():
    described = movenet().describe()
    assert described["name"] == "movenet"
    assert described["sha256"]["movenet-thunder.bin"].startswith("a2925747fccaf737")
    assert len(described["sha256"]) == 4


@pytest.mark.parametrize("options", [{"finder_size": 250}, {"max_people": 0}, {"look_interval": 0}])
def test_impossible_options(options):
    with pytest.raises(UsageError):
        movenet(**options)


def test_files_in_the_wrong_place():
    with pytest.raises(InputError):
        movenet(thunder=(fetch("movenet-thunder.bin"), fetch("movenet-thunder.json")))


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_a_clip_in_parts_gives_the_same_people(people, frames, cut):
    detector, memory = movenet(), {}
    found = [*detector.detect(frames[:cut], memory)]
    memory = {name: array.copy() for name, array in memory.items()}  # as read from a file
    found += [*movenet().detect(frames[cut:cut], memory), *movenet().detect(frames[cut:], memory)]
    for one, other in zip(found, people, strict=True):
        for name in ("boxes", "scores", "keypoints"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
