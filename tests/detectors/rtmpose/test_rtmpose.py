"""RTMPose and YOLOX, end to end with small networks of the same inputs and outputs."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_networks as small

from videopose.detectors import registry
from videopose.detectors.people import FEET
from videopose.detectors.registry import DetectorOptions
from videopose.detectors.rtmpose.person_finder import PersonFinder
from videopose.detectors.rtmpose.pose_network import PoseNetwork, decode_simcc
from videopose.errors import InputError, UsageError

SIZE = (320, 240)


def picture(x: int, y: int) -> np.ndarray:
    """Dark, with a bright spot."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[y - 4 : y + 5, x - 4 : x + 5] = 255
    return image


def reference_simcc(x: np.ndarray, y: np.ndarray, ratio: float) -> np.ndarray:
    """Decode by the paper's definition, one keypoint at a time."""
    rows = []
    for along_x, along_y in zip(x, y, strict=True):
        best_x = max(range(len(along_x)), key=lambda i: along_x[i])
        best_y = max(range(len(along_y)), key=lambda i: along_y[i])
        rows.append([best_x / ratio, best_y / ratio, (along_x[best_x] + along_y[best_y]) / 2])
    return np.array(rows)


def test_simcc_is_decoded_as_the_reference_does() -> None:
    random = np.random.default_rng(0)
    x, y = random.random((26, 384), np.float32), random.random((26, 512), np.float32)
    np.testing.assert_allclose(decode_simcc(x, y, (192, 256)), reference_simcc(x, y, 2.0), atol=1e-5)


@pytest.mark.parametrize("keypoints", [17, 26])
@pytest.mark.parametrize("box", [(100, 40, 180, 200), (0, 100, 300, 180), (250, 150, 330, 300)])
def test_the_spot_is_found_where_it_is(tmp_path: Path, keypoints: int, box: tuple) -> None:
    network = PoseNetwork(small.pose_network(tmp_path / "pose.onnx", keypoints))
    assert network.keypoints == keypoints
    at = (box[0] + box[2]) // 2 - 12, (box[1] + box[3]) // 2 + 8
    found = network.estimate(picture(*at), np.array(box, np.float32))
    assert found.shape == (keypoints, 3)
    pixel = 1.25 * max((box[2] - box[0]) / 48, (box[3] - box[1]) / 64)
    np.testing.assert_allclose(found[:, :2], np.broadcast_to(at, (keypoints, 2)), atol=5 + 2 * pixel)
    assert (np.diff(found[:, 2]) >= 0).all()


def yolox_raw(boxes: list[tuple[float, float, float, float, float]], size: int = 64) -> np.ndarray:
    """(1, cells, 85) outputs without suppression: x, y, w, h in pixels and score of each person."""
    cells = [(size // s, s) for s in (8, 16, 32)]
    total = sum(n * n for n, _ in cells)
    found = np.zeros((1, total, 85), np.float32)
    for x, y, w, h, score in boxes:
        n, stride = cells[0]
        column, row = int(x // stride), int(y // stride)
        cell = row * n + column
        found[0, cell, :4] = [x / stride - column, y / stride - row, np.log(w / stride), np.log(h / stride)]
        found[0, cell, 4:6] = [score, 1]
    return found


def test_people_of_yolox_without_suppression(tmp_path: Path) -> None:
    people = [(20, 24, 16, 40, 0.9), (29, 25, 16, 40, 0.5), (52, 24, 10, 30, 0.8), (10, 60, 8, 8, 0.2)]
    path = small.constant_network(tmp_path / "yolox.onnx", (64, 64), output=yolox_raw(people))
    boxes, scores = PersonFinder(path).find(np.zeros((128, 128, 3), np.uint8))
    order = np.argsort(-scores)
    np.testing.assert_allclose(scores[order], [0.9, 0.8, 0.5], atol=1e-5)
    np.testing.assert_allclose(boxes[order][:2], [[24, 8, 56, 88], [94, 18, 114, 78]], atol=1e-3)
    people[1] = (22, 25, 16, 40, 0.5)  # nearly the first: the same person
    people[1] = (24.5, 24, 16, 40, 0.5)
    path = small.constant_network(tmp_path / "again.onnx", (64, 64), output=yolox_raw(people))
    assert len(PersonFinder(path).find(np.zeros((128, 128, 3), np.uint8))[0]) == 2


def test_people_of_yolox_with_suppression(tmp_path: Path) -> None:
    found = np.array([[[8, 4, 24, 60, 0.9], [30, 4, 50, 70, 0.7], [0, 0, 9, 9, 0.1], [9, 9, 20, 20, 0.8]]])
    labels = np.array([[0, 0, 0, 16]], np.float32)
    path = small.constant_network(tmp_path / "yolox.onnx", (64, 64), dets=found, labels=labels)
    boxes, scores = PersonFinder(path).find(np.zeros((100, 200, 3), np.uint8))
    ratio = 64 / 200
    np.testing.assert_allclose(scores, [0.9, 0.7])
    np.testing.assert_allclose(boxes[0], [8 / ratio, 4 / ratio, 24 / ratio, 100], atol=1e-3)  # cut off


def build(**options: Any) -> Any:
    return registry.build("rtmpose", fetch=lambda name: Path(name), options=DetectorOptions(**options))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    found = np.array([[[20, 8, 44, 60, 0.9]]])
    boxes = small.constant_network(tmp_path / "yolox.onnx", (64, 64), dets=found)
    return small.pose_network(tmp_path / "pose.onnx", 26), boxes


def test_heels_and_toes_come_beside_coco(files: tuple[Path, Path]) -> None:
    pose, boxes = files
    detector = build(weights=pose, boxes=str(boxes))
    (people,) = detector.detect([picture(150, 150)])
    assert people.keypoints.shape == (1, 17, 3)
    assert people.extra.shape == (1, 6, 3)
    assert people.extra_names == FEET
    about = detector.describe()
    assert (about["name"], about["keypoints"]) == ("rtmpose", 26)
    assert set(about["sha256"]) == {"pose.onnx"}
    assert set(about["boxes"]["sha256"]) == {"yolox.onnx"}


def test_files_that_are_not_these_networks(files: tuple[Path, Path], tmp_path: Path) -> None:
    pose, boxes = files
    with pytest.raises(InputError, match="no such file"):
        build(weights=tmp_path / "nosuch.onnx", boxes=str(boxes))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(InputError, match="is not an ONNX model"):
        build(weights=tmp_path / "text.onnx", boxes=str(boxes))
    with pytest.raises(InputError, match="expected RTMPose's SimCC vectors"):
        build(weights=boxes, boxes=str(boxes))
    finder = PersonFinder(pose)
    with pytest.raises(InputError, match="expected the outputs of YOLOX"):
        finder.find(picture(100, 100))


def test_boxes_and_weights_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--boxes takes another detector"):
        build(weights=tmp_path / "pose.onnx", boxes="rtmpose")
    with pytest.raises(UsageError, match="expected another detector or an ONNX file"):
        build(weights=tmp_path / "pose.onnx", boxes="boxes.json")
    monkeypatch.setitem(sys.modules, "rtmlib", None)  # as if it were not installed
    with pytest.raises(UsageError, match=r"pip install 'videopose\[rtmpose\]'.*--weights"):
        build()


def test_a_name_in_a_file_that_is_no_text(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = small.constant_network(tmp_path / "finder.onnx", (32, 32), boxes=np.zeros((1, 1, 5), np.float32))
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    path.write_bytes(model.SerializeToString().replace(b"batch", b"\x80atch"))
    with pytest.raises(InputError, match="is not an ONNX model that onnxruntime"):
        PersonFinder(path)
