import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from videopose.detectors.coco.annotation_files import read_annotations, read_boxes
from videopose.detectors.coco.annotations import FoundBoxes, ImageEntry
from videopose.errors import InputError
from videopose.skeleton import COCO17, Skeleton

H36M17 = Skeleton.from_names(
    tuple(
        "hip rhip rknee rfoot lhip lknee lfoot spine thorax nose head lshoulder lelbow lwrist rshoulder "
        "relbow rwrist".split()
    ),
)

CONTENT: dict[str, Any] = {
    "categories": [
        {"id": 3, "name": "cat"},
        {
            "id": 7, "name": "person", "keypoints": ["nose", "left_hip", "right_hip"],
            "skeleton": [[1, 2], [1, 3]],
        },
    ],
    "images": [
        {"id": 5, "file_name": "a.png", "width": 40, "height": 30},
        {"id": 6, "file_name": "b/b.png", "width": 20, "height": 20},
    ],
    "annotations": [
        {
            "id": 1, "image_id": 5, "category_id": 7, "bbox": [1, 2, 10.5, 20], "area": 100.5, "iscrowd": 0,
            "keypoints": [3, 4, 2, 0, 0, 0, 5.25, 6, 1], "num_keypoints": 2,
        },
        {"id": 2, "image_id": 5, "category_id": 3, "bbox": [0, 0, 5, 5]},
        {
            "id": 3, "image_id": 5, "category_id": 7, "bbox": [0, 0, 30, 5], "iscrowd": 1,
            "keypoints": [1, 1, 2] * 3,
        },
        {"id": 4, "image_id": 6, "category_id": 7, "bbox": [0, 0, 4, 5], "iscrowd": 0},
    ],
}  # fmt: skip


def _write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("keypoints", "pairs"),
    [
        (COCO17, [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]),
        (H36M17, [(1, 4), (2, 5), (3, 6), (11, 14), (12, 15), (13, 16)]),
        (
            Skeleton.from_names(("Neck", "RHip", "LHip", "knee_l", "knee_r", "lid")),
            [(1, 2), (3, 4)],
        ),
        (Skeleton.from_names(("nose", "rim", "LeftHand", "RightHand")), [(2, 3)]),
    ],
)
def test_names_say_what_is_left_and_right(keypoints, pairs):
    expected = list(range(len(keypoints)))
    for a, b in pairs:
        expected[a], expected[b] = b, a
    assert list(keypoints.mirror) == expected


def test_a_set_has_each_name_once():
    with pytest.raises(ValueError, match="distinct names, found a, b, a"):
        Skeleton.from_names(("a", "b", "a"))


def test_reading(tmp_path):
    read = read_annotations(_write(tmp_path / "a.json", CONTENT))
    assert read.keypoints == Skeleton.from_names(("nose", "left_hip", "right_hip"), ((0, 1), (0, 2)))
    assert read.category == 7
    assert read.images[6] == ImageEntry(6, "b/b.png", 20, 20)
    assert [(p.id, p.image, p.crowd, p.annotated) for p in read.people] == [
        (1, 5, False, True), (3, 5, True, False), (4, 6, False, False)
    ]  # fmt: skip
    assert read.people[0].box.tolist() == [1, 2, 11.5, 22]
    # COCO's 0 is the middle of the first pixel
    assert read.people[0].keypoints.tolist() == [[3.5, 4.5, 2], [0, 0, 0], [5.75, 6.5, 1]]
    assert [p.area for p in read.people] == [100.5, 150, 20]
    assert [p.id for p in read.trainable()] == [1]
    assert {n: [p.id for p in people] for n, people in read.by_image.items()} == {5: [1, 3], 6: [4]}
    assert FoundBoxes.true(read).boxes[5].tolist() == [[1, 2, 11.5, 22]]


def test_what_is_written_reads_the_same(tmp_path):
    read = read_annotations(_write(tmp_path / "a.json", CONTENT))
    again = read_annotations(_write(tmp_path / "b.json", read.as_json()))
    assert again.as_json() == read.as_json()
    assert read.as_json()["annotations"][0]["keypoints"] == [3, 4, 2, 0, 0, 0, 5.25, 6, 1]
    assert (again.keypoints, again.images, again.category) == (read.keypoints, read.images, read.category)


def _without(path: str) -> dict[str, Any]:
    content = deepcopy(CONTENT)
    place: Any = content
    *parents, last = path.split(".")
    for parent in parents:
        place = place[int(parent)] if parent.isdecimal() else place[parent]
    del place[int(last) if last.isdecimal() else last]
    return content


def _with(annotation: dict[str, Any]) -> dict[str, Any]:
    content = deepcopy(CONTENT)
    content["annotations"][0] |= annotation
    return content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "lacks images, annotations or categories"),
        (_without("images"), "lacks images, annotations or categories"),
        (_without("categories.1"), "one category, person, must name its keypoints"),
        (_without("categories.1.keypoints"), "one category, person, must name its keypoints"),
        (_without("images.0"), "annotations speak of image 5, which is not listed"),
        (_without("images.0.width"), "no width"),
        (_without("annotations.0.bbox"), "no bbox"),
        (_with({"keypoints": [1, 2, 2]}), "annotation 1 has 3 numbers for 3 keypoints"),
        (_with({"bbox": [1, 2, float("nan"), 4]}), "annotation 1 has numbers that are not finite"),
        (_with({"bbox": [-1e308, 2, 3, 4]}), "annotation 1 has numbers that are not finite"),
        (_with({"keypoints": [1, 2, 2] * 2 + [1e39, 2, 2]}), "annotation 1 has numbers that are not finite"),
        (_with({"bbox": [1, 2]}), "not enough values"),
        (_with({"image_id": "x"}), "invalid literal"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, reason):
    path = _write(tmp_path / "a.json", content)
    with pytest.raises(InputError, match=reason) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(f"{path} is not a COCO person-keypoint file (")


def test_files_that_are_no_json(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\x00")
    (tmp_path / "b.json").write_text("[" * 100_000)
    for name in ("a.json", "b.json"):
        with pytest.raises(InputError, match="is not a JSON file"):
            read_annotations(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_boxes(tmp_path / "none.json")


def test_boxes_of_annotations_and_of_results(tmp_path):
    found = read_boxes(_write(tmp_path / "a.json", CONTENT | {"annotations": CONTENT["annotations"][0:1]}))
    assert found.boxes[5].tolist() == [[1, 2, 11.5, 22]]
    assert found.scores[5].tolist() == [1]
    results = [{"image_id": 0, "bbox": [1, 1, 2, 2], "score": 0.25}, {"image_id": 0, "bbox": [2, 2, 3, 3]}]
    found = read_boxes(_write(tmp_path / "r.json", results))
    assert found.boxes[0].tolist() == [[1, 1, 3, 3], [2, 2, 5, 5]]
    assert found.scores[0].tolist() == [0.25, 1]
    too_large = [{"image_id": 0, "bbox": [-1e308, 1, 2, 2]}]
    for wrong in ([{"image_id": 0}], [{"image_id": 0, "bbox": [1, 1, 0, 2]}], too_large, {"a": 1}, [3], 4):
        with pytest.raises(InputError, match="not a file of boxes in COCO's form"):
            read_boxes(_write(tmp_path / "w.json", wrong))


def test_images_are_rgb_and_of_their_size(tmp_path):
    image = np.zeros((30, 40, 3), np.uint8)
    image[..., 2] = 200  # red, as OpenCV writes it
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert ImageEntry(1, "a.png", 40, 30).read(tmp_path)[0, 0].tolist() == [200, 0, 0]
    with pytest.raises(InputError, match="is 40 × 30; its annotation says 30 × 40"):
        ImageEntry(1, "a.png", 30, 40).read(tmp_path)
    with pytest.raises(InputError, match="cannot be read as an image"):
        ImageEntry(1, "b.png", 30, 40).read(tmp_path)


@pytest.mark.parametrize("number", ["Infinity", "NaN", "1.5", "true", "1e400", '"x"', "null"])
@pytest.mark.parametrize("key", ["id", "width"])
def test_numbers_of_images_that_are_none(number: str, key: str, tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "a.jpg", "width": 640, "height": 360, key: "NUMBER"}
    content = {"images": [image], "annotations": [], "categories": [{"id": 1, "keypoints": ["nose"]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content).replace('"NUMBER"', number))
    with pytest.raises(InputError, match="is not a COCO person-keypoint file") as caught:
        read_annotations(path)
    assert "\n" not in str(caught.value)


def test_an_image_of_another_size_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((20, 30, 3), np.uint8))
    entry = ImageEntry(1, "a.png", 30, 20)
    assert entry.read(tmp_path).shape == (20, 30, 3)
    monkeypatch.setattr(cv2, "imread", lambda *arguments: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match=r"a\.png is 30 × 20; its annotation says 3 × 2"):
        ImageEntry(1, "a.png", 3, 2).read(tmp_path)


def test_images_of_annotated_people_must_be_there(tmp_path):
    annotations = read_annotations(_write(tmp_path / "people.json", CONTENT))
    (tmp_path / "a.png").touch()
    annotations.check_images(tmp_path)  # the one person of the other image has no keypoints
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"^1 of the 1 images with people are not in .*'a\.png'; --images"):
        annotations.check_images(tmp_path)
    content = deepcopy(CONTENT)
    content["images"][0]["file_name"] = "x" * 400
    with pytest.raises(InputError, match="for example 'xxx"):
        read_annotations(_write(tmp_path / "long.json", content)).check_images(tmp_path)
