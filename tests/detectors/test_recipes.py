from pathlib import Path

import pytest
import yaml

from videopose.detectors.cpn.recipe import CPNRecipe
from videopose.detectors.mask_rcnn.recipe import MaskRCNNRecipe
from videopose.detectors.recipes import FOLDER, load_recipe
from videopose.errors import InputError, UsageError


def test_the_papers_recipe_for_cpn():
    recipe = load_recipe("paper", "cpn")
    assert isinstance(recipe, CPNRecipe)
    assert (recipe.batch, recipe.size, recipe.hardest) == (32, (384, 288), 8)
    rates = [recipe.learning_rate(i) for i in (0, 5999, 6000, 9999, 10000, 11999, 12000)]
    assert rates == [5e-5, 5e-5, 5e-6, 5e-6, 5e-7, 5e-7, 5e-7]
    assert recipe.iterations == 12_000


def test_the_papers_recipe_for_mask_rcnn():
    recipe = load_recipe("paper", "mask-rcnn")
    assert isinstance(recipe, MaskRCNNRecipe)
    rates = [recipe.learning_rate(i) for i in (0, 59_999, 60_000, 69_999, 70_000, 79_999)]
    assert rates == [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5]
    assert (recipe.backbone, recipe.from_scratch) == ("R-101", False)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_that_comes_along(path):
    name, detector = path.stem, "cpn" if path.stem.startswith("cpn") else "mask-rcnn"
    recipe = load_recipe(name.removeprefix(f"{detector}-"), detector)
    assert recipe.name == name
    assert load_recipe(path, detector) == recipe


def test_warmup_rises_evenly():
    recipe = load_recipe("paper", "cpn", {"warmup": 4})
    assert [recipe.learning_rate(i) / 5e-5 for i in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])


def test_quick_recipes_vary_nothing():
    """They are to learn a few images by heart."""
    cpn, mask_rcnn = load_recipe("quick", "cpn"), load_recipe("quick", "mask-rcnn")
    assert isinstance(cpn, CPNRecipe)
    assert isinstance(mask_rcnn, MaskRCNNRecipe)
    assert cpn.augmentation.mirror == cpn.augmentation.rotation == cpn.augmentation.colour == 0
    assert mask_rcnn.from_scratch
    assert mask_rcnn.overrides["INPUT.RANDOM_FLIP"] == "none"
    assert mask_rcnn.overrides["INPUT.MIN_SIZE_TRAIN"] == [mask_rcnn.overrides["INPUT.MIN_SIZE_TEST"]]
    assert mask_rcnn.overrides["INPUT.MAX_SIZE_TRAIN"] == mask_rcnn.overrides["INPUT.MAX_SIZE_TEST"]


def test_overrides():
    recipe = load_recipe("quick", "cpn", {"batch": 7, "augmentation.mirror": 0.25})
    assert isinstance(recipe, CPNRecipe)
    assert (recipe.batch, recipe.augmentation.mirror) == (7, 0.25)
    with pytest.raises(UsageError, match=r"batch\.size: batch is not a group"):
        load_recipe("quick", "cpn", {"batch.size": 7})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": [384, 280]}, r"size\.1: height and width must be multiples of 32"),
        ({"schedule": []}, "schedule: "),
        ({"schedule": [{"iterations": 0, "learning_rate": 1}]}, r"schedule\.0\.iterations: "),
        ({"speed": 3}, "speed: there is no such key"),
        ({"batch": "many"}, "batch: input should be a valid integer"),
        ({"detector": "movenet"}, "is a recipe for movenet, not for cpn"),
        ({"augmentation": {"mirror": 2}}, r"augmentation\.mirror: "),
    ],
)
def test_wrong_values_are_named(tmp_path, change, message):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load((FOLDER / "cpn-quick.yaml").read_text()) | change))
    with pytest.raises(UsageError, match=message):
        load_recipe(path, "cpn")


def test_recipes_that_are_not_there(tmp_path):
    with pytest.raises(UsageError, match="cpn has no recipe best; there are paper, quick, or give a file"):
        load_recipe("best", "cpn")
    with pytest.raises(UsageError, match="is a recipe for cpn, not for mask-rcnn"):
        load_recipe(FOLDER / "cpn-quick.yaml", "mask-rcnn")
    with pytest.raises(InputError, match="no such file"):
        load_recipe("none.yaml", "cpn")
    for text in ("- 1", "a: [", "\x00"):
        (tmp_path / "r.yaml").write_text(text)
        with pytest.raises(InputError, match=r"r\.yaml"):
            load_recipe(Path(tmp_path / "r.yaml"), "cpn")


def test_a_warmup_longer_than_the_schedule_ends_before_it():
    recipe = load_recipe(
        "paper", "cpn", {"warmup": 30, "schedule": [{"iterations": 3, "learning_rate": 1.0}]}
    )
    assert [recipe.learning_rate(i) for i in range(3)] == pytest.approx([1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("iterations", [1, 2, 7, 1000])
def test_every_recipe_can_be_shortened(path, iterations):
    recipe = load_recipe(path, "cpn" if path.stem.startswith("cpn") else "mask-rcnn")
    short = recipe.shortened(iterations)
    assert short.iterations == iterations
    assert short.warmup_iterations < iterations
    assert short.schedule[-1].learning_rate == recipe.schedule[-1].learning_rate or iterations < 100
    whole = recipe.shortened(recipe.iterations)
    assert whole == recipe
    with pytest.raises(UsageError, match="--iterations takes a number from 1 on"):
        recipe.shortened(0)
