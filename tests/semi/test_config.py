from pathlib import Path

import pytest

import videopose
from videopose.errors import InputError, UsageError
from videopose.lifting.config import load_config
from videopose.semi.config import SemiConfig, load_footage_recipe, load_studio_recipe

RECIPES = Path(videopose.__file__).parent / "configs" / "semi"
PAPER = sorted(RECIPES.glob("h36m-*.yaml"))
BELOW = {"motions": [{"path": "m.npz"}], "model": {"filter_widths": [3, 3]}, "rate": 25}


def test_recipes_and_their_baselines_differ_in_the_footage_alone() -> None:
    baselines = [path for path in PAPER if path.stem.endswith("-supervised")]
    assert len(baselines) == 8
    for path in baselines:
        alone = load_config(path)
        name = path.stem.removesuffix("-supervised")
        semi, bare = (load_studio_recipe(RECIPES / f"{name}{kind}.yaml") for kind in ("", "-no-bones"))
        shared = semi.model_dump()
        assert shared.pop("semi")["bones"] == 1
        assert {**shared, "name": path.stem} == alone.model_dump()
        assert {**bare.model_dump(), "name": name} == {
            **shared,
            "name": name,
            "semi": semi.semi.model_dump() | {"bones": 0},
        }
        people = {*(semi.recordings.train_subjects or ()), *semi.semi.subjects}
        assert people == {"S1", "S5", "S6", "S7", "S8"}


def test_every_recipe_of_the_paper_is_read() -> None:
    for path in PAPER:
        if "supervised" not in path.stem and path.stem != "h36m-10fps":
            assert load_studio_recipe(path).semi.joints == "all"
            assert load_studio_recipe(path).name == path.stem


def test_the_losses_weigh_one_unless_told_otherwise() -> None:
    semi = SemiConfig()
    assert (semi.pose, semi.trajectory, semi.reprojection, semi.bones) == (1, 1, 1, 1)
    assert semi.unlabelled
    assert SemiConfig(reprojection=0).unlabelled
    assert not SemiConfig(reprojection=0, bones=0).unlabelled


def test_a_recipe_for_footage_stands_on_the_lifters_own_training() -> None:
    config = load_footage_recipe(RECIPES / "footage.yaml", {"schedule.steps": 7}, below=BELOW)
    assert (config.rate, config.model.filter_widths, config.schedule.steps) == (25, (3, 3), 7)
    assert config.semi.warmup < 2000


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("semi: {warmup: -1}", r"semi\.warmup"),
        ("semi: {bone: 1}", r"semi\.bone: extra"),
        ("base: ../other.yaml", "file beside it"),
        ("base: r.yaml", "another file beside it"),
        ("recordings: {data_set: h36m}", "takes no --unlabeled"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load_footage_recipe(tmp_path / "r.yaml", below=BELOW)


def test_bases_that_go_round_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml")
    (tmp_path / "b.yaml").write_text("base: a.yaml")
    with pytest.raises(UsageError, match="another file beside it"):
        load_studio_recipe(tmp_path / "a.yaml")


def test_a_recipe_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_studio_recipe(tmp_path / "nothing.yaml")
    with pytest.raises(UsageError, match="learns from your own videos"):
        load_studio_recipe(RECIPES / "footage.yaml")
