from itertools import islice

import cv2
import numpy as np
import pytest
import torch

from videopose.detectors.coco.annotations import Annotations, ImageEntry, Person
from videopose.detectors.cpn.loss import target_heatmaps
from videopose.detectors.cpn.recipe import AugmentationConfig, CPNRecipe
from videopose.detectors.cpn.training_samples import crop_batches, vary
from videopose.errors import InputError
from videopose.skeleton import Skeleton

KEYPOINTS = Skeleton.from_names(("nose", "left_hand", "right_hand"))
COLOURS = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250]])
SIZE = (128, 96)
STILL = AugmentationConfig(scale=(1, 1), rotation=0, mirror=0, colour=0)


def _drawn(points: np.ndarray) -> np.ndarray:
    """A black picture with a disc of its own colour for each keypoint."""
    image = np.zeros((120, 160, 3), np.uint8)
    for (x, y), colour in zip(points, COLOURS, strict=True):
        place = (round((x - 0.5) * 256), round((y - 0.5) * 256))
        cv2.circle(image, place, 6 * 256, colour.tolist(), -1, cv2.LINE_AA, 8)
    return image


def _person(number: int, image: int) -> Person:
    points = np.random.default_rng(number).uniform([50, 30], [110, 90], (3, 2)).round(2)
    while np.ptp(points, axis=0).min() < 25:  # discs apart
        points = np.random.default_rng(number := number + 100).uniform([50, 30], [110, 90], (3, 2)).round(2)
    return Person(number, image, np.array([45, 25, 115, 95], np.float32), np.c_[points, [2, 2, 1]], 4900)


def _centres(crop: np.ndarray) -> np.ndarray:
    """Where each colour is, in pixels of the crop; NaN where it is not."""
    crop = crop.astype(float)
    rows, columns = np.indices(crop.shape[:2]) + 0.5
    found = []
    for channel in range(3):
        weight = np.clip(2 * crop[..., channel] - crop.sum(-1), 0, None)
        weight[weight < 0.5 * 250 * 0.5] = 0
        found.append([(weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()])
    return np.array(found)


@pytest.mark.parametrize("seed", range(6))
def test_points_stay_on_what_they_mark(seed):
    """However the crop varies: turned, scaled, mirrored (left is right then), brighter or darker."""
    person = _person(seed, 1)
    augmentation = AugmentationConfig(scale=(1.2, 1.4), rotation=45, mirror=0.5, colour=0.1)
    generator = np.random.default_rng(seed)
    crop, points, annotated = vary(
        person, _drawn(person.keypoints[:, :2]), SIZE, augmentation, [0, 2, 1], generator
    )
    assert annotated.all()
    assert crop.shape == (*SIZE, 3)
    centres = _centres(crop)
    unlike = np.linalg.norm(points - centres, axis=1)
    swapped = np.linalg.norm(points - centres[[0, 2, 1]], axis=1)
    assert min(unlike.max(), swapped.max()) < 0.7
    replay = np.random.default_rng(seed)
    replay.uniform(1.2, 1.4)
    if replay.random() < 0.5:
        replay.uniform(-1, 1)
    assert (replay.random() < 0.5) == (swapped.max() < unlike.max())


def test_beyond_the_crop_is_not_annotated():
    person = _person(1, 1)
    person.keypoints[0] = (60, 20, 2)
    person.keypoints[1, 2] = 0
    near = AugmentationConfig(scale=(0.6, 0.6), rotation=0, mirror=0, colour=0)
    _, points, annotated = vary(
        person, _drawn(person.keypoints[:, :2]), SIZE, near, [0, 2, 1], np.random.default_rng()
    )
    assert points[0, 1] < 0
    assert annotated.tolist()[:2] == [False, False]


def test_targets_are_gaussians_at_the_points():
    points = torch.tensor([[[41.0, 70.0], [4.0, 4.0]]])
    for spread, heatmaps in zip((3.8, 2.9, 2.3, 1.7), target_heatmaps(points, (32, 24)), strict=True):
        assert heatmaps.shape == (1, 2, 32, 24)
        for k, (x, y) in enumerate((points[0] / 4 - 0.5).tolist()):
            for row, column in ((0, 0), (17, 10), (31, 23), (18, 9)):
                expected = 255 * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * spread**2))
                assert heatmaps[0, k, row, column].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    people = [_person(i, i) for i in range(5)]
    for person in people:
        image = _drawn(person.keypoints[:, :2])
        cv2.imwrite(str(folder / f"{person.image}.png"), image[..., ::-1])
    people.append(Person(9, 0, np.array([0, 0, 9, 9], np.float32), np.zeros((3, 3), np.float32), 81))
    images = {i: ImageEntry(i, f"{i}.png", 160, 120) for i in range(5)}
    return Annotations(KEYPOINTS, images, people), folder


def _recipe(**values) -> CPNRecipe:
    return CPNRecipe.model_validate({
        "detector": "cpn", "name": "t", "size": SIZE, "batch": 4, "seed": 3,
        "schedule": [{"iterations": 3, "learning_rate": 1e-3}], **values,
    })  # fmt: skip


def _first(count: int, recipe: CPNRecipe, data, **options) -> list:
    return list(islice(crop_batches(recipe, *data, **options), count))


def _crops(found: list) -> torch.Tensor:
    return torch.cat([batch.crops for batch in found])


def test_everybody_once_a_round(data):
    crops = _crops(_first(5, _recipe(augmentation=STILL), data))
    assert crops.shape == (20, *SIZE, 3)
    for start in (0, 5, 10, 15):
        assert len(crops[start : start + 5].flatten(1).unique(dim=0)) == 5


def test_a_batch_depends_on_its_iteration_alone(data):
    whole = _first(6, _recipe(workers=1), data)
    later = _first(2, _recipe(workers=3), data, start=4)
    for a, b in zip(whole[4:], later, strict=True):
        assert torch.equal(a.crops, b.crops)
        assert torch.equal(a.points, b.points)
        assert torch.equal(a.annotated, b.annotated)
    assert not torch.equal(_crops(_first(2, _recipe(seed=4), data)), _crops(whole[:2]))


def test_shares_make_up_the_batch(data):
    whole = _crops(_first(2, _recipe(), data))
    shares = [_crops(_first(2, _recipe(), data, rank=rank, world_size=2)) for rank in (0, 1)]
    joined = torch.stack([s.unflatten(0, (2, 2)) for s in shares], 1).flatten(0, 2)
    assert torch.equal(joined, whole)


def test_an_image_that_is_not_there(data, tmp_path):
    with pytest.raises(InputError, match="cannot be read as an image"):
        _first(1, _recipe(), (data[0], tmp_path))
