import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from videopose.detectors.coco.annotations import Annotations, ImageEntry, Person
from videopose.detectors.cpn.network import CPN
from videopose.detectors.cpn.weights import CPNWeights
from videopose.detectors.tracking.similarity import keypoint_boxes
from videopose.errors import OutputError, UsageError
from videopose.pipeline.cli.detectors import evaluate_detector
from videopose.pipeline.inference.detect import load_detector
from videopose.pipeline.inference.options import DetectOptions
from videopose.skeleton import COCO17, Skeleton


def _run(*arguments: object) -> Result:
    result = CliRunner().invoke(evaluate_detector, [str(a) for a in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


@pytest.fixture(scope="module")
def labeled(images, tmp_path_factory) -> Path:
    """Three frames of the demo clip, and as truth what MoveNet finds in each; and one without anybody."""
    folder = tmp_path_factory.mktemp("labeled")
    detector = load_detector(DetectOptions())
    entries, people = {}, []
    for number, image in enumerate([images[5], images[20], images[40], np.zeros_like(images[0])]):
        cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
        (height, width), (found,) = image.shape[:2], detector.detect([image])
        entries[number] = ImageEntry(number, f"{number}.png", width, height)
        for points in found.keypoints:
            box = keypoint_boxes(points)
            known = np.c_[points[:, :2], np.where(points[:, 2] > 0.3, 2, 0)].astype(np.float32)
            area = float((box[2:] - box[:2]).prod())
            people.append(Person(len(people), number, box, known, area))
    assert len(people) >= 3
    (folder / "truth.json").write_text(json.dumps(Annotations(COCO17, entries, people).as_json()))
    return folder


@pytest.fixture(scope="module")
def cpn(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("cpn") / "cpn.safetensors"
    CPNWeights(CPN(size=(64, 64), blocks=(1, 1, 1, 1)), COCO17).save(path)
    return path


def _data(folder: Path) -> tuple[object, ...]:
    return "--images", folder, "--annotations", folder / "truth.json", "--device", "cpu"


def test_what_movenet_found_is_what_movenet_finds(labeled, tmp_path):
    shown = _run(
        *_data(labeled), "--detector", "movenet", "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv"
    ).stdout
    assert (
        "movenet on 3" in shown
        or "movenet on 4" in shown
        or "movenet on 5" in shown
        or "movenet on 6" in shown
    )
    assert "boxes: its own" in shown
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["scores"]["ap"] == pytest.approx(1, abs=1e-3)
    assert told["scores"]["ap_large"] is None or told["scores"]["ap_large"] > 0.99
    assert (told["images"], told["boxes"], told["detector"]["name"]) == (4, "its own", "movenet")
    assert "movenet-thunder.bin" in told["detector"]["sha256"]
    with (tmp_path / "a.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["ap"]) == told["scores"]["ap"]
    assert (row["detector"], row["boxes"], row["people"]) == ("movenet", "its own", str(told["people"]))


@pytest.mark.parametrize("boxes", ["true", "movenet", "file"])
def test_cpn_looks_in_the_boxes_that_are_named(labeled, cpn, tmp_path, boxes):
    given = labeled / "truth.json" if boxes == "file" else boxes
    named = {"true": "the annotated ones", "movenet": "movenet", "file": str(given)}[boxes]
    run = (*_data(labeled), "--detector", "cpn", "--weights", cpn, "--boxes", given, "--no-flip-test")
    assert f"boxes: {named}" in _run(*run, "--json", tmp_path / "a.json").stdout
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["boxes"] == named
    assert (told["detector"]["flip"], told["detector"]["decode"]) == (False, "soft-argmax")
    assert list(told["detector"]["sha256"]) == ["cpn.safetensors"]
    assert told["scores"]["ap"] < 0.2  # it has learnt nothing


def test_results_are_not_overwritten_by_surprise(labeled, cpn, tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(OutputError, match="exists; --overwrite replaces it"):
        _run(*_data(labeled), "--detector", "movenet", "--csv", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "mine"


def test_what_does_not_fit(labeled, cpn, tmp_path):
    with pytest.raises(UsageError, match="CPN needs --weights"):
        _run(*_data(labeled), "--detector", "cpn")
    with pytest.raises(UsageError, match="movenet takes no --weights"):
        _run(*_data(labeled), "--detector", "movenet", "--weights", cpn)
    other = Annotations(Skeleton.from_names(("a", "b")), {0: ImageEntry(0, "0.png", 592, 332)}, [])
    (tmp_path / "truth.json").write_text(json.dumps(other.as_json()))
    data = ("--images", labeled, "--annotations", tmp_path / "truth.json")
    with pytest.raises(UsageError, match="finds other keypoints than"):
        _run(*data, "--detector", "cpn", "--weights", cpn)
    with pytest.raises(UsageError, match="movenet finds other keypoints than"):
        _run(*data, "--detector", "movenet")
