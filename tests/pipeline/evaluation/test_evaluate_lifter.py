import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from standing import STILL
from videopose.errors import InputError, OutputError, UsageError, VideoposeError
from videopose.lifting.evaluation.breakdown import mean_of_seeds
from videopose.lifting.evaluation.scores import Sequence3D
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.pipeline.cli.main import cli
from videopose.pipeline.evaluation.evaluate_lifter import measure, run
from videopose.pipeline.evaluation.evaluation_data import EvaluateOptions, EvaluationData
from videopose.pipeline.evaluation.motion_capture_data import MotionCaptureData
from videopose.pipeline.progress import no_progress
from videopose.skeleton import H36M17

# What a lifter errs that puts every joint at the root: the mean distance from it, whoever films. Millimetres.
FLAT = 1000 * float(np.linalg.norm(STILL[:17] - STILL[0], axis=1).mean())
# After Procrustes a point is still a point, but in the middle.
FLAT_ALIGNED = 1000 * float(np.linalg.norm(STILL[:17] - STILL[:17].mean(0), axis=1).mean())
_SIDED = [i for i, name in enumerate(H36M17.names) if name[0] in "lr"]
FLAT_LIMBS = 1000 * float(np.linalg.norm(STILL[_SIDED] - STILL[0], axis=1).mean())

CLIPS = [
    ("01", "walk", 40, 1.0),
    ("02", "walk", 90, 1.0),
    ("02", "sit, rise", 20, 1.2),
    ("03", "sit, rise", 30, 1.5),
]
TRAINED = {
    "training_data": ["m.npz", "idle.npz"],
    "held_out_subjects": ["02", "03"],
    "config": {"motions": [{"path": "m.npz", "held_out": ["02", "03"]}, {"path": "idle.npz"}]},
}


def _write(path: Path, clips: Sequence[tuple[str, str, int, float]] = CLIPS) -> Path:
    """A motion-capture table of people of several sizes who glide along and move no limb."""
    deltas = []
    for _, _, frames, size in clips:
        positions = size * STILL + np.arange(frames)[:, None, None] * np.array([0.01, 0, 0])
        deltas.append(np.diff(np.round(positions * 1000), axis=0, prepend=0).reshape(-1, 57).T)
    np.savez_compressed(
        path,
        delta=np.concatenate(deltas, 1).astype(np.int16),
        length=np.array([frames for _, _, frames, _ in clips]),
        fps=50.0,
        name=np.array([str(i) for i in range(len(clips))]),
        subject=np.array([subject for subject, _, _, _ in clips]),
        action=np.array([action for _, action, _, _ in clips]),
        source=np.array(["made"] * len(clips)),
    )
    return path


def _lifter(path: Path, about: dict[str, Any] = TRAINED, **changes: Any) -> Path:
    """A lifter that puts every joint at the root."""
    model = TemporalModel(filter_widths=(3,), channels=2)
    torch.nn.init.zeros_(model.shrink.weight)
    torch.nn.init.zeros_(model.shrink.bias)
    values = {"layout": "h36m17", "input_space": "centred", "rate": 50.0} | changes
    Lifter(model.eval(), about=about, **values).save(path)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with flat.safetensors and m.npz, which trained it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    _lifter(tmp_path / "flat.safetensors")
    _write(tmp_path / "m.npz")
    return tmp_path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *arguments], prog_name="videopose")


def _fails(kind: type[VideoposeError], *arguments: str) -> str:
    result = _run(*arguments)
    assert isinstance(result.exception, kind), result.output
    message = str(result.exception)
    assert "\n" not in message
    return message


def _rows(path: Path, **wanted: str) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if wanted.items() <= row.items()]


def test_errors_known_by_hand(here: Path) -> None:
    (result,) = run(EvaluateOptions("flat.safetensors", (Path("m.npz"),)), progress=no_progress)
    assert set(result.by_flip) == {True, False}
    for seeds in result.by_flip.values():
        assert list(seeds) == [1, 2, 3]
        for broken in seeds.values():
            assert {k: e.frames for k, e in broken.actions.items()} == {"walk": 90, "sit, rise": 50}
            assert broken.actions["walk"].mpjpe == pytest.approx(FLAT, abs=0.5)
            sit = (20 * 1.2 + 30 * 1.5) / 50
            assert broken.actions["sit, rise"].mpjpe == pytest.approx(sit * FLAT, abs=0.5)
            assert broken.mean.mpjpe == pytest.approx((1 + sit) / 2 * FLAT, abs=0.5)
            assert broken.frames.mpjpe == pytest.approx((90 + 50 * sit) / 140 * FLAT, abs=0.5)
            assert abs(broken.mean.mpjpe - broken.frames.mpjpe) > 10  # two means, and they differ
            assert broken.subjects["02"].mpjpe == pytest.approx((1 + 1.2) / 2 * FLAT, abs=0.5)
            assert broken.subjects["03"].mpjpe == pytest.approx(1.5 * FLAT, abs=0.5)
            walk = broken.actions["walk"]
            assert walk.n_mpjpe == pytest.approx(FLAT, abs=0.5)
            assert walk.p_mpjpe == pytest.approx(FLAT_ALIGNED, abs=0.5)
            assert walk.limbs_mpjpe == pytest.approx(FLAT_LIMBS, abs=0.5)
            assert walk.mpjve == pytest.approx(0, abs=0.01)  # nobody moves a limb


def test_flips_and_no_flips_are_measured_on_the_same_sequences() -> None:
    pose = np.random.default_rng(0).normal(0, 0.3, (10, 17, 3)).astype(np.float32)
    drawn: list[int] = []

    def views(seed: int) -> Iterator[Sequence3D]:
        drawn.append(seed)
        yield Sequence3D("S9", "Walking", np.full((10, 17, 2), seed, np.float32), pose)

    def off(rays: NDArray[np.float32]) -> NDArray[np.float32]:
        moved = pose.copy()
        moved[:, 0, 2] += 0.017 * rays[0, 0, 0]  # one joint of seventeen: a millimetre a seed
        return moved

    done: list[int] = []
    data = EvaluationData("made", {}, (), {True: lambda rays: pose, False: off}, views, 1, (1, 3))
    result = measure(data, done=lambda: done.append(1))
    assert (drawn, len(done)) == ([1, 3], 2)
    assert result.by_flip[True][3].mean.mpjpe == 0
    assert result.by_flip[False][1].mean.mpjpe == pytest.approx(1, abs=1e-4)
    assert result.by_flip[False][3].mean.mpjpe == pytest.approx(3, abs=1e-4)
    mean = mean_of_seeds(list(result.by_flip[False].values()))
    cell = mean.cells["S9", "Walking"]
    for errors in (mean.mean, mean.people, mean.frames, mean.actions["Walking"], mean.subjects["S9"], cell):
        assert errors.mpjpe == pytest.approx(2, abs=1e-4)
        assert errors.frames == 10  # of one seed


def test_the_csv_file_holds_every_line(here: Path) -> None:
    result = _run("flat.safetensors", "--data", "m.npz", "--seeds", "2", "--csv", "new/errors.csv")
    assert result.exit_code == 0, result.output
    path = here / "new/errors.csv"
    rows = _rows(path)
    # 2 actions, 2 people, 3 cells, 3 means; for two seeds and their mean; with flips and without
    assert len(rows) == (2 + 2 + 3 + 3) * 3 * 2
    assert {row["lifter"] for row in rows} == {"flat.safetensors"}
    assert {row["data"] for row in rows} == {"m.npz"}
    assert {row["keypoints"] for row in rows} == {"simulated detections"}
    assert {(row["rate_hz"], row["cameras_a_clip"]) for row in rows} == {("50", "1")}
    assert {row["seed"] for row in rows} == {"1", "2", "mean"}
    (sit,) = _rows(path, by="action", name="sit, rise", flip="yes", seed="mean")  # the comma survives
    assert float(sit["mpjpe_mm"]) == pytest.approx(1.38 * FLAT, abs=0.5)
    assert sit["frames"] == "50"
    (mean,) = _rows(path, by="mean of actions", flip="no", seed="1")
    assert float(mean["mpjpe_mm"]) == pytest.approx(1.19 * FLAT, abs=0.5)
    (frames,) = _rows(path, by="mean of frames", flip="no", seed="1")
    assert float(frames["mpjpe_mm"]) == pytest.approx(159 / 140 * FLAT, abs=0.5)
    (cell,) = _rows(path, by="subject and action", name="02 sit, rise", flip="no", seed="2")
    assert float(cell["mpjpe_mm"]) == pytest.approx(1.2 * FLAT, abs=0.5)
    (people,) = _rows(path, by="mean of subjects", flip="no", seed="2")
    assert float(people["mpjpe_mm"]) == pytest.approx((1.1 + 1.5) / 2 * FLAT, abs=0.5)
    (person,) = _rows(path, by="subject", name="03", flip="yes", seed="2")
    assert float(person["limbs_mpjpe_mm"]) == pytest.approx(1.5 * FLAT_LIMBS, abs=0.5)
    assert {"p_mpjpe_mm", "n_mpjpe_mm", "mpjve_mm_per_frame", "limbs_p_mpjpe_mm"} < set(person)


def test_single_frames_leave_the_velocity_empty(here: Path) -> None:
    _write(here / "stills.npz", [("7", "stand", 1, 1.0)])
    result = _run("flat.safetensors", "--data", "stills.npz", "--seeds", "2", "--csv", "e.csv")
    assert result.exit_code == 0, result.output
    assert {row["mpjve_mm_per_frame"] for row in _rows(here / "e.csv")} == {""}
    assert "–" in result.stdout


def test_the_screen_says_what_was_measured(here: Path) -> None:
    result = _run("flat.safetensors", "--data", "m.npz", "--seeds", "2")
    assert result.exit_code == 0, result.output
    for part in (
        "flat.safetensors on m.npz",
        "people: 02, 03 (held out of the lifter's training)",
        "3 clips of 2 people, 0.0 minutes, read at 50 frames a second",
        "1 a clip and seed, 1.8–9 m away",
        "seeds 1 to 2",
        "simulated detector: jitter 3–20 mm",
        "sit, rise",
        "mean of actions, flips",
        "mean of actions, no flips",
        "mean of frames",
        "±0.0",
        f"{FLAT:.0f}",
        "each person's mean of actions",
        "mm a frame",
    ):
        assert part in result.stdout, part


def test_protocols_choose_columns(here: Path) -> None:
    shown = _run("flat.safetensors", "--data", "m.npz", "--protocol", "2", "--protocol", "velocity").stdout
    assert "P-MPJPE" in shown
    assert "MPJVE" in shown
    assert "N-MPJPE" not in shown
    assert " MPJPE" not in shown


def test_without_flips(here: Path) -> None:
    result = _run("flat.safetensors", "--data", "m.npz", "--no-flip", "--seeds", "1", "--csv", "e.csv")
    assert result.exit_code == 0, result.output
    assert "mean of actions, no flips" in result.stdout
    assert ", flips" not in result.stdout
    assert "furthest" not in result.stdout  # of one seed
    assert {row["flip"] for row in _rows(here / "e.csv")} == {"no"}


def test_subjects_and_actions_are_chosen_by_name(here: Path) -> None:
    for words, people, actions in (
        (["--subjects", "02"], {"02"}, {"walk", "sit, rise"}),
        (["--subjects", "02,03", "--actions", "sit, rise"], {"02", "03"}, {"sit, rise"}),
        (["--subjects", "02", "--subjects", "03", "--actions", "walk"], {"02"}, {"walk"}),
    ):
        done = _run(
            "flat.safetensors", "--data", "m.npz", "--seeds", "1", "--csv", "e.csv", "--overwrite", *words
        )
        assert done.exit_code == 0, done.output
        assert {r["name"] for r in _rows(here / "e.csv", by="subject")} == people
        assert {r["name"] for r in _rows(here / "e.csv", by="action")} == actions


def test_unknown_names_are_answered_with_known_ones(here: Path) -> None:
    message = _fails(UsageError, "flat.safetensors", "--data", "m.npz", "--subjects", "02,2")
    assert message.startswith("--subjects: no '2' in the data; there is ")
    assert "02" in message
    message = _fails(UsageError, "flat.safetensors", "--data", "m.npz", "--actions", "walking")
    assert message == "--actions: no 'walking' in the data; there is walk"
    _write(here / "many.npz", [(f"{i:03}", "x", 1, 1.0) for i in range(40)])
    message = _fails(UsageError, "flat.safetensors", "--data", "many.npz", "--subjects", "nobody")
    assert message.endswith("010, 011 and 28 more")


def test_training_people_are_no_measurement(here: Path) -> None:
    message = _fails(UsageError, "flat.safetensors", "--data", "m.npz", "--subjects", "01")
    for part in ("trained on 01", "held out are 02, 03", "--all-subjects"):
        assert part in message
    done = _run("flat.safetensors", "--data", "m.npz", "--all-subjects", "--seeds", "1")
    assert done.exit_code == 0, done.output
    assert "people: 01, 02, 03 (the lifter was trained on some of them" in done.stdout


def test_a_folder_means_the_tables_in_it(here: Path) -> None:
    (here / "data" / "deeper").mkdir(parents=True)
    _write(here / "data" / "m.npz")
    _write(here / "data" / "unseen.npz", [("7", "[bold]jump[/bold]", 30, 1.5)])
    _write(here / "data" / "idle.npz", [("8", "idle", 30, 1.0)])
    (here / "data" / "README.txt").write_text("not a table")
    done = _run("flat.safetensors", "--data", "data", "--seeds", "1", "--csv", "e.csv")
    assert done.exit_code == 0, done.output
    assert [line for line in done.stdout.splitlines() if " on " in line and "flat" in line] == [
        "flat.safetensors on m.npz", "flat.safetensors on unseen.npz",
    ]  # fmt: skip
    assert "left out: idle.npz: no clip of a person that the lifter was not trained on" in done.stderr
    assert "7 (held out: the lifter's training data names no such file)" in done.stdout
    assert "[bold]jump[/bold]" in done.stdout
    (row,) = _rows(here / "e.csv", data="unseen.npz", by="action", flip="no", seed="mean")
    assert row["name"] == "[bold]jump[/bold]"
    assert float(row["mpjpe_mm"]) == pytest.approx(1.5 * FLAT, abs=0.5)


def test_progress_counts_every_clip_seed_and_camera(here: Path) -> None:
    told: list[tuple[str, int | None]] = []
    counts: list[int] = []

    @contextmanager
    def stage(description: str, total: int | None) -> Iterator[Any]:
        told.append((description, total))
        yield lambda count=1: counts.append(count)

    run(EvaluateOptions("flat.safetensors", (Path("m.npz"),), seeds=2, cameras=3), progress=stage)
    assert told == [("evaluating", 3 * 2 * 3)]
    assert sum(counts) == 18


def _views(here: Path, **options: Any) -> list[Sequence3D]:
    lifter = Lifter.load(here / "flat.safetensors")
    return list(_data(lifter, **options).sequences(1))


def _data(lifter: Lifter, **options: Any) -> EvaluationData:
    settings = EvaluateOptions("", (Path("m.npz"),), **options)
    return MotionCaptureData.load(Path("m.npz")).select(
        lifter, settings, subjects=frozenset(), actions=frozenset()
    )


def test_true_2d_stands_still_with_the_person(here: Path) -> None:
    seen, true = _views(here)[0], _views(here, true_2d=True)[0]
    np.testing.assert_array_equal(seen.pose, true.pose)  # from the same cameras

    def shake(sequence: Sequence3D) -> float:
        return float(np.abs(np.diff(sequence.lifter_input, n=2, axis=0)).max())

    assert shake(true) < 1e-3 < shake(seen)
    done = _run("flat.safetensors", "--data", "m.npz", "--true-2d", "--seeds", "1", "--csv", "e.csv")
    assert "true projections, no detector" in done.stdout
    assert {row["keypoints"] for row in _rows(here / "e.csv")} == {"true"}


def test_severity_makes_the_detector_worse(here: Path) -> None:
    true = _views(here, true_2d=True)[0].lifter_input
    mild, harsh = (np.abs(_views(here, severity=s)[0].lifter_input - true).mean() for s in (0.2, 2.0))
    assert harsh / mild > 4
    done = _run("flat.safetensors", "--data", "m.npz", "--severity", "0.5", "--seeds", "1", "--csv", "e.csv")
    assert "jitter 1.5–10 mm" in done.stdout
    assert {row["severity"] for row in _rows(here / "e.csv")} == {"0.5"}


def test_seeds_and_lifters_decide_what_is_seen(here: Path) -> None:
    first = _views(here)
    np.testing.assert_array_equal(first[0].lifter_input, _views(here)[0].lifter_input)
    lifter = Lifter.load(here / "flat.safetensors")
    assert not np.array_equal(first[0].pose, next(iter(_data(lifter).sequences(2))).pose)
    _lifter(here / "flat.safetensors", rate=25.0)
    assert [len(s.pose) for s in _views(here)] == [45, 10, 15]
    _lifter(here / "flat.safetensors", rate=None)
    assert [len(s.pose) for s in _views(here)] == [90, 20, 30]


def test_lifters_of_other_kinds(here: Path) -> None:
    _lifter(here / "coco.safetensors", layout="coco17", input_space="screen")
    done = _run("coco.safetensors", "--data", "m.npz", "--seeds", "1")
    assert done.exit_code == 0, done.output
    assert "with Human3.6M's focal length" in done.stdout
    model = TemporalModel(filter_widths=(3,), channels=2)
    torch.save({"model_pos": model.state_dict()}, here / "published.bin")
    done = _run("published.bin", "--data", "m.npz", "--seeds", "1")
    assert done.exit_code == 0, done.output
    assert "these may be training people" in done.stdout
    assert _run("published.bin", "--data", "m.npz", "--seeds", "1", "--lifter-causal").exit_code == 0
    humaneva = TemporalModel(num_joints_in=15, num_joints_out=15, filter_widths=(3,), channels=2)
    torch.save({"model_pos": humaneva.state_dict()}, here / "humaneva.bin")
    assert "humaneva15" in _fails(UsageError, "humaneva.bin", "--data", "m.npz")


def test_what_cannot_be_read_is_one_clear_line(here: Path) -> None:
    assert "unknown lifter 'flt'" in _fails(UsageError, "flt", "--data", "m.npz")
    assert "nothing.safetensors: no such" in _fails(InputError, "nothing.safetensors", "--data", "m.npz")
    assert _fails(InputError, "flat.safetensors", "--data", "no.npz") == "no.npz: no such file"
    (here / "bad.npz").write_bytes(b"not a table")
    assert "bad.npz is not a motion-capture table" in _fails(
        InputError, "flat.safetensors", "--data", "bad.npz"
    )
    (here / "empty").mkdir()
    assert "empty: no motion-capture table (.npz)" in _fails(
        InputError, "flat.safetensors", "--data", "empty"
    )
    assert "no clip of these" in _fails(
        UsageError, "flat.safetensors", "--data", "m.npz", "--subjects", "03", "--actions", "walk"
    )


def test_a_csv_file_is_not_overwritten_unasked(here: Path) -> None:
    (here / "e.csv").write_text("mine")
    message = _fails(OutputError, "flat.safetensors", "--data", "m.npz", "--csv", "e.csv")
    assert "--overwrite replaces it" in message
    assert (here / "e.csv").read_text() == "mine"
    arguments = ("flat.safetensors", "--data", "m.npz", "--seeds", "1", "--csv", "e.csv", "--overwrite")
    assert _run(*arguments).exit_code == 0
    assert len(_rows(here / "e.csv")) == 40
    assert sorted(p.name for p in here.iterdir()) == ["e.csv", "flat.safetensors", "m.npz"]
