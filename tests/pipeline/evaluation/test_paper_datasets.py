"""Files of Human3.6M and HumanEva-I as the field trades them, small, and lifters on them."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.errors import InputError, UsageError, VideoposeError
from videopose.lifting.cameras.input_space import to_screen
from videopose.lifting.datasets.human36m import JOINTS_OF_32, TEST_SUBJECTS, load_h36m, project_all
from videopose.lifting.datasets.humaneva import load_humaneva
from videopose.lifting.evaluation.scores import Lift
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.pipeline.cli.main import cli
from videopose.pipeline.evaluation.evaluate_lifter import choose, find_sources, measure, run
from videopose.pipeline.evaluation.evaluation_data import EvaluateOptions, EvaluationData
from videopose.pipeline.evaluation.lifter_report import show
from videopose.pipeline.progress import no_progress
from videopose.skeleton import COCO17, H36M17, Skeleton

Array = NDArray[np.float32]
Poses = dict[str, dict[str, Array]]

LENGTHS = {
    ("S1", "Walking"): 5,
    ("S9", "Walking"): 40,
    ("S9", "Walking 1"): 20,
    ("S9", "Eating"): 6,
    ("S11", "Walking"): 10,
    ("S11", "Directions"): 9,  # damaged, so it counts nowhere
    ("S11", "Directions 1"): 8,
}
CHUNKS = {
    ("Train/S1", "Walking 1 chunk0"): 5,
    ("Validate/S1", "Walking 1 chunk0"): 12,
    ("Validate/S1", "Walking 1 chunk2"): 3,
    ("Validate/S2", "Walking 1 chunk0"): 6,
    ("Validate/S2", "Box 1 chunk1"): 7,
    ("Validate/S2", "Gestures 1 chunk0"): 9,
}


def _clips(lengths: Mapping[tuple[str, str], int], joints: int) -> Poses:
    random = np.random.default_rng(0)
    poses: Poses = {}
    for (subject, action), frames in lengths.items():
        still = random.normal((0, 0, 1), 0.3, (joints, 3))
        moved = still + 0.01 * random.normal(0, 1, (frames, joints, 3)).cumsum(0)
        poses.setdefault(subject, {})[action] = moved.astype(np.float32)
    return poses


POSES = _clips(LENGTHS, 32)
HUMANEVA = _clips(CHUNKS, 15)


def _keypoints(path: Path, views: Mapping[str, Mapping[str, Any]], skeleton: Skeleton, name: str) -> None:
    metadata = {
        "layout_name": name,
        "num_joints": len(skeleton),
        "keypoints_symmetry": [list(skeleton.left), list(skeleton.right)],
    }
    plain = {s: {a: list(v) for a, v in actions.items()} for s, actions in views.items()}
    np.savez_compressed(path, positions_2d=plain, metadata=metadata)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both data sets: Human3.6M with gt, cpn and COCO keypoints, HumanEva-I with COCO ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    random = np.random.default_rng(1)
    for name in ("h36m", "humaneva"):
        (tmp_path / name).mkdir()
    seen = project_all(POSES).positions
    cpn = {
        s: {a: [v + random.normal(0, 4, v.shape).astype(np.float32) for v in views] for a, views in c.items()}
        for s, c in seen.items()
    }
    cpn["S9"]["Eating"] = [np.concatenate([v, v[-1:]]) for v in cpn["S9"]["Eating"]]  # the video runs on
    np.savez_compressed("h36m/data_3d_h36m.npz", positions_3d=POSES)
    _keypoints(Path("h36m/data_2d_h36m_gt.npz"), seen, H36M17, "h36m")
    _keypoints(Path("h36m/data_2d_h36m_cpn_ft_h36m_dbb.npz"), cpn, H36M17, "h36m")
    _keypoints(Path("h36m/data_2d_h36m_detectron_pt_coco.npz"), cpn, COCO17, "coco")
    coco = {
        s: {
            a: [random.uniform(0, 480, (len(w), 17, 2)).astype(np.float32) for _ in "123"]
            for a, w in c.items()
        }
        for s, c in HUMANEVA.items()
    }
    np.savez_compressed("humaneva/data_3d_humaneva15.npz", positions_3d=HUMANEVA)
    _keypoints(Path("humaneva/data_2d_humaneva15_detectron_pt_coco.npz"), coco, COCO17, "coco")
    return tmp_path


def _model(path: str, *, seed: int | None = None, **shape: Any) -> TemporalModel:
    """Written as the published checkpoints are; without a seed it puts every joint at the root."""
    torch.manual_seed(seed or 0)
    model = TemporalModel(**{"filter_widths": (3, 3), "channels": 8} | shape).eval()
    if seed is None:
        torch.nn.init.zeros_(model.shrink.weight)
        torch.nn.init.zeros_(model.shrink.bias)
    torch.save({"epoch": 80, "model_pos": model.state_dict()}, path)
    return model


def _lifter(path: str, about: dict[str, Any] | None = None, *, joints: int = 17, **changes: Any) -> None:
    model = TemporalModel(filter_widths=(3,), channels=2, num_joints_out=joints).eval()
    values: dict[str, Any] = {"layout": "h36m17", "input_space": "screen", "rate": 50.0}
    Lifter(model, about=about or {}, **values | changes).save(path)


def _learned(data_set: str, **changes: Any) -> dict[str, Any]:
    """What a lifter says that was trained on recordings."""
    return {
        "training_data": [f"{data_set}, gt keypoints"],
        "config": {"recordings": {"data_set": data_set, "train_subjects": None}},
        **changes,
    }


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["evaluate", *arguments], prog_name="videopose")


def _done(*arguments: str) -> str:
    result = _run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def _fails(kind: type[VideoposeError], *arguments: str) -> str:
    result = _run(*arguments)
    assert isinstance(result.exception, kind), result.output
    message = str(result.exception)
    assert "\n" not in message
    return message


def _rows(**wanted: str) -> list[dict[str, str]]:
    with Path("e.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if wanted.items() <= row.items()]


def _data_of(lifter: str, *data: str, **options: Any) -> EvaluationData:
    settings = EvaluateOptions(lifter, tuple(Path(d) for d in data), **options)
    read = Lifter.load(lifter)
    (data_of_lifter,) = choose(find_sources(settings), read, settings)
    return data_of_lifter


def _oracle(data_of_lifter: EvaluationData, off: Mapping[tuple[str, str], float]) -> Lift:
    """Knows every pose, and puts one joint of all that many metres too far to the right."""
    answers = {}
    for sequence in data_of_lifter.sequences(0):
        pose = sequence.pose.copy()
        pose[:, 3, 0] += off.get((sequence.subject, sequence.action), 0)
        answers[sequence.lifter_input.tobytes()] = pose
    return lambda rays: answers[rays.tobytes()]


def test_a_perfect_lifter_makes_no_error_and_a_wrong_one_what_it_should(here: Path) -> None:
    _lifter("mine.safetensors")
    data_of_lifter = _data_of("mine.safetensors", "h36m", keypoints="gt")
    off = {
        ("S9", "Walking"): 0.017,
        ("S11", "Walking"): 0.17,
        ("S9", "Eating"): 0.34,
        ("S11", "Directions"): 0.051,
    }
    lifts = {True: _oracle(data_of_lifter, {}), False: _oracle(data_of_lifter, off)}
    result = measure(replace(data_of_lifter, lifts=lifts))
    perfect, wrong = result.by_flip[True][0], result.by_flip[False][0]
    for errors in (perfect.mean, perfect.people, perfect.frames, *perfect.actions.values()):
        assert (errors.mpjpe, errors.n_mpjpe, errors.mpjve) == pytest.approx((0, 0, 0), abs=1e-5)
        assert errors.p_mpjpe == pytest.approx(0, abs=1e-3)
    # A joint of seventeen, so a seventeenth. Trials, people and cameras of an action are pooled.
    walking = (60 * 1 + 10 * 10) / 70
    assert list(wrong.actions) == ["Directions", "Eating", "Walking"]  # the paper's order
    assert [e.mpjpe for e in wrong.actions.values()] == pytest.approx([3, 20, walking], abs=1e-3)
    assert [e.frames for e in wrong.actions.values()] == [8 * 4, 6 * 4, 70 * 4]
    assert wrong.mean.mpjpe == pytest.approx((3 + 20 + walking) / 3, abs=1e-3)
    assert wrong.frames.mpjpe == pytest.approx((8 * 3 + 6 * 20 + 70 * walking) / 84, abs=1e-3)
    assert list(wrong.subjects) == ["S9", "S11"]
    assert [e.mpjpe for e in wrong.subjects.values()] == pytest.approx([21 / 2, 13 / 2], abs=1e-3)
    assert wrong.cells["S11", "Walking"].mpjpe == pytest.approx(10, abs=1e-3)
    assert wrong.mean.mpjve == pytest.approx(0, abs=1e-4)  # a constant offset


def _expected(model: TemporalModel, poses: Poses, keypoints: str) -> dict[str, list[float]]:
    """MPJPE, P-MPJPE, N-MPJPE and MPJVE by action, in the published way: the whole padded clip and its mirror
    image through the model, nothing done to the root."""
    clips: dict[str, list[tuple[Array, Array]]] = {}
    recordings = load_h36m("h36m/data_3d_h36m.npz", keypoints, subjects=TEST_SUBJECTS).recordings
    for r in recordings:
        seen = torch.from_numpy(
            np.pad(to_screen(r.keypoints, r.camera.size), (model.padding, (0, 0), (0, 0)), "edge")
        )
        sides, back = [*H36M17.left, *H36M17.right], [*H36M17.right, *H36M17.left]
        mirrored = seen.clone()
        mirrored[:, :, 0] *= -1
        mirrored[:, sides] = mirrored[:, back]
        with torch.no_grad():
            lifted = model(torch.stack([seen, mirrored]))
        lifted[1, :, :, 0] *= -1
        lifted[1, :, sides] = lifted[1, :, back]
        clips.setdefault(r.action.split()[0], []).append((lifted.mean(0).numpy(), r.pose))
    return {action: _by_hand(pairs) for action, pairs in clips.items()}


def _by_hand(pairs: list[tuple[Array, Array]]) -> list[float]:
    lifted, true = (np.concatenate(v).astype(np.float64) for v in zip(*pairs, strict=True))
    aligned, scaled = [], []
    for p, t in zip(lifted, true, strict=True):
        scaled.append(np.linalg.norm((p * t).sum() / (p * p).sum() * p - t, axis=1).mean())
        p, t = p - p.mean(0), t - t.mean(0)
        p = Rotation.align_vectors(t, p)[0].apply(p)
        aligned.append(np.linalg.norm((p * t).sum() / (p * p).sum() * p - t, axis=1).mean())
    velocity = [np.linalg.norm(np.diff(p, axis=0) - np.diff(t, axis=0), axis=-1).mean(1) for p, t in pairs]
    errors = (np.linalg.norm(lifted - true, axis=-1), aligned, scaled, np.concatenate(velocity))
    return [1000 * float(np.mean(e)) for e in errors]


@pytest.mark.parametrize("causal", [False, True])
def test_published_checkpoints_are_measured_in_the_published_way(here: Path, causal: bool) -> None:
    model = _model("pretrained_h36m_cpn.bin", seed=3, filter_widths=(3, 5), causal=causal)
    said = _done(
        "pretrained_h36m_cpn.bin", "--data", "h36m", "-k", "cpn_ft_h36m_dbb", "--csv", "e.csv",
        *(["--lifter-causal"] if causal else []),
    )  # fmt: skip
    assert "people: S9, S11 (the usual test people; the lifter's file does not name" in said
    expected = _expected(model, POSES, "h36m/data_2d_h36m_cpn_ft_h36m_dbb.npz")
    columns = ("mpjpe_mm", "p_mpjpe_mm", "n_mpjpe_mm", "mpjve_mm_per_frame")
    rows = _rows(by="action", flip="yes")
    assert [row["name"] for row in rows] == ["Directions", "Eating", "Walking"]
    for row in rows:
        assert [float(row[c]) for c in columns] == pytest.approx(expected[row["name"]], abs=2e-3)
    (mean,) = _rows(by="mean of actions", flip="yes")
    for number, column in enumerate(columns):
        values = [errors[number] for errors in expected.values()]
        assert float(mean[column]) == pytest.approx(sum(values) / 3, abs=2e-3)
    assert {(r["keypoints"], r["rate_hz"], r["cameras_a_clip"], r["seed"]) for r in _rows()} == {
        ("cpn_ft_h36m_dbb", "50", "4", "")
    }
    # three actions, two people, four cells and three means, with flips and without
    assert len(_rows()) == (3 + 2 + 4 + 3) * 2


def test_errors_known_without_any_camera(here: Path) -> None:
    """A lifter that puts every joint at the root errs by the joints' distances from it, whoever films."""
    _model("flat.bin")
    said = _done("flat.bin", "--data", "h36m/data_3d_h36m.npz", "--keypoints", "gt", "--csv", "e.csv")

    def far(*clips: tuple[str, str]) -> float:
        joints = [POSES[s][a][:, JOINTS_OF_32] for s, a in clips]
        return 1000 * float(np.concatenate([np.linalg.norm(j - j[:, :1], axis=-1) for j in joints]).mean())

    lines = {
        "Directions": far(("S11", "Directions 1")),
        "Eating": far(("S9", "Eating")),
        "Walking": far(("S9", "Walking"), ("S9", "Walking 1"), ("S11", "Walking")),
    }
    assert {r["name"]: float(r["mpjpe_mm"]) for r in _rows(by="action", flip="no")} == pytest.approx(
        lines, abs=1e-2
    )
    average = sum(lines.values()) / 3
    eleven = (far(("S11", "Walking")) + lines["Directions"]) / 2
    text = said.splitlines()
    (head,) = [line.split() for line in text if line.strip().startswith("Dir.")]
    assert head == ["Dir.", "Eat", "Walk", "Avg."]
    first = next(line.split() for line in text if "Protocol 1 MPJPE" in line)
    assert first == ["Protocol", "1", "MPJPE", *(f"{v:.1f}" for v in [*lines.values(), average])]
    assert [line.strip() for line in text if line.strip() in ("flips", "no flips", "S9", "S11")] == [
        "flips", "no flips", "S9", "S11",
    ]  # fmt: skip
    last = [line.split() for line in text if "Protocol 1 MPJPE" in line][-1]  # S11 did not eat
    assert last[-3:] == [f"{v:.1f}" for v in (lines["Directions"], far(("S11", "Walking")), eleven)]
    for part in (
        "flat.bin on Human3.6M",
        "recordings: 20 of 5 clips, 336 frames at 50 a second",
        "keypoints: data_2d_h36m_gt.npz",
        "Protocol 2 P-MPJPE",
        "Protocol 3 N-MPJPE",
        "velocity MPJVE",
    ):
        assert part in said, part


def test_protocols_choose_rows(here: Path) -> None:
    _model("flat.bin")
    said = _done("flat.bin", "--data", "h36m", "-k", "gt", "--protocol", "2", "--no-flip")
    assert "Protocol 2 P-MPJPE" in said
    assert "Protocol 1" not in said
    assert "velocity" not in said
    assert "no flips" in said
    assert ", flips" not in said


def test_a_narrow_terminal_shows_actions_as_rows(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _model("flat.bin")
    results = run(EvaluateOptions("flat.bin", (Path("h36m"),), "gt", flip=False), progress=no_progress)
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, to rich
    for columns, wide in (("60", True), ("38", False)):
        monkeypatch.setenv("COLUMNS", columns)
        show(results, lifter="flat.bin", protocols=["1"])
        said = capsys.readouterr().out
        assert ("Protocol 1 MPJPE" in said) is wide
        assert ("Walking" in said) is not wide


def test_training_people_are_no_measurement(here: Path) -> None:
    _model("published.bin")
    data = ("--data", "h36m", "-k", "gt")
    message = _fails(UsageError, "published.bin", *data, "--subjects", "S1")
    assert "does not name its training people, and is usually trained on S1" in message
    said = _done("published.bin", *data, "--all-subjects")
    assert "people: S9, S11, S1 (the lifter was trained on some of them" in said
    _lifter("mocap.safetensors", {"training_data": ["cmu_h36m17_50hz.npz"]})
    assert "S1 (held out: the lifter was trained on other data)" in _done(
        "mocap.safetensors", *data, "--subjects", "S1"
    )
    _lifter("usual.safetensors", _learned("h36m"))
    assert "S9, S11 (held out of the lifter's training)" in _done("usual.safetensors", *data)
    assert "was trained on S1," in _fails(UsageError, "usual.safetensors", *data, "--subjects", "S1,S9")
    _lifter("odd.safetensors", _learned("h36m", training_subjects=["S1", "S9"]))
    message = _fails(UsageError, "odd.safetensors", *data)
    assert "was trained on S9," in message
    assert "--subjects chooses others" in message
    assert "S11 (held out" in _done("odd.safetensors", *data, "--subjects", "S11")
    _lifter("other.safetensors", _learned("humaneva"))
    assert "S9, S11 (held out: " in _done("other.safetensors", *data)


def test_people_and_actions_are_chosen_by_name(here: Path) -> None:
    _model("flat.bin")
    arguments = ("flat.bin", "--data", "h36m", "-k", "gt", "--csv", "e.csv", "--overwrite")
    _done(*arguments, "--subjects", "S11", "--actions", "Walking")
    assert {r["name"] for r in _rows(by="subject and action")} == {"S11 Walking"}
    message = _fails(UsageError, *arguments, "--actions", "Walk")
    assert message == "--actions: no 'Walk' in the data; there is Walking"
    message = _fails(UsageError, *arguments, "--subjects", "S11", "--actions", "Eating")
    assert message.endswith("data_3d_h36m.npz: no clip of these subjects and actions")
    np.savez_compressed("data_3d_h36m.npz", positions_3d={"S1": POSES["S1"]})
    message = _fails(UsageError, "flat.bin", "--data", "data_3d_h36m.npz")
    assert message == "data_3d_h36m.npz: none of S11, S9 in it; there are S1"


def test_keypoints_are_chosen_by_name_or_file(here: Path) -> None:
    _model("flat.bin")

    def read(*arguments: str) -> str:
        said = _done("flat.bin", "--no-flip", *arguments)
        return next(line for line in said.splitlines() if line.startswith("keypoints: "))

    poses, gt = "h36m/data_3d_h36m.npz", "data_2d_h36m_gt.npz"
    message = _fails(UsageError, "flat.bin", "--data", "h36m")
    assert "several" in message
    assert message.endswith("--keypoints: cpn_ft_h36m_dbb, detectron_pt_coco, gt")
    assert "no --keypoints sh beside it; there is cpn" in _fails(
        UsageError, "flat.bin", "--data", poses, "-k", "sh"
    )
    assert read("--data", poses, "-k", "gt") == read("--data", "h36m", "--true-2d") == f"keypoints: {gt}"
    assert read("--data", poses, "-k", f"h36m/{gt}") == f"keypoints: {gt}"
    assert read("--data", poses, "--data", f"h36m/{gt}") == f"keypoints: {gt}"
    assert "give one of them" in _fails(UsageError, "flat.bin", "--data", poses, "-k", "gt", "--true-2d")
    Path("alone").mkdir()
    Path(poses).rename("alone/data_3d_h36m.npz")
    assert "no data_2d_h36m_….npz beside it" in _fails(InputError, "flat.bin", "--data", "alone")
    Path(f"h36m/{gt}").rename("alone/mine.npz")
    assert read("--data", "alone", "-k", "alone/mine.npz") == "keypoints: mine.npz"
    assert _fails(InputError, "flat.bin", "--data", "alone", "-k", "alone/no.npz").endswith("no such file")
    Path("alone/mine.npz").rename(f"alone/{gt}")
    assert read("--data", "alone") == f"keypoints: {gt}"
    assert "3D poses" in _fails(InputError, "flat.bin", "--data", "h36m")  # whose poses went away


def test_coco_keypoints_suit_both_kinds_of_lifter(here: Path) -> None:
    data = ("--data", "h36m", "-k", "detectron_pt_coco")
    _model("pretrained_h36m_detectron_coco.bin", seed=1)
    said = _done("pretrained_h36m_detectron_coco.bin", *data)
    assert "converted" not in said
    _model("joints.bin", seed=1)
    assert "data_2d_h36m_detectron_pt_coco.npz, converted from coco17 to h36m17" in _done("joints.bin", *data)
    message = _fails(UsageError, "pretrained_h36m_detectron_coco.bin", "--data", "h36m", "-k", "gt")
    assert message.startswith("this lifter reads coco17 keypoints and the file's are h36m17")


def test_humaneva_is_measured_person_by_person(here: Path) -> None:
    _model("humaneva.bin", num_joints_out=15)
    said = _done("humaneva.bin", "--data", "humaneva", "--csv", "e.csv")

    def far(*chunks: tuple[str, str]) -> float:
        joints = [HUMANEVA[s][a] for s, a in chunks]
        return 1000 * float(np.concatenate([np.linalg.norm(j - j[:, :1], axis=-1) for j in joints]).mean())

    one = far(("Validate/S1", "Walking 1 chunk0"), ("Validate/S1", "Walking 1 chunk2"))
    two = far(("Validate/S2", "Walking 1 chunk0"))
    box = far(("Validate/S2", "Box 1 chunk1"))
    average = (one + (two + box) / 2) / 2
    assert {r["name"]: float(r["mpjpe_mm"]) for r in _rows(by="subject and action", flip="no")} == (
        pytest.approx(
            {"Validate/S1 Walking": one, "Validate/S2 Walking": two, "Validate/S2 Box": box}, abs=1e-2
        )
    )
    (people,) = _rows(by="mean of subjects", flip="no")
    assert float(people["mpjpe_mm"]) == pytest.approx(average, abs=1e-2)
    text = said.splitlines()
    at = next(i for i, line in enumerate(text) if line.split() == ["Walk", "Walk", "Box"])
    assert text[at + 1].split() == ["S1", "S2", "S2", "Avg."]
    first = next(line.split() for line in text if "Protocol 1 MPJPE" in line)
    assert first[3:] == [f"{v:.1f}" for v in (one, two, box, average)]
    assert "humaneva.bin on HumanEva-I" in said
    assert "people: Validate/S1, Validate/S2 (" in said
    assert "recordings: 12 of 4 clips, 84 frames at 60 a second" in said  # each chunk is a clip
    said = _done("humaneva.bin", "--lifter-layout", "coco17", "--data", "humaneva", "--actions", "Gestures")
    assert "Gestures" in said
    box = _learned("humaneva")
    box["config"]["recordings"]["activities"] = ["Box"]
    _lifter("box.safetensors", box, joints=15, layout="coco17", rate=60.0)
    _done("box.safetensors", "--data", "humaneva", "--csv", "e.csv", "--overwrite")
    assert {r["name"] for r in _rows(by="subject and action")} == {"Validate/S2 Box"}
    message = _fails(
        UsageError,
        "humaneva.bin",
        "--lifter-layout",
        "coco17",
        "--data",
        "humaneva",
        "--subjects",
        "Train/S1",
    )
    assert "is usually trained on Train/S1" in message


def test_failed_spans_cut_a_clip_in_two(here: Path) -> None:
    world = _clips({("Validate/S1", "Box 1"): 30}, 15)
    world["Validate/S1"]["Box 1"][10:14, 4] = np.nan
    np.savez_compressed("humaneva/data_3d_humaneva15.npz", positions_3d=world)
    coco = {"Validate/S1": {"Box 1": [np.zeros((30, 17, 2), np.float32)] * 3}}
    _keypoints(Path("humaneva/data_2d_humaneva15_detectron_pt_coco.npz"), coco, COCO17, "coco")
    _model("humaneva.bin", num_joints_out=15)
    said = _done("humaneva.bin", "--data", "humaneva", "--csv", "e.csv")
    assert "recordings: 6 of 2 clips, 78 frames" in said
    assert {r["frames"] for r in _rows()} == {"78"}
    data = load_humaneva(
        "humaneva/data_3d_humaneva15.npz", "humaneva/data_2d_humaneva15_detectron_pt_coco.npz"
    )
    steps = np.concatenate(
        [np.linalg.norm(np.diff(r.pose, axis=0), axis=-1).mean(1) for r in data.recordings]
    )  # none of them from before a failure to after it
    assert len(steps) == 3 * (9 + 15)
    assert float(_rows(by="action", flip="no")[0]["mpjve_mm_per_frame"]) == pytest.approx(
        1000 * steps.mean(), abs=1e-3
    )


def test_lifters_that_do_not_fit_are_refused(here: Path) -> None:
    _model("h36m.bin")
    _model("humaneva.bin", num_joints_out=15)
    message = _fails(UsageError, "h36m.bin", "--data", "humaneva")
    assert message == "this lifter gives 17 joints, and the true poses have humaneva15's 15"
    assert "reads coco17" in _fails(UsageError, "humaneva.bin", "--data", "h36m", "-k", "gt")
    _lifter("rays.safetensors", input_space="rays")
    assert "read at 50" not in _done("rays.safetensors", "--data", "h36m", "-k", "gt")
    _lifter("slow.safetensors", input_space="centred", rate=30.0)
    assert "at 50 a second, read at 30, which the lifter is made for" in _done(
        "slow.safetensors", "--data", "h36m", "-k", "gt", "--csv", "e.csv"
    )
    assert {r["rate_hz"] for r in _rows()} == {"30"}


def test_several_data_sets_in_one_folder(here: Path) -> None:
    Path("all").mkdir()
    for path in [*Path("h36m").iterdir(), *Path("humaneva").iterdir()]:
        path.rename(f"all/{path.name}")
    _model("h36m.bin")
    result = _run("h36m.bin", "--data", "all", "-k", "cpn_ft_h36m_dbb")
    assert result.exit_code == 0, result.output
    assert "h36m.bin on Human3.6M" in result.stdout
    assert "HumanEva" not in result.stdout
    assert "left out: all/data_3d_humaneva15.npz: no --keypoints cpn_ft_h36m_dbb" in result.stderr


def test_other_files_are_not_taken_for_a_data_set(here: Path) -> None:
    _model("flat.bin")
    for content in ({"S9": {"Walking": np.zeros((4, 20, 3), np.float32)}}, {"S9": 3}, {}, 3):
        np.savez_compressed("data_3d_h36m.npz", positions_3d=content)
        message = _fails(InputError, "flat.bin", "--data", "data_3d_h36m.npz")
        assert "is not a file of 3D poses with Human3.6M's 32 or HumanEva-I's 15 joints" in message


def test_nothing_in_a_file_is_executed(here: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.write_text, (Path("owned"), "owned")

    _model("flat.bin")
    np.savez_compressed("data_3d_h36m.npz", positions_3d=np.array({"S9": Evil()}, dtype=object))
    _fails(InputError, "flat.bin", "--data", "data_3d_h36m.npz", "-k", "h36m/data_2d_h36m_gt.npz")
    assert not Path("owned").exists()


def test_the_paper_s_fifteen_actions_stand_in_its_order(here: Path) -> None:
    names = (
        "Directions Discussion Eating Greeting Phoning Photo Posing Purchases Sitting SittingDown Smoking "
        "Waiting WalkDog Walking WalkTogether"
    ).split()
    poses = _clips({("S9", name): 3 + i for i, name in enumerate(reversed(names))}, 32)
    np.savez_compressed("data_3d_h36m.npz", positions_3d=poses)
    _keypoints(Path("data_2d_h36m_gt.npz"), project_all(poses).positions, H36M17, "h36m")
    _model("flat.bin")
    said = _done("flat.bin", "--data", "data_3d_h36m.npz", "--csv", "e.csv")
    assert [r["name"] for r in _rows(by="action", flip="yes")] == names
    head = next(line.split() for line in said.splitlines() if line.strip().startswith("Dir."))
    assert (
        head
        == (
            "Dir. Disc. Eat Greet Phone Photo Pose Purch. Sit SitD. Smoke Wait WalkD. Walk WalkT. Avg."
        ).split()
    )
    first = next(line.split() for line in said.splitlines() if "Protocol 1 MPJPE" in line)
    assert len(first) == 3 + 16  # nothing is wrapped or cut
