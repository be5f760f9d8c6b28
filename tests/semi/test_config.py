from pathlib import Path

import pytest
import torch

import videopose
from videopose.errors import InputError, UsageError
from videopose.lifting.training.config import load_config
from videopose.semi.config import SemiConfig, SemiRecordedLosses, load_recorded_recipe, load_videos_recipe
from videopose.semi.networks import PoseAndTrajectory

RECIPES = Path(videopose.__file__).parent / "configs" / "semi"
PAPER = sorted(RECIPES.glob("h36m-*.yaml"))
DEFAULTS = {"model": {"filter_widths": [3, 3]}, "rate": 25}


def test_recipes_and_their_baselines_differ_in_the_footage_alone() -> None:
    baselines = [path for path in PAPER if path.stem.endswith("-supervised")]
    assert len(baselines) == 8
    for path in baselines:
        alone = load_config(path)
        name = path.stem.removesuffix("-supervised")
        semi, bare = (load_recorded_recipe(RECIPES / f"{name}{kind}.yaml") for kind in ("", "-no-bones"))
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


# §6.2: who is labeled, how much of it, the receptive field, warm-up epochs
EXPERIMENTS: dict[str, tuple[str, float, int, int]] = {
    "h36m-s1-0.1pc": ("S1", 0.001, 1, 20),
    "h36m-s1-1pc": ("S1", 0.01, 3, 20),
    "h36m-s1-5pc": ("S1", 0.05, 3, 20),
    "h36m-s1-10pc": ("S1", 0.1, 9, 20),
    "h36m-s1-50pc": ("S1", 0.5, 9, 20),
    "h36m-s1": ("S1", 1, 9, 1),
    "h36m-s1-s5": ("S1 S5", 1, 9, 1),
    "h36m-s1-s5-s6": ("S1 S5 S6", 1, 9, 1),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_papers_experiments_are_as_the_paper_says(name: str) -> None:
    labeled, share, _, warmup = EXPERIMENTS[name]
    for path in RECIPES / f"{name}.yaml", RECIPES / f"{name}-no-bones.yaml":
        recipe = load_recorded_recipe(path)
        assert recipe.recordings.train_subjects == tuple(labeled.split())
        assert (recipe.recordings.subset, recipe.semi.warmup) == (share, warmup)
        assert recipe.recordings.downsample == 5  # 50 → 10 frames a second


def test_every_recipe_of_the_paper_is_read_and_builds() -> None:
    for path in PAPER:
        if "supervised" not in path.stem and path.stem != "h36m-10fps":
            recipe = load_recorded_recipe(path)
            assert (recipe.name, recipe.semi.joints) == (path.stem, "all")
            small = recipe.model.model_copy(update={"channels": 4})
            networks = PoseAndTrajectory.untrained(small, seed=0, strided=True)
            reach = EXPERIMENTS.get(path.stem.removesuffix("-no-bones"), ("", 0, 27))[2]
            assert networks.pose.receptive_field == networks.trajectory.receptive_field == reach
            pose, root = networks(torch.zeros(2, reach, 17, 2))
            assert (pose.shape, root.shape) == ((2, 1, 17, 3), (2, 1, 1, 3))


def test_the_losses_weigh_one_unless_told_otherwise() -> None:
    semi = SemiConfig()
    assert (semi.pose, semi.trajectory, semi.reprojection, semi.bones) == (1, 1, 1, 1)
    assert semi.uses_unlabeled
    assert SemiConfig(reprojection=0).uses_unlabeled
    assert not SemiConfig(reprojection=0, bones=0).uses_unlabeled


@pytest.mark.parametrize(("frames", "share"), [(1, 1), (1000, 1), (1250, 0.8), (4000, 0.25)])
def test_many_labels_take_weight_from_footage(frames: int, share: float) -> None:
    weights = {"pose": 3.0, "trajectory": 2.0, "reprojection": 10.0, "bones": 1.0, "bone_consistency": 4.0}
    semi = SemiRecordedLosses(**weights, full_weight_frames=1000)
    assert semi.share_of_weight(frames) == share
    used = semi.for_labeled_frames(frames)
    assert (used.pose, used.trajectory) == (3, 2)
    assert (used.reprojection, used.bones, used.bone_consistency) == (10 * share, share, 4 * share)
    assert used.for_labeled_frames(frames) == used
    same = SemiRecordedLosses(**weights)
    assert same.for_labeled_frames(frames) == same


def test_the_studios_recipe_weighs_labels_and_the_papers_do_not() -> None:
    studio = load_recorded_recipe(RECIPES / "studio.yaml")
    few, all_of_them = (studio.for_labeled_frames(frames) for frames in (40, 6192))
    assert few.semi.reprojection == studio.semi.reprojection
    assert all_of_them.semi.reprojection < studio.semi.reprojection / 3
    assert few.schedule == all_of_them.schedule == studio.schedule
    paper = load_recorded_recipe(RECIPES / "h36m-s1.yaml")
    assert paper.for_labeled_frames(200_000) == paper


def test_a_recipe_for_footage_stands_on_the_lifters_own_training() -> None:
    config = load_videos_recipe(RECIPES / "footage.yaml", {"schedule.steps": 700}, defaults=DEFAULTS)
    assert (config.rate, config.model.filter_widths, config.schedule.steps) == (25, (3, 3), 700)
    assert config.semi.warmup < 2000


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("semi: {warmup: -1}", r"semi\.warmup"),
        ("semi: {bone: 1}", r"semi\.bone: there is no such key"),
        ("semi: {full_weight_frames: 9}", r"semi\.full_weight_frames: there is no such key"),
        ("base: ../other.yaml", "file beside it"),
        ("base: r.yaml", "another file beside it"),
        ("recordings: {data_set: h36m}", "takes no --unlabeled"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load_videos_recipe(tmp_path / "r.yaml", defaults=DEFAULTS)


def test_bases_that_go_round_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml")
    (tmp_path / "b.yaml").write_text("base: a.yaml")
    with pytest.raises(UsageError, match="another file beside it"):
        load_recorded_recipe(tmp_path / "a.yaml")


def test_a_recipe_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_recorded_recipe(tmp_path / "nothing.yaml")
    with pytest.raises(UsageError, match="learns from your own videos"):
        load_recorded_recipe(RECIPES / "footage.yaml")


def test_second_views_take_lifters_of_single_frames(tmp_path: Path) -> None:
    views = {"semi.view_consistency": 3}
    assert load_recorded_recipe(RECIPES / "studio.yaml", views).semi.uses_unlabeled
    with pytest.raises(UsageError, match=r"single frames, and this one reads 9: set model\.filter_widths"):
        load_recorded_recipe(RECIPES / "studio.yaml", views | {"model.filter_widths": [3, 3]})
    with pytest.raises(UsageError, match=r"semi\.view_consistency is for people of a dataset; videos have"):
        load_videos_recipe(RECIPES / "footage.yaml", views, defaults=DEFAULTS)
    with pytest.raises(UsageError, match=r"semi: "):
        load_videos_recipe(RECIPES / "footage.yaml", {"semi": None}, defaults=DEFAULTS)
    with pytest.raises(UsageError, match=r"schedule\.steps=250 leaves no step for the footage"):
        load_videos_recipe(RECIPES / "footage.yaml", {"schedule.steps": 250}, defaults=DEFAULTS)


def test_second_views_are_footage_too() -> None:
    alone = SemiRecordedLosses(reprojection=0, bones=0, view_consistency=2, full_weight_frames=100)
    assert alone.uses_unlabeled
    assert alone.for_labeled_frames(400).view_consistency == 0.5
    assert not alone.model_copy(update={"view_consistency": 0}).uses_unlabeled
