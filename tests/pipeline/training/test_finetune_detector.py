"""`finetune-detector` from annotations to weights that other commands take. Tiny networks, real images."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner, Result

from videopose.detectors.coco.annotations import Annotations, ImageEntry, Person
from videopose.detectors.cpn.detector import BoxesFromFile, CPNDetector
from videopose.detectors.cpn.weights import load_cpn
from videopose.errors import InputError, OutputError, UsageError
from videopose.pipeline.cli.detectors import evaluate_detector, finetune_detector
from videopose.skeleton import COCO17, Skeleton

CPN = {
    "detector": "cpn", "name": "tiny", "size": [64, 64], "blocks": [1, 1, 1, 1], "batch": 2,
    "schedule": [{"iterations": 4, "learning_rate": 1.0e-3}], "report_every": 2, "checkpoint_every": 2,
    "evaluate_every": 2, "precision": "float32",
}  # fmt: skip
MASK_RCNN = {
    "detector": "mask-rcnn", "name": "tiny", "backbone": "R-50", "from_scratch": True, "batch": 1,
    "schedule": [{"iterations": 2, "learning_rate": 1.0e-3}], "report_every": 1, "checkpoint_every": 2,
    "evaluate_every": 2, "workers": 0,
    "overrides": {
        "INPUT.MIN_SIZE_TRAIN": [64], "INPUT.MIN_SIZE_TEST": 64, "MODEL.RESNETS.DEPTH": 18,
        "MODEL.RESNETS.RES2_OUT_CHANNELS": 64, "MODEL.FPN.OUT_CHANNELS": 32, "MODEL.ROI_BOX_HEAD.FC_DIM": 32,
        "MODEL.ROI_KEYPOINT_HEAD.CONV_DIMS": [16], "MODEL.RPN.POST_NMS_TOPK_TEST": 10,
    },
}  # fmt: skip


def _command(command: Any, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(a) for a in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two images, a person each, and the same people with three keypoints of other names."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    for name, keypoints in (
        ("coco.json", COCO17),
        ("few.json", Skeleton.from_names(("hip", "lhip", "rhip"))),
    ):
        people, images = [], {}
        for number in range(2):
            cv2.imwrite(str(folder / f"{number}.png"), generator.integers(0, 255, (90, 110, 3), np.uint8))
            images[number] = ImageEntry(number, f"{number}.png", 110, 90)
            points = np.c_[generator.uniform(20, 80, (len(keypoints), 2)), np.full(len(keypoints), 2)]
            box = np.array([15, 15, 85, 85], np.float32)
            people.append(Person(number, number, box, points.astype(np.float32), 4900))
        (folder / name).write_text(json.dumps(Annotations(keypoints, images, people).as_json()))
    for recipe in (CPN, MASK_RCNN):
        (folder / f"{recipe['detector']}.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def _finetune(
    data: Path, output: Path, *more: object, detector: str = "cpn", labels: str = "coco.json"
) -> Result:
    return _command(
        finetune_detector, "--detector", detector, "--images", data, "--annotations", data / labels,
        "--recipe", data / f"{detector}.yaml", "--output", output, "--device", "cpu", *more,
    )  # fmt: skip


def _curve(folder: Path) -> list[tuple[int, bool, bool]]:
    with (folder / "curve.csv").open() as file:
        return [(int(row["iteration"]), bool(row["loss"]), bool(row["ap"])) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_cpn_from_annotations_to_people(data, tmp_path):
    result = _finetune(data, tmp_path)
    assert result.stdout.strip() == str(tmp_path / "best.safetensors")
    assert "training on 2 people in 2 images; AP on the training images, in the true boxes" in result.stderr
    assert "iteration 2: loss " in result.stderr
    assert "iteration 4: AP " in result.stderr
    assert _curve(tmp_path) == [(2, True, True), (4, True, True)]
    assert cv2.imread(str(tmp_path / "curve.png")).shape[1] > 400
    about = load_cpn(tmp_path / "best.safetensors").about
    assert about["recipe"]["name"] == "tiny"
    assert about["measured_on"] == "the training images"
    assert list(about["annotations"]) == ["coco.json"]
    detector = CPNDetector(tmp_path / "best.safetensors", boxes=BoxesFromFile(data / "coco.json"))
    frames = [cv2.imread(str(data / f"{i}.png"))[..., ::-1].copy() for i in range(2)]
    assert [len(people) for people in detector.detect(frames)] == [1, 1]

    with pytest.raises(
        OutputError, match="exists; --resume goes on from a checkpoint, --overwrite begins anew"
    ):
        _finetune(data, tmp_path)
    assert "loss" not in _finetune(data, tmp_path, "--resume").stderr  # it was done
    _finetune(data, tmp_path, "--overwrite", "--set", "schedule=[{iterations: 1, learning_rate: 1.0e-3}]")
    assert _curve(tmp_path) == [(1, False, True)]


def test_cpn_for_other_keypoints_from_a_base(data, tmp_path):
    once = ("--set", "schedule=[{iterations: 1, learning_rate: 1.0e-3}]")
    _finetune(data, tmp_path / "base", *once)
    base = tmp_path / "base" / "best.safetensors"
    _finetune(data, tmp_path / "few", *once, "--base", base, labels="few.json")
    loaded = load_cpn(tmp_path / "few" / "best.safetensors")
    assert loaded.keypoints.names == ("hip", "lhip", "rhip")
    assert list(loaded.about["base"]) == ["best.safetensors"]
    shown = _command(
        evaluate_detector, "--detector", "cpn", "--weights", tmp_path / "few" / "best.safetensors",
        "--images", data, "--annotations", data / "few.json", "--device", "cpu",
    )  # fmt: skip
    assert "cpn on 2 people in 2 images" in shown.stdout
    assert "not COCO's 17 keypoints" in shown.stderr


def test_mask_rcnn_for_other_keypoints(data, tmp_path):
    result = _finetune(data, tmp_path, detector="mask-rcnn", labels="few.json")
    assert result.stdout.strip() == str(tmp_path / "model_best.pth")
    assert "AP on the training images, people found by itself" in result.stderr
    assert "iteration 2: AP " in result.stderr
    assert _curve(tmp_path) == [(1, True, False), (2, True, True)]
    best = torch.load(tmp_path / "model_best.pth", weights_only=True)
    assert best["keypoints"] == ["hip", "lhip", "rhip"]
    with pytest.raises(OutputError, match="last_checkpoint exists; --resume"):
        _finetune(data, tmp_path, detector="mask-rcnn")


@pytest.mark.slow
@pytest.mark.parametrize(("detector", "best"), [("cpn", "best.safetensors"), ("mask-rcnn", "model_best.pth")])
def test_two_processes_write_and_print_once(detector, best, data, tmp_path):
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "videopose"]
    words = ["finetune-detector", "--detector", detector, "--images", data, "--device", "cpu"]
    words += ["--annotations", data / "coco.json", "--recipe", data / f"{detector}.yaml", "--set", "batch=2"]
    done = subprocess.run(
        [sys.executable, *launch, *map(str, words), "--output", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'out' / best}\n"
    last = _curve(tmp_path / "out")[-1][0]
    assert done.stderr.count(f"iteration {last}: AP ") == 1
    assert not list((tmp_path / "out").glob(".*"))


def test_people_to_measure_on(data, tmp_path):
    held = ("--validation", data / "coco.json", "--validation-images", data)
    once = ("--set", "schedule=[{iterations: 1, learning_rate: 1.0e-3}]")
    assert f"AP on {data / 'coco.json'}" in _finetune(data, tmp_path / "a", *held, *once).stderr
    with pytest.raises(UsageError, match="have different keypoints"):
        _finetune(data, tmp_path / "b", "--validation", data / "few.json")


def test_what_cannot_be(data, tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        _finetune(data, tmp_path, "--resume")
    with pytest.raises(UsageError, match="torchrun --nproc-per-node 2"):
        _finetune(data, tmp_path, "--gpus", 2)
    with pytest.raises(UsageError, match=r"--gpus 99: there are \d+ here"):
        _finetune(data, tmp_path, "--gpus", 99, detector="mask-rcnn")
    with pytest.raises(UsageError, match="cpn has no recipe fast"):
        _finetune(data, tmp_path, "--recipe", "fast")
    with pytest.raises(InputError, match="no such file"):
        _finetune(data, tmp_path, labels="none.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InputError, match=r"^2 of the 2 images with people are not in .*empty, for example '0\.png'; --images"
    ):
        _finetune(data, tmp_path, "--images", tmp_path / "empty")
    (tmp_path / "empty").rmdir()
    assert list(tmp_path.iterdir()) == []
