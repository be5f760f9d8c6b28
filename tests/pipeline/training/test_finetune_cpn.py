"""Tiny networks on pictures in which each keypoint is a disc of its own colour."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from videopose.detectors.coco.annotations import Annotations, FoundBoxes, ImageEntry, Person
from videopose.detectors.coco.evaluation import find_in_boxes, score_keypoints
from videopose.detectors.cpn.detector import CPNKeypoints
from videopose.detectors.cpn.finetuning import check_trainable, initial_network
from videopose.detectors.cpn.network import CPN
from videopose.detectors.cpn.recipe import CPNRecipe
from videopose.detectors.cpn.weights import CPNWeights
from videopose.errors import InputError, UsageError
from videopose.lifting.training.training_state import TrainingState
from videopose.pipeline.training.finetune_cpn import train_cpn
from videopose.skeleton import Skeleton

KEYPOINTS = Skeleton.from_names(("spine", "left_hip", "right_hip"))
COLOURS = ((250, 40, 40), (40, 250, 40), (40, 40, 250))


def dataset(folder: Path) -> Annotations:
    generator = np.random.default_rng(0)
    people = []
    for number in range(6):
        image = np.full((100, 100, 3), 60 + 10 * number, np.uint8)
        points = generator.permutation(3)[:, None] * [22, 0] + generator.uniform([20, 20], [34, 80], (3, 2))
        for (x, y), colour in zip(points, COLOURS, strict=True):
            cv2.circle(image, (int(x), int(y)), 5, colour[::-1], -1)
        cv2.imwrite(str(folder / f"{number}.png"), image)
        box = np.array([15, 15, 85, 85], np.float32)
        people.append(Person(number, number, box, np.c_[points, [2, 2, 2]].astype(np.float32), 4900))
    return Annotations(KEYPOINTS, {i: ImageEntry(i, f"{i}.png", 100, 100) for i in range(6)}, people)


def recipe(**values) -> CPNRecipe:
    return CPNRecipe.model_validate({
        "detector": "cpn", "name": "tiny", "size": (64, 64), "blocks": (1, 1, 1, 1), "batch": 3, "seed": 1,
        "schedule": [{"iterations": 4, "learning_rate": 1e-3}, {"iterations": 1, "learning_rate": 1e-4}],
        "precision": "float32", "report_every": 1, "checkpoint_every": 2, **values,
    })  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    return dataset(folder), folder


def _train(settings, data, folder, *, base=None, **options):
    seen = []

    def report(state):
        seen.append((state.step, state.losses[-1], state.learning_rate))
        if state.step == options.get("stop"):
            raise KeyboardInterrupt

    rest = {name: value for name, value in options.items() if name != "stop"}
    model = initial_network(settings, KEYPOINTS, base)
    state = TrainingState(settings.iterations, settings.report_every)
    try:
        train_cpn(settings, model, *data, state, folder=folder, report=report, **rest)
    except KeyboardInterrupt:
        assert "stop" in options
    return model, seen


@pytest.mark.slow
def test_resumed_is_as_if_never_interrupted(data, tmp_path):
    whole, losses = _train(recipe(), data, tmp_path / "whole")
    _train(recipe(), data, tmp_path / "cut", stop=3)
    resumed, rest = _train(recipe(), data, tmp_path / "cut", resume=True)
    assert [i for i, *_ in rest] == [3, 4, 5]  # the checkpoint was of iteration 2
    assert rest == losses[2:]
    assert [rate for *_, rate in losses] == [1e-3] * 4 + [1e-4]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    again, nothing = _train(recipe(), data, tmp_path / "cut", resume=True)
    assert nothing == []
    assert torch.equal(again.refine_net.last.conv.weight, whole.refine_net.last.conv.weight)


def test_what_cannot_be_resumed(data, tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        _train(recipe(), data, tmp_path, resume=True)
    (tmp_path / "checkpoint.pt").write_text("hello")
    with pytest.raises(InputError, match="not a checkpoint of videopose"):
        _train(recipe(), data, tmp_path, resume=True)
    _train(recipe(schedule=[{"iterations": 1, "learning_rate": 1e-3}]), data, tmp_path)
    for other in ({"batch": 2}, {"seed": 2}):
        with pytest.raises(InputError, match="belongs to another recipe or other annotations"):
            _train(recipe(**other), data, tmp_path, resume=True)


@pytest.mark.slow
def test_few_people_are_learnt_by_heart(data, tmp_path):
    """Training, decoding and evaluation fit together: AP 0.9 on the people trained on."""
    settings = recipe(
        schedule=[{"iterations": 14, "learning_rate": 2e-3}, {"iterations": 6, "learning_rate": 3e-4}],
        augmentation={"scale": (1, 1), "rotation": 0, "mirror": 0, "colour": 0},
        batch=6, evaluate_every=14, checkpoint_every=100, batch_norm_momentum=0.5,
    )  # fmt: skip

    def measure(model: CPN, iteration: int) -> float:
        assert not model.training
        estimator = CPNKeypoints(CPNWeights(model, KEYPOINTS), flip=False)
        found = list(find_in_boxes(estimator.estimate, *data, FoundBoxes.true(data[0])))
        return score_keypoints(data[0], found).ap

    model = initial_network(settings, KEYPOINTS, None)
    assert measure(model.eval(), 0) < 0.2
    state = TrainingState(settings.iterations, settings.report_every)
    train_cpn(settings, model, *data, state, folder=tmp_path, measure=measure)
    (first, _), (last, measured) = state.history
    assert (first, last) == (14, 20)
    assert measured["ap"] > 0.9
    assert state.losses[-1] < state.losses[0] / 5


def test_a_base_keeps_all_but_the_last_layers(tmp_path):
    torch.manual_seed(5)
    base = CPN(keypoints=2, size=(32, 32), blocks=(2, 1, 1, 1))
    for layer in base.predictions():
        torch.nn.init.constant_(layer.norm.weight, 7.0)
        layer.norm.running_mean += 3
    base.train()(torch.randn(2, 3, 32, 32))
    CPNWeights(base, Skeleton.from_names(("a", "b"))).save(tmp_path / "base.safetensors")
    model = initial_network(recipe(), KEYPOINTS, tmp_path / "base.safetensors")
    assert (model.size, model.keypoints, model.blocks) == ((64, 64), 3, (2, 1, 1, 1))
    before = base.state_dict()
    for name, value in model.state_dict().items():
        if ".last." not in name:
            assert torch.equal(value, before[name]), name
    for layer in model.predictions():
        assert layer.conv.weight.shape[0] == 3
        assert (layer.norm.weight == 7).all()  # as high as the base's heatmaps
        assert (layer.norm.running_mean == 0).all()
        assert (layer.norm.running_var == 1).all()
        assert layer.norm.num_batches_tracked == 0


def test_a_base_that_is_a_backbone(tmp_path):
    backbone = CPN(blocks=(1, 1, 1, 1)).backbone
    torch.save(backbone.state_dict() | {"fc.bias": torch.zeros(1000)}, tmp_path / "resnet.pth")
    model = initial_network(recipe(), KEYPOINTS, tmp_path / "resnet.pth")
    assert torch.equal(model.backbone.layer3[0].conv1.weight, backbone.layer3[0].conv1.weight)


def test_two_seeds_begin_differently():
    weights = [initial_network(recipe(seed=s), KEYPOINTS, None).backbone.conv1.weight for s in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_what_cannot_be_trained(data, tmp_path):
    nobody = Annotations(KEYPOINTS, data[0].images, [])
    with pytest.raises(UsageError, match="nothing to train on"):
        _train(recipe(), (nobody, data[1]), tmp_path)
    with pytest.raises(UsageError, match="a batch of 3 cannot be shared out to 2 processes"):
        check_trainable(recipe(), data[0], 2)
    wild = recipe(schedule=[{"iterations": 30, "learning_rate": 1e30}])
    with pytest.raises(UsageError, match=r"broke down at step \d+: .*; lower the learning rates"):
        _train(wild, data, tmp_path)


WORKER = """
import runpy
import sys
from pathlib import Path

import torch

from videopose.detectors.cpn.finetuning import initial_network
from videopose.lifting.training import distributed
from videopose.lifting.training.training_state import TrainingState
from videopose.pipeline.training.finetune_cpn import train_cpn

folder, test = Path(sys.argv[1]), runpy.run_path(sys.argv[2])
with distributed.process_group("cpu") as device:
    rank, _ = distributed.rank_and_world_size()
    settings = test["recipe"](batch=4, schedule=[{"iterations": 3, "learning_rate": 1e-3}])
    images = folder / f"images{rank}"
    images.mkdir()
    model = initial_network(settings, test["KEYPOINTS"], None)
    data = test["dataset"](images)
    measured = []
    train_cpn(
        settings, model, data, images, TrainingState(3, 1), folder=folder, device=device,
        measure=lambda model, iteration: measured.append(iteration) or 0.5,
    )
    assert measured == ([3] if rank == 0 else [])
    weights = [p.detach() for p in model.parameters()]
    for other in distributed.gather_to_first([w.clone() for w in weights]):
        assert all(torch.equal(a, b) for a, b in zip(weights, other, strict=True))
"""


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path):
    (tmp_path / "worker.py").write_text(WORKER)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(tmp_path / "worker.py"), str(tmp_path), __file__,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert (state["state"]["step"], state["state"]["history"]) == (3, [(3, {"ap": 0.5})])
