"""A small Keypoint R-CNN, on pictures in which each keypoint is a disc of its own colour."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from videopose.detectors.coco.annotations import Annotations, ImageEntry, Person
from videopose.detectors.mask_rcnn.recipe import MaskRCNNRecipe
from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2
from videopose.errors import InputError, UsageError
from videopose.lifting.training.training_state import TrainingState
from videopose.skeleton import Skeleton

require_detectron2()

from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402
from detectron2.modeling.roi_heads.keypoint_head import ROI_KEYPOINT_HEAD_REGISTRY  # noqa: E402

from videopose.detectors.mask_rcnn.finetuning import configure, find_people, train_mask_rcnn  # noqa: E402
from videopose.detectors.mask_rcnn.model import build_network  # noqa: E402
from videopose.detectors.mask_rcnn.training_images import as_detectron2, training_loader  # noqa: E402

KEYPOINTS = Skeleton.from_names(("spine", "left_hip", "right_hip"))
COLOURS = ((250, 40, 40), (40, 250, 40), (40, 40, 250))
SMALL = {
    "INPUT.MIN_SIZE_TRAIN": [64],
    "INPUT.MIN_SIZE_TEST": 64,
    "MODEL.BACKBONE.FREEZE_AT": 0,
    "MODEL.RESNETS.DEPTH": 18,
    "MODEL.RESNETS.RES2_OUT_CHANNELS": 64,
    "MODEL.RESNETS.NORM": "BN",
    "MODEL.FPN.OUT_CHANNELS": 32,
    "MODEL.RPN.POST_NMS_TOPK_TRAIN": 30,
    "MODEL.RPN.POST_NMS_TOPK_TEST": 10,
    "MODEL.ROI_BOX_HEAD.FC_DIM": 32,
    "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE": 8,
    "MODEL.ROI_KEYPOINT_HEAD.CONV_DIMS": [16],
}


def recipe(**values: Any) -> MaskRCNNRecipe:
    return MaskRCNNRecipe.model_validate({
        "detector": "mask-rcnn", "name": "tiny", "backbone": "R-50", "from_scratch": True, "batch": 2,
        "schedule": [{"iterations": 4, "learning_rate": 1e-3}, {"iterations": 2, "learning_rate": 1e-4}],
        "report_every": 1, "checkpoint_every": 2, "evaluate_every": 3, "workers": 0, "seed": 1,
        "overrides": SMALL, **values,
    })  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    people = []
    for number in range(5):
        image = np.full((100, 120, 3), 60 + 10 * number, np.uint8)
        points = generator.uniform([25, 25], [90, 75], (3, 2))
        for (x, y), colour in zip(points, COLOURS, strict=True):
            cv2.circle(image, (int(x), int(y)), 5, colour[::-1], -1)
        cv2.imwrite(str(folder / f"{number}.png"), image)
        box = np.array([15, 15, 105, 85], np.float32)
        people.append(Person(number, number, box, np.c_[points, [2, 2, 1]].astype(np.float32), 6300))
    cv2.imwrite(str(folder / "5.png"), np.zeros((100, 120, 3), np.uint8))
    people.append(Person(8, 0, np.array([0, 0, 9, 9], np.float32), np.zeros((3, 3), np.float32), 81))
    people.append(
        Person(9, 0, np.array([0, 0, 99, 99], np.float32), np.zeros((3, 3), np.float32), 9801, True)
    )
    images = {i: ImageEntry(i, f"{i}.png", 120, 100) for i in range(6)}  # nobody on the last one
    return Annotations(KEYPOINTS, images, people), folder


def _train(data, folder: Path, *, stop: int | None = None, **options: Any) -> tuple[Any, list[Any]]:
    seen: list[Any] = []
    values = iter((0.3, 0.2))

    settings = options.pop("settings", recipe())
    state = TrainingState(settings.iterations, settings.report_every)

    def report():
        measured = [(step, errors["ap"]) for step, errors in state.history]
        seen.append((state.step, state.losses[-1], state.learning_rate, *measured))
        if state.step == stop:
            raise KeyboardInterrupt

    def measure(model, config):
        assert not model.training
        return 0.3 if state.step == 3 else next(values)

    try:
        model = train_mask_rcnn(
            settings, *data, state, folder=folder, report=report, measure=measure, **options
        )
    except KeyboardInterrupt:
        return None, seen
    return model, seen


@pytest.mark.slow
def test_resumed_is_as_if_never_interrupted(data, tmp_path):
    whole, losses = _train(data, tmp_path / "whole")
    assert [i for i, *_ in losses] == [1, 2, 3, 4, 5, 6, 6]
    assert [rate for _, _, rate, *_ in losses] == pytest.approx([1e-3] * 4 + [1e-4] * 3)
    _train(data, tmp_path / "cut", stop=5)
    resumed, rest = _train(data, tmp_path / "cut", resume=True)
    assert rest[:2] == losses[4:6]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    best = torch.load(tmp_path / "cut" / "model_best.pth", weights_only=True)
    assert best["iteration"] == 2  # counted from 0: of the AP 0.3, found before the interruption
    assert set(best) == {"model", "keypoints", "settings", "iteration"}
    assert best["keypoints"] == list(KEYPOINTS.names)
    assert (tmp_path / "cut" / "last_checkpoint").read_text() == "model_final.pth"


@pytest.mark.slow
def test_adam_in_bfloat16(data, tmp_path):
    """Parameters and what is found stay single precision; gradients are clipped as the settings say."""
    settings = recipe(
        optimiser="adam",
        schedule=[{"iterations": 2, "learning_rate": 1e-3}],
        overrides=SMALL | {"SOLVER.AMP.ENABLED": True, "SOLVER.CLIP_GRADIENTS.ENABLED": True},
    )
    seen: list[Any] = []

    def measure(model, config):
        config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
        seen.append(list(find_people(model, config, *data)))
        return 0.5

    model = train_mask_rcnn(settings, *data, TrainingState(2, 1), folder=tmp_path, measure=measure)
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert all(found.keypoints.dtype == np.float32 for found in seen[0])
    exact, _ = _train(data, tmp_path / "exact", settings=settings.model_copy(update={"overrides": SMALL}))
    difference = max(
        (a - b).abs().max().item() for a, b in zip(model.parameters(), exact.parameters(), strict=True)
    )
    assert 1e-5 < difference < 5e-3  # two steps of Adam, of 1e-3 each, either way
    state = torch.load(tmp_path / "model_final.pth", weights_only=True)["trainer"]["optimizer"]["state"]
    assert set(state[0]) == {"step", "exp_avg", "exp_avg_sq"}


def test_nothing_of_detectron2_is_left_changed(data, tmp_path):
    before = sorted(DatasetCatalog), sorted(MetadataCatalog), [name for name, _ in ROI_KEYPOINT_HEAD_REGISTRY]
    _train(data, tmp_path, settings=recipe(schedule=[{"iterations": 1, "learning_rate": 1e-3}]))
    after = sorted(DatasetCatalog), sorted(MetadataCatalog), [name for name, _ in ROI_KEYPOINT_HEAD_REGISTRY]
    assert after == before


def test_a_base_keeps_all_but_the_last_keypoint_layer(data, tmp_path):
    torch.manual_seed(7)
    base = build_network(configure(recipe(), 2)).state_dict()
    torch.save({"model": base}, tmp_path / "base.pth")
    none = recipe(schedule=[{"iterations": 1, "learning_rate": 1e-12}])
    model, _ = _train(data, tmp_path / "out", base=tmp_path / "base.pth", settings=none)
    for name, value in model.state_dict().items():
        if "score_lowres" in name:
            assert value.shape != base[name].shape or not torch.allclose(value, base[name])
        elif "running" not in name and "tracked" not in name:
            assert torch.allclose(value, base[name], atol=1e-6), name
    assert model.roi_heads.keypoint_head.num_keypoints == 3


def test_batches_depend_on_their_iteration_alone(data):
    """However many processes read them; and each image comes once a round."""

    def first(count: int, start: int, workers: int) -> list[Any]:
        settings = recipe(workers=workers, overrides=SMALL | {"INPUT.RANDOM_FLIP": "horizontal"})
        loader = iter(training_loader(settings, configure(settings, 3), *data, start=start))
        return [next(loader) for _ in range(count)]

    whole, later = first(5, 0, 0), first(2, 3, 1)
    for a, b in zip(whole[3:], later, strict=True):
        for one, other in zip(a, b, strict=True):
            assert torch.equal(one["image"], other["image"])
            assert torch.equal(one["instances"].gt_keypoints.tensor, other["instances"].gt_keypoints.tensor)
    ids = [entry["image_id"] for batch in whole for entry in batch]
    assert sorted(ids[:5]) == sorted(ids[5:]) == [0, 1, 2, 3, 4]


def test_mirrored_images_swap_left_and_right(data):
    annotations, folder = data
    settings = recipe(overrides=SMALL | {"INPUT.RANDOM_FLIP": "horizontal", "INPUT.MIN_SIZE_TRAIN": [100]})
    loader = iter(training_loader(settings, configure(settings, 3), annotations, folder, start=0))
    mirrored = 0
    for entry in (entry for _ in range(6) for entry in next(loader)):
        points = entry["instances"].gt_keypoints.tensor[0, :, :2].numpy()
        true = next(p for p in annotations.people if p.image == entry["image_id"]).keypoints[:, :2]
        if np.abs(points - true).max() < 1e-3:
            continue
        mirrored += 1
        assert points == pytest.approx((true * [-1, 1] + [120, 0])[[0, 2, 1]], abs=1e-3)
    assert 0 < mirrored < 12


def test_who_is_learnt_from(data):
    entries = as_detectron2(*data)
    assert [entry["image_id"] for entry in entries] == [0, 1, 2, 3, 4]
    assert [a["iscrowd"] for a in entries[0]["annotations"]] == [0, 0, 1]
    assert entries[0]["annotations"][0]["bbox"] == [15, 15, 105, 85]


def test_what_it_finds_is_in_pixels_of_the_image(data):
    settings = recipe()
    config = configure(settings, 3)
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
    torch.manual_seed(0)
    found = list(find_people(build_network(config).eval(), config, *data))
    assert [f.image for f in found] == [0, 1, 2, 3, 4, 5]
    assert all(f.keypoints.shape[1:] == (3, 3) and len(f.keypoints) == len(f.scores) for f in found)
    assert max(f.keypoints[..., 0].max() for f in found if len(f.scores)) > 64 * 1.3  # not of the scaled one


def test_what_cannot_be(data, tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        _train(data, tmp_path, resume=True)
    (tmp_path / "last_checkpoint").write_text("a.pth")
    torch.save({"model": {}}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="holds no checkpoint of fine-tuning"):
        _train(data, tmp_path, resume=True)
    torch.save({"model": {}, "iteration": 3, "trainer": {}, "recipe": "?"}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="belongs to another recipe or other annotations"):
        _train(data, tmp_path, resume=True)
    with pytest.raises(UsageError, match="nothing to train on"):
        _train((Annotations(KEYPOINTS, data[0].images, []), data[1]), tmp_path)
    with pytest.raises(UsageError, match=r"detectron2's configuration refuses this.*SPEED"):
        _train(data, tmp_path, settings=recipe(overrides={"MODEL.SPEED": 3}))
    wild = recipe(schedule=[{"iterations": 9, "learning_rate": 1e30}])
    with pytest.raises(UsageError, match=r"broke down at step \d+: .*; lower the learning rates"):
        _train(data, tmp_path / "wild", settings=wild)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="cannot be read as an image"):
        _train((data[0], tmp_path / "images"), tmp_path / "none")
