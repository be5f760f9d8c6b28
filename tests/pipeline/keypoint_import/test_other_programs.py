"""Small files as further programs write them: what is read, what is assumed, and what is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import InputError, UsageError
from videopose.pipeline.keypoint_import.formats import read_sightings
from videopose.pipeline.keypoint_import.layouts import looks_like_h36m
from videopose.pipeline.keypoint_import.match_video import (
    check_several,
    find,
    number_from_zero,
)
from videopose.pipeline.keypoint_import.sightings import Row, Sightings, make_sightings
from videopose.pipeline.keypoint_import.who_is_who import merge_duplicates
from videopose.skeleton import COCO17, H36M17, convert

VIDEO = Path("clip.mp4")
FRAMES = 6


def _person(x: float = 0.0) -> NDArray[np.float32]:
    """(17, 3) COCO17: a person who stands, 170 pixels tall."""
    body = np.zeros((17, 3), np.float32)
    body[:5, :2] = [[0, 15], [3, 12], [-3, 12], [7, 13], [-7, 13]]
    body[5:11, :2] = [[17, 42], [-17, 42], [20, 70], [-20, 70], [22, 95], [-22, 95]]
    body[11:, :2] = [[10, 92], [-10, 92], [10, 135], [-10, 135], [10, 177], [-10, 177]]
    return np.asarray(body + np.array([100 + x, 20, 0.75], np.float32), np.float32)


PEOPLE = [_person(3 * frame) for frame in range(FRAMES)]


def _flat(keypoints: NDArray[np.float32]) -> list[float]:
    return [float(value) for value in keypoints.ravel()]


def _alphapose_open(path: Path) -> Path:
    content = {f"{n}.jpg": {"version": "AlphaPose v0.3", "people": [{"pose_keypoints_2d": _flat(p)}]} for n, p in enumerate(PEOPLE)}  # fmt: skip  # noqa: E501
    path.write_text(json.dumps(content))
    return path


def _alphapose_cmu(path: Path) -> Path:
    content = {f"{n}.jpg": {"version": 0.1, "bodies": [{"joints": _flat(p)}]} for n, p in enumerate(PEOPLE)}
    path.write_text(json.dumps(content))
    return path


def _ultralytics_frames(scores: bool) -> list[Any]:
    frames = []
    for person in PEOPLE:
        x, y, score = (person[:, i].tolist() for i in range(3))
        keypoints = {"x": x, "y": y} | ({"visible": score} if scores else {})
        frames.append([{"name": "person", "class": 0, "track_id": 1, "keypoints": keypoints}])
    return frames


def _ultralytics(path: Path) -> Path:
    path.write_text(json.dumps(_ultralytics_frames(True)))
    return path


def _ultralytics_texts(path: Path) -> Path:
    path.write_text(json.dumps([json.dumps(frame) for frame in _ultralytics_frames(True)]))
    return path


def _coco_annotations(path: Path) -> Path:
    images = [
        {"id": 70 + n, "file_name": f"x/{n:04}.png", "width": 640, "height": 360} for n in range(FRAMES)
    ]
    annotations = [
        {"id": n, "image_id": 70 + n, "category_id": 1, "keypoints": _flat(p)} for n, p in enumerate(PEOPLE)
    ]
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO17.names)}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))
    return path


def _numpy(path: Path) -> Path:
    path = path.with_suffix(".npy")
    np.save(path, np.stack(PEOPLE))
    return path


def _numpy_of_several(path: Path) -> Path:
    path = path.with_suffix(".npy")
    people = np.stack(PEOPLE)[:, None].repeat(2, 1)
    people[:, 1] = np.nan
    np.save(path, people)
    return path


@pytest.mark.parametrize(
    "write",
    [
        _alphapose_open,
        _alphapose_cmu,
        _ultralytics,
        _ultralytics_texts,
        _coco_annotations,
        _numpy,
        _numpy_of_several,
    ],
)
def test_each_format_is_recognised_and_gives_the_same_people(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    found = read_sightings([write(tmp_path / "clip.json")], VIDEO)
    assert found.layout is COCO17
    np.testing.assert_allclose(found.keypoints, PEOPLE, atol=1e-4)
    assert found.frame.tolist() == list(range(FRAMES))


def test_mmpose_writes_a_file_for_each_image(tmp_path: Path) -> None:
    for number, person in enumerate(PEOPLE):
        one = {"keypoints": person[:, :2].tolist(), "keypoint_scores": person[:, 2].tolist()}
        (tmp_path / f"{number + 1:06}.json").write_text(json.dumps([one] if number != 2 else []))
    found = read_sightings(find(tmp_path, VIDEO), VIDEO)
    assert found.frame.tolist() == [1, 2, 4, 5, 6]
    assert (found.first, found.numbered) == (1, True)


def test_ultralytics_leaves_keypoints_in_the_corner(tmp_path: Path) -> None:
    frames = _ultralytics_frames(False)
    frames[0][0]["keypoints"]["x"][5] = frames[0][0]["keypoints"]["y"][5] = 0.0
    frames[1] = []
    (tmp_path / "a.json").write_text(json.dumps(frames))
    found = read_sightings([tmp_path / "a.json"], VIDEO)
    assert found.frame.tolist() == [0, 2, 3, 4, 5]
    assert found.length == FRAMES
    assert found.keypoints[0, :, 2].tolist() == [1.0] * 5 + [0.0] + [1.0] * 11


def test_visibility_in_annotations_becomes_scores(tmp_path: Path) -> None:
    path = _coco_annotations(tmp_path / "a.json")
    content = json.loads(path.read_text())
    for annotation in content["annotations"]:
        annotation["keypoints"][2::3] = [2, 1, 0] + [2] * 14
    path.write_text(json.dumps(content))
    found = read_sightings([path], VIDEO)
    assert found.keypoints[0, :4, 2].tolist() == [1.0, 0.5, 0.0, 1.0]
    assert found.size == (640, 360)


def test_scores_that_are_all_zero_count_as_absent(tmp_path: Path) -> None:
    people = np.stack(PEOPLE)
    people[..., 2] = 0
    people[:, 3] = 0
    np.save(tmp_path / "a.npy", people)
    found = read_sightings([tmp_path / "a.npy"], VIDEO)
    assert found.keypoints[0, :5, 2].tolist() == [1, 1, 1, 0, 1]
    assert found.notes == ("all its scores are 0, so every keypoint with a position is believed",)


def test_human36m_s_order_is_recognised(tmp_path: Path) -> None:
    people = convert(np.stack(PEOPLE), COCO17, H36M17)
    np.save(tmp_path / "a.npy", people)
    found = read_sightings([tmp_path / "a.npy"], VIDEO)
    assert found.layout is H36M17
    assert "--keypoint-layout coco17" in found.notes[0]
    assert read_sightings([tmp_path / "a.npy"], VIDEO, "coco17").layout is COCO17
    assert not looks_like_h36m(np.stack(PEOPLE))


@pytest.mark.parametrize("seed", range(5))
def test_people_who_turn_and_lie_are_not_taken_for_human36m_s(seed: int) -> None:
    random = np.random.default_rng(seed)
    angles = random.uniform(0, 2 * np.pi, 50)
    turns = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], -1).reshape(50, 2, 2)
    people = np.tile(_person(), (50, 1, 1))
    people[..., :2] = people[..., :2] @ turns + random.normal(0, 8, (50, 17, 2))
    assert not looks_like_h36m(people.astype(np.float32))
    assert looks_like_h36m(convert(people.astype(np.float32), COCO17, H36M17))


def _numbered(numbers: list[int], first: int | None = None) -> Sightings:
    found = make_sightings("test", [Row(n, _person()) for n in numbers], None)
    return Sightings(**{**vars(found), "numbered": True, "first": first})


@pytest.mark.parametrize(
    ("numbers", "first", "count", "stated", "expected", "said"),
    [
        ([0, 1, 2], None, 3, None, [0, 1, 2], ""),
        ([1, 2, 3], None, 3, None, [0, 1, 2], "because the numbers 1 to 3 are those of the video's 3 frames"),
        ([101, 102, 103], None, 3, None, [0, 1, 2], "because the numbers 101 to 103"),
        ([2, 3], None, 3, None, [1, 2], "because the last is 3 and the video has 3 frames"),
        ([2], 1, 3, None, [1], "because there is a file of frame 1 and none of frame 0"),
        ([1, 2], None, 3, None, [1, 2], "by assumption"),
        ([1, 2], None, 3, 1, [0, 1], ""),
        ([1, 2], None, None, None, [1, 2], "by assumption"),
        ([1, 2, 3], None, 3, 0, [1, 2, 3], ""),
    ],
)
def test_numbers_of_frames_are_settled_by_the_video(
    numbers: list[int],
    first: int | None,
    count: int | None,
    stated: int | None,
    expected: list[int],
    said: str,
) -> None:
    found = number_from_zero(_numbered(numbers, first), count, stated)
    assert found.frame.tolist() == expected
    assert len(found.notes) == bool(said)
    assert said in " ".join(found.notes)
    assert not said or "--keypoint-first-frame overrides this" in found.notes[0]


def test_a_first_frame_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="--keypoint-first-frame 2: the file has frame 1"):
        number_from_zero(_numbered([1, 2]), 3, 2)
    unnumbered = make_sightings("test", [Row(0, _person())], None)
    assert number_from_zero(unnumbered, 3, None) is unnumbered
    with pytest.raises(UsageError, match="frames have no numbers in this file"):
        number_from_zero(unnumbered, 3, 1)


def test_a_person_who_is_written_three_times_is_one() -> None:
    jitter = np.random.default_rng(0).normal(0, 1, (17, 3)).astype(np.float32) * [1, 1, 0]
    rows = []
    for frame in range(4):
        rows += [
            Row(frame, _person()),
            Row(frame, _person() + jitter),
            Row(frame, _person(60)),
            Row(frame, _person()),
        ]
    merged = merge_duplicates(make_sightings("test", rows, None))
    assert merged.frame.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert merged.notes == ("people are written twice on 4 frames, and are merged",)
    assert merge_duplicates(merged) is merged


def test_of_duplicates_the_usual_number_is_kept() -> None:
    rows = [Row(0, _person(), 7), Row(0, _person(), 5), Row(1, _person(), 5)]
    assert merge_duplicates(make_sightings("test", rows, None)).person.tolist() == [5, 5]


def test_a_crowd_that_is_too_large_is_refused() -> None:
    with pytest.raises(InputError, match="1,001 people on frame 3"):
        make_sightings("test", [Row(3, _person())] * 1001, None)


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY\x01\x00",
        b"[" * 100_000,
        b'{"a.jpg": {"people": 3}}',
        b'[{"image_id": 1e400, "keypoints": []}]',
        b'[{"image_id": [], "keypoints": [1, 2, 3]}]',
        b'{"images": [], "annotations": []}',
        b"[[3]]",
        b'["{"]',
        b"[]",
        b"{}",
        b"null",
    ],
)
def test_damaged_files_are_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json") as caught:
        read_sightings([tmp_path / "a.json"], VIDEO)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_among_several_is_left_to_its_video(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.npz").write_bytes(b"PK\x03\x04 and no more")
    check_several(tmp_path, [Path("a.mp4"), Path("b.mp4")])
