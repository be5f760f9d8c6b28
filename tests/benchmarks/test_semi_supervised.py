import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from standing import STILL
from videopose.errors import InputError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.simulation.studio import TEST_SUBJECTS, UNKNOWN_SUBJECT
from videopose.semi.footage import recorded_footage
from videopose.semi.losses import reprojection_error
from videopose.semi.projection import project

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
benchmark, plan, table = (
    importlib.import_module(f"semi_supervised{part}") for part in ("", "_plan", "_table")
)

PEOPLE = (benchmark.LABELED, "35", UNKNOWN_SUBJECT, *TEST_SUBJECTS)


@pytest.fixture(autouse=True)
def _small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A lifter that trains in no time."""
    recipe = plan.RECIPE.read_text(encoding="utf-8")
    for old, new in (("[1, 1, 1]", "[1]"), ("channels: 128", "channels: 8"), ("epochs: 50", "epochs: 5")):
        assert old in recipe
        recipe = recipe.replace(old, new)
    (tmp_path / "quick.yaml").write_text(recipe.replace("warmup: 5", "warmup: 1"), encoding="utf-8")
    monkeypatch.setattr(plan, "RECIPE", tmp_path / "quick.yaml")
    for module in (benchmark, plan):
        monkeypatch.setattr(module, "EPOCH", 2)
    yield
    benchmark.filmed.cache_clear()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of motion capture: everybody stands about and waves."""
    clips = []
    for number in range(len(PEOPLE)):
        clip = np.broadcast_to(STILL, (60, 19, 3)).copy()
        clip[:, [12, 13], 2] += np.sin(np.arange(60) / (10 + number))[:, None] * (0.2, 0.4)
        clips.append(clip.astype(np.float32))
    names = (PEOPLE,) * 4
    MotionCapture(np.concatenate(clips), np.full(len(PEOPLE), 60), 50.0, *names).save(tmp_path / "cmu.npz")
    return tmp_path


def test_runs_differ_in_what_their_names_say() -> None:
    for keypoints, joints in (("gt", "all"), ("simulated", "limbs")):
        alone, bare, papers, steady, views = (
            plan.Run(keypoints, 0.01, method, 3).config() for method in plan.METHODS
        )
        assert (alone.semi.reprojection, alone.semi.bones, alone.semi.uses_unlabeled) == (0, 0, False)
        assert steady.semi.reprojection == papers.semi.reprojection == bare.semi.reprojection > 0
        assert steady.semi.bones == papers.semi.bones > bare.semi.bones == 0
        assert steady.semi.bone_consistency > papers.semi.bone_consistency == bare.semi.bone_consistency == 0
        off = {"view_consistency": 0, "view_noise": steady.semi.view_noise}
        assert views.semi.model_copy(update=off) == steady.semi
        assert views.semi.view_consistency > 0
        assert (views.semi.view_noise > 0) == (keypoints == "simulated")
        same = {"model", "schedule", "input_space", "precision"}
        for config in (alone, bare, papers, steady, views):
            assert (config.seed, config.recordings.subset, config.semi.joints) == (3, 0.01, joints)
            if config is not alone:
                assert config.model_dump(include=same) == papers.model_dump(include=same)
        more = plan.Run(keypoints, 0.1, "labels alone", 3).config()
        assert alone.schedule.epochs < more.schedule.epochs
        assert alone.model.filter_widths == more.model.filter_widths == papers.model.filter_widths
    assert len(plan.SHARES) >= 4


def test_nobody_is_trained_and_tested_on(data: Path) -> None:
    groups = [
        {recording.subject for recording in benchmark.filmed(data, "gt", *who).recordings}
        for who in ((benchmark.LABELED,), (), TEST_SUBJECTS)
    ]
    assert groups == [{benchmark.LABELED}, {"35"}, {*TEST_SUBJECTS}]
    assert benchmark.filmed(data, "gt").rate == benchmark.RATE


def test_a_true_pose_lies_on_true_keypoints(data: Path) -> None:
    filmed = benchmark.filmed(data, "gt")
    config = plan.Run("gt", 1.0, "with footage", 0).config()
    footage = recorded_footage(filmed, config.input_space, config.semi)
    for recording, clip in zip(filmed.recordings, footage.spans, strict=True):
        points = torch.from_numpy(recording.pose + recording.root[:, None])[None]
        target, weight = torch.from_numpy(clip.target)[None], torch.from_numpy(clip.weight)[None]
        assert reprojection_error(project(points, clip.camera[None]), target, weight) < 1e-5
        aside = project(points + torch.tensor([0.1, 0, 0]), clip.camera[None])
        assert reprojection_error(aside, target, weight) > 0.02


def test_results_are_kept_and_runs_resumed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.csv"
    runs = [plan.Run(keypoints, 0.5, "with footage", 0) for keypoints in ("gt", "simulated")]
    for run in runs:
        benchmark.keep(run, data, results)
    kept = benchmark.load(results)
    assert len(kept) == 2
    (first,) = kept["gt-50pc-with-footage"]
    assert first["frames"] == {"labeled": 24, "unlabeled": 48, "test": 240}
    assert first["settings"] == runs[0].settings()
    assert 0 < first["errors"]["p_mpjpe"] < first["errors"]["mpjpe"] < 900  # untrained: about 500
    written = results.stat().st_mtime_ns
    assert benchmark.perform(runs[0], data) == first

    benchmark.carry_out(runs, data, results, jobs=1)
    assert results.stat().st_mtime_ns == written
    monkeypatch.setattr(plan, "EPOCH", 3)
    with pytest.raises(InputError, match="other settings"):
        benchmark.carry_out(runs, data, results, jobs=1)
    results.write_text("[]\n1\n")
    with pytest.raises(InputError, match="is not a table of results"):
        benchmark.carry_out(runs, data, results, jobs=1)


def test_labels_take_weight_from_footage(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    monkeypatch.setattr(benchmark, "train_semi_supervised", lambda config, *_, **__: trained.append(config))
    recipe = plan.RECIPE.read_text(encoding="utf-8").replace(
        "full_weight_frames: 1200", "full_weight_frames: 12"
    )
    plan.RECIPE.write_text(recipe, encoding="utf-8")
    for share, frames in ((0.25, 12), (0.5, 24)):
        run = plan.Run("gt", share, "steady bones", 0)
        assert benchmark.perform(run, data)["frames"]["labeled"] == frames
        (whole, used), trained[:] = (run.config().semi, trained[0].semi), []
        assert used.reprojection * frames == whole.reprojection * 12
        assert used.bone_consistency * frames == whole.bone_consistency * 12
        assert used.pose == whole.pose


@pytest.mark.parametrize("keypoints", plan.KEYPOINTS)
def test_all_methods_with_footage_train_alike_and_all_labels_alone_too(keypoints: str) -> None:
    for share in plan.SHARES:
        configs = [plan.Run(keypoints, share, method, 0).config() for method in plan.METHODS]
        shapes = [(config.schedule, config.model) for config in configs[1:]]
        assert all(shape == shapes[0] for shape in shapes)
    assert configs[0].schedule == configs[1].schedule  # of all labels


def _results() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for method, error in zip(plan.METHODS, (100.0, 90.0, 75.0, 60.0, 50.0), strict=True):
        for share, frames in ((1.0, 5000), (0.01, 50)):
            for seed in range(3):
                run = plan.Run("gt", share, method, seed)
                found.setdefault(run.name, []).append({
                    "run": run.name, "seed": seed, "frames": {"labeled": frames},
                    "errors": {"mpjpe": error + seed - 1}, "settings": run.settings(),
                })  # fmt: skip
    return found


def test_the_tables_stand_in_the_page(tmp_path: Path) -> None:
    page, picture = tmp_path / "page.md", tmp_path / "images" / "picture.png"
    page.write_text(f"Before.\n{table.BEGIN}\nold\n{table.END}\nAfter.\n")
    results = _results()
    del results["gt-100pc-without-bones"]
    for _ in range(2):  # and again over itself
        table.write(results, page=page, picture=picture)
    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith(f"{table.END}\nAfter.\n")
    lines = [line for line in text.splitlines() if line[:2].strip("|-")]
    rows = [line for line in lines if "%" in line]
    assert [line for line in lines if line.startswith("| True keypoints |")] == [
        "| True keypoints | 50 | −15.0 ± 0.0 | −15.0 ± 0.0 | −10.0 ± 0.0 |",
        "| True keypoints | 5,000 | – | −15.0 ± 0.0 | −10.0 ± 0.0 |",
    ]
    assert rows == [
        "| 1 % | 50 | 100.0 ± 1.0 | 90.0 ± 1.0 (−10 %) | 75.0 ± 1.0 (−25 %) | 60.0 ± 1.0 (−40 %) | "
        "50.0 ± 1.0 (−50 %) |",
        "| 100 % | 5,000 | 100.0 ± 1.0 | – | 75.0 ± 1.0 (−25 %) | 60.0 ± 1.0 (−40 %) | 50.0 ± 1.0 (−50 %) |",
    ]
    assert "old" not in text
    assert "](images/picture.png)" in text
    assert picture.read_bytes().startswith(b"\x89PNG")

    with pytest.raises(InputError, match="no results"):
        table.write({}, page=page, picture=picture)
    page.write_text("no place")
    with pytest.raises(InputError, match="no lines"):
        table.write(results, page=page, picture=picture)


def test_the_documentation_has_a_place_for_the_tables() -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    assert text.index(table.BEGIN) < text.index(table.END)
