import json

import numpy as np
import pytest
import torch

from videopose.detectors.cpn.detector import BoxesFromFile, CPNDetector, CPNKeypoints
from videopose.detectors.cpn.network import CPN
from videopose.detectors.cpn.weights import CPNWeights
from videopose.errors import InputError, UsageError
from videopose.skeleton import COCO17, Skeleton

TINY = (1, 1, 1, 1)
MIRROR = list(COCO17.mirror)


@pytest.fixture(scope="module")
def weights() -> CPNWeights:
    torch.manual_seed(3)
    model = CPN(size=(64, 64), blocks=TINY)
    for _ in range(3):  # statistics that are not those of nothing
        model.train()(torch.randn(4, 3, 64, 64))
    return CPNWeights(model, COCO17)


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    return [generator.integers(0, 255, (90, 120, 3), np.uint8) for _ in range(5)]


@pytest.fixture
def boxes(tmp_path):
    """Two people on frame 0, one on 2 and 3, and a group that is nobody."""
    path = tmp_path / "boxes.json"
    entries = [
        {"image_id": 0, "bbox": [10, 5, 30, 60], "score": 0.9},
        {"image_id": 0, "bbox": [60, 20, 40, 60], "score": 0.5},
        {"image_id": 2, "bbox": [5, 5, 100, 80]},
        {"image_id": 3, "bbox": [5, 5, 100, 80]},
        {"image_id": 1, "bbox": [5, 5, 100, 80], "iscrowd": 1},
    ]
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def saved(tmp_path, weights):
    weights.save(tmp_path / "cpn.safetensors")
    return tmp_path / "cpn.safetensors"


def test_one_answer_a_frame_in_the_files_boxes(saved, boxes, frames):
    people = list(CPNDetector(saved, boxes=BoxesFromFile(boxes), batch=2, frames=2).detect(iter(frames)))
    assert [len(p) for p in people] == [2, 0, 1, 1, 0]
    assert people[0].boxes.tolist() == [[10, 5, 40, 65], [60, 20, 100, 80]]
    assert people[0].scores == pytest.approx([0.9, 0.5] * people[0].keypoints[..., 2].mean(1))


@pytest.mark.parametrize("decoding", ["soft-argmax", "argmax"])
def test_batches_change_nothing(saved, boxes, frames, decoding):
    def found(**options):
        detector = CPNDetector(saved, boxes=BoxesFromFile(boxes), decoding=decoding, **options)
        return np.concatenate([p.keypoints for p in detector.detect(frames)])

    assert np.abs(found(batch=1, frames=1) - found(batch=16, frames=8)).max() < 0.01


def test_it_reads_ahead_no_further_than_told(saved, boxes, frames):
    taken = 0

    def watched():
        nonlocal taken
        for frame in frames:
            taken += 1
            yield frame

    stream = CPNDetector(saved, boxes=BoxesFromFile(boxes), frames=2).detect(watched())
    next(stream)
    assert taken == 2


def test_flip_test_makes_left_and_right_alike(weights, frames):
    """With it, the mirror image of a frame gives the mirrored keypoints."""
    image = frames[0][:, :100]
    box = np.array([[20, 10, 80, 70]], np.float32)  # in the middle
    mirrored = np.ascontiguousarray(image[:, ::-1])
    for flip, alike in ((True, True), (False, False)):
        estimator = CPNKeypoints(weights, flip=flip)
        there, back = estimator.estimate([image, mirrored], [box, box])
        back = back[:, MIRROR]
        back[..., 0] = 100 - back[..., 0]
        assert (np.abs(there - back).max() < 0.01) == alike


def test_nobody_to_look_for(weights, frames):
    nobody = np.zeros((0, 4), np.float32)
    assert [a.shape for a in CPNKeypoints(weights).estimate(frames[:2], [nobody, nobody])] == [(0, 17, 3)] * 2
    assert CPNKeypoints(weights).estimate([], []) == []


def test_bfloat16_is_near(weights, frames):
    box = [np.array([[20, 10, 80, 70]], np.float32)]
    exact, rough = (
        CPNKeypoints(weights, precision=precision).estimate(frames[:1], box)[0]
        for precision in ("float32", "bfloat16")
    )
    assert np.median(np.abs(exact - rough)[..., :2]) < 1
    assert np.abs(exact - rough)[..., 2].max() < 0.05


def test_it_says_what_it_is(saved, boxes):
    told = CPNDetector(saved, boxes=BoxesFromFile(boxes), decoding="argmax").describe()
    assert (told["name"], told["decode"], told["flip"]) == ("cpn", "argmax", True)
    assert list(told["sha256"]) == ["cpn.safetensors"]
    assert list(told["boxes"]["sha256"]) == ["boxes.json"]
    json.dumps(told)


def test_what_cannot_be(tmp_path, weights, boxes):
    odd = CPNWeights(CPN(keypoints=3, size=(64, 64), blocks=TINY), Skeleton.from_names(("a", "b", "c")))
    odd.save(tmp_path / "odd.safetensors")
    with pytest.raises(UsageError, match="finds 3 keypoints; here detectors give 17"):
        CPNDetector(tmp_path / "odd.safetensors", boxes=BoxesFromFile(boxes))
    with pytest.raises(UsageError, match="at least 1"):
        CPNKeypoints(weights, batch=0)
    with pytest.raises(InputError, match="no such file"):
        CPNDetector(tmp_path / "none.safetensors", boxes=BoxesFromFile(boxes))


def test_a_clip_in_parts_gives_the_same_people(saved, boxes, frames):
    detector = CPNDetector(saved, boxes=BoxesFromFile(boxes), frames=2)
    whole, memory = list(detector.detect(frames)), {}
    assert len(frames) > 2
    parts = [*detector.detect(frames[:2], memory), *detector.detect(frames[2:], memory)]
    for one, other in zip(parts, whole, strict=True):
        for name in ("boxes", "scores", "keypoints"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
