import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from standing import STILL
from videopose.errors import InputError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.simulation.studio import TEST_SUBJECTS
from videopose.pipeline.progress import no_progress

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
reproduction = importlib.import_module("reproduction")
plan = importlib.import_module("reproduction_plan")
tables = importlib.import_module("reproduction_table")
training = importlib.import_module("reproduction_training")


TINY = plan.Run(
    "tiny",
    {"model.channels": 8, "schedule.batch": 64, "schedule.learning_rate": 0.01},
    epoch=2,
    tests=(plan.FLIPPED, plan.PLAIN, plan.TRUE),
    last_epochs=True,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of motion capture: everybody stands about and waves."""
    people = ("01", "03", *TEST_SUBJECTS)
    folder = tmp_path / "data"
    clips = []
    for number in range(len(people)):
        clip = np.broadcast_to(STILL, (60, 19, 3)).copy()
        clip[:, [12, 13], 2] += np.sin(np.arange(60) / (10 + number))[:, None] * (0.2, 0.4)
        clips.append(clip.astype(np.float32))
    MotionCapture(
        np.concatenate(clips),
        np.full(len(people), 60),
        50.0,
        *(tuple(people) for _ in range(4)),
    ).save(folder / "cmu.npz")
    return folder


def test_every_claim_is_planned() -> None:
    assert set(plan.ROWS) == {
        "temporal", "velocity", "receptive-field", "channels", "convolution", "flips", "chunk", "batch-norm",
        "keypoints", "padding",
    }  # fmt: skip

    def paper(row: str) -> list[float | None]:
        return [figure.paper for figure in plan.ROWS[row].figures]

    assert paper("temporal") == [51.8, 49.0, 46.8]
    assert paper("velocity") == [11.6, 2.8]
    assert paper("convolution") == [48.8, 50.4]
    assert paper("flips") == [46.8, 47.7, 49.2]
    assert plan.RECEPTIVE_FIELDS == (1, 9, 27, 81, 243)
    assert plan.CHANNELS == (128, 256, 512, 1024, 2048)
    assert plan.CHUNKS == (1, 2, 4, 8, 16, 32)


def test_every_figure_is_measured_and_nothing_else_trained() -> None:
    for row in plan.ROWS.values():
        for figure in row.figures:
            run = plan.RUNS[figure.run]
            assert figure.test in run.tests
            assert figure.metric in (*training.METRICS, "ends", "fluctuation")
            assert run.last_epochs or figure.metric != "fluctuation"
    assert plan.runs_of(plan.ROWS) == list(plan.RUNS.values())


def test_runs_are_what_their_names_say() -> None:
    configs = {name: run.config(5) for name, run in plan.RUNS.items()}
    base = configs["base"]
    for name, config in configs.items():
        schedule = config.schedule
        # the paper's optimisation
        assert (schedule.epochs, schedule.learning_rate, schedule.decay) == (plan.EPOCHS, 0.001, 0.95)
        assert schedule.momentum == 0.1
        assert schedule.final_momentum == (0.1 if name == "constant-momentum" else 0.001)
        assert config.model.dropout == 0.25
        assert (config.input_space, config.seed) == ("screen", 5)
        assert config.recordings.keypoints == ("gt" if name == "true-2d" else "simulated")
        assert config.recordings.flip == (name != "no-flips")
        assert config.recordings.padding == ("zero" if name == "zero-padding" else "replicate")
        assert config.model.causal == (name == "causal")
        assert config.model.dense == (name == "dense")
    assert base.model.filter_widths == (3, 3, 3)
    for run, figure, frames in zip(
        plan.runs_of({"": plan.ROWS["receptive-field"]}),
        sorted(plan.ROWS["receptive-field"].figures, key=lambda f: f.run != "base"),
        (27, 1, 9, 81, 243),
        strict=True,
    ):
        assert run.name == figure.run
        assert np.prod(configs[run.name].model.filter_widths) == frames
    for number in plan.CHANNELS:
        assert configs[f"channels-{number}"].model.channels == number
    for number in plan.CHUNKS:
        schedule = configs[f"chunk-{number}"].schedule
        assert (schedule.chunk, schedule.batch) == (number, 1024)


def test_a_run_from_motion_capture_to_errors(data: Path) -> None:
    work: list[float] = []
    result = training.perform(TINY, 1, data, count=work.append)
    assert result == json.loads(json.dumps(result))
    assert (result["run"], result["seed"], result["settings"]["seed"]) == ("tiny", 1, 1)
    assert set(result["errors"]) == set(TINY.tests)
    for values in result["errors"].values():
        assert 0 < values["p_mpjpe"] < values["mpjpe"] < 600  # untrained: about 450
        assert 0 < values["mpjve"] < 100
        assert values["ends"] > 0
    assert len(result["last_epochs_mpjpe"]) == training.LAST_EPOCHS
    fluctuation = result["errors"][plan.FLIPPED]["fluctuation"]
    assert fluctuation == pytest.approx(np.ptp(result["last_epochs_mpjpe"]) / 2, abs=0.001)
    assert sum(work) == pytest.approx(TINY.seconds)
    # the last epoch's is the model that is tested, before one camera
    assert result["last_epochs_mpjpe"][-1] == pytest.approx(result["errors"][plan.PLAIN]["mpjpe"], rel=0.5)


def test_results_are_kept_and_runs_resumed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results.csv"
    quick = replace(TINY, tests=(plan.FLIPPED,), last_epochs=False, epoch=1)
    monkeypatch.setitem(plan.RUNS, "tiny", quick)
    rows = {"row": plan.Row("row", "It runs", "", (plan.Figure("tiny", "tiny"),))}
    reproduction.carry_out(rows, [0, 1], data, results, jobs=1, progress=no_progress)
    written = results.stat().st_mtime_ns
    zero, one = reproduction.load(results)["tiny"]
    assert (zero["seed"], one["seed"]) == (0, 1)
    assert zero["errors"] != one["errors"]

    reproduction.carry_out(rows, [0, 1], data, results, jobs=1, progress=no_progress)
    assert results.stat().st_mtime_ns == written
    monkeypatch.setitem(plan.RUNS, "tiny", replace(quick, epoch=2))
    with pytest.raises(InputError, match="other settings"):
        reproduction.carry_out(rows, [0], data, results, jobs=1, progress=no_progress)


def test_chunk_sizes_are_timed(data: Path) -> None:
    assert training.chunk_speed(data, rounds=1, steps=4)["chunk-1"] > 0


def _result(run: str, seed: int, mpjpe: float) -> dict[str, Any]:
    values = dict.fromkeys((*training.METRICS, "ends", "fluctuation"), mpjpe)
    return {"run": run, "seed": seed, "errors": dict.fromkeys(plan.RUNS[run].tests, values)}


def test_the_table_stands_in_the_page(tmp_path: Path) -> None:
    results: dict[str, list[dict[str, Any]]] = {
        "base": [_result("base", seed, 90.0 + seed) for seed in range(3)],
        "frames-1": [_result("frames-1", 0, 100.0)],
        "chunk-1": [_result("chunk-1", 0, 100.0)],
        "chunk-32": [_result("chunk-32", 0, 120.0)],
        "chunk-speed": [{"run": "chunk-speed", "milliseconds": {f"chunk-{n}": 30 / n for n in plan.CHUNKS}}],
    }
    page, picture = tmp_path / "page.md", tmp_path / "images" / "picture.png"
    page.write_text(f"Before.\n{tables.BEGIN}\nold\n{tables.END}\nAfter.\n")
    for _ in range(2):  # and again over itself
        tables.write(results, page=page, picture=picture)
    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith(f"{tables.END}\nAfter.\n")
    assert "old" not in text
    lines = text.splitlines()
    (temporal,) = [line for line in lines if line.startswith("|  | temporal | 46.8 ")]
    assert temporal.startswith("|  | temporal | 46.8 (−9.7 %) | 91.0 ± 1.0 (−9.0 %) | 27 frames; ")
    assert "|  | causal | 49.0 (−5.4 %) | – |  |" in lines
    assert "|  | 32 frames | – | 120.0 (+20.0 %); 32.00 × the speed |  |" in lines
    figures = sum(len(row.figures) for row in plan.ROWS.values())
    assert sum(line.startswith("|") for line in lines) == figures + 2
    assert picture.read_bytes().startswith(b"\x89PNG")

    page.write_text("no place")
    with pytest.raises(InputError, match="no lines"):
        tables.write(results, page=page, picture=picture)


def test_the_documentation_has_a_place_for_the_table() -> None:
    text = tables.PAGE.read_text(encoding="utf-8")
    assert text.index(tables.BEGIN) < text.index(tables.END)
    assert tables.PICTURE.name in text
