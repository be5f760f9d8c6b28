import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from videopose.errors import InputError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.pipeline.adaptation import adapt_lifter, cache
from videopose.pipeline.progress import no_progress
from videopose.semi.adaptation import AdaptationConfig, Adapted
from videopose.semi.spans import Span

adapting = sys.modules[adapt_lifter.__module__]


def _span(seed: int = 0) -> Span:
    keypoints = np.random.default_rng(seed).random((5, 17, 3)).astype(np.float32)
    camera = Intrinsics(900.0, 900.0, 640.0, 360.0)
    return Span("folder/a.mp4", 0, keypoints, np.zeros(5, bool), np.arange(5) / 25, camera, (1280, 720))


@pytest.fixture
def lifter() -> Lifter:
    model = TemporalModel(filter_widths=(3,), channels=4).eval()
    return Lifter(model, "h36m17", "centred", 25.0, about={"licence": "MIT"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path))
    return tmp_path / "adapted"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each adaptation; each gives new weights."""
    done: list[int] = []

    def adapt(lifter: Lifter, spans: Sequence[Span], config: AdaptationConfig, report: object) -> Adapted:
        done.append(len(spans))
        return Adapted(
            replace(lifter, model=TemporalModel(filter_widths=(3,), channels=4).eval()), 5.0, 7, 0.1
        )

    monkeypatch.setattr(adapting, "adapt", adapt)
    return done


def _adapt(lifter: Lifter, *spans: Span) -> tuple[Lifter, list[str]]:
    said: list[str] = []
    return adapt_lifter(lifter, spans, progress=no_progress, report=said.append), said


def test_a_second_run_takes_the_adapted_lifter_from_the_cache(lifter: Lifter, calls: list[int]) -> None:
    first, said = _adapt(lifter, _span())
    assert said == []
    record = first.about["adaptation"]
    assert record["done"] is True
    assert record["from_lifter_sha256"] == lifter.digest() != first.digest()
    assert (record["videos"], record["tracks"], record["steps"]) == (["a.mp4"], 1, 7)
    assert first.about["licence"] == "MIT"
    again, said = _adapt(lifter, _span())
    assert (again.digest(), again.about) == (first.digest(), first.about)
    assert "before" in said[0]
    assert len(calls) == 1


def test_other_inputs_are_adapted_to_anew(lifter: Lifter, calls: list[int]) -> None:
    other = replace(lifter, model=TemporalModel(filter_widths=(3,), channels=4).eval())
    moved = replace(_span(), camera=Intrinsics(901.0, 900.0, 640.0, 360.0))
    for start, spans in ((lifter, [_span()]), (other, [_span()]), (lifter, [moved]), (lifter, [_span(1)])):
        _adapt(start, *spans)
    _adapt(lifter, _span(), _span(1))
    assert calls == [1, 1, 1, 1, 2]


def test_a_damaged_file_is_made_again(lifter: Lifter, calls: list[int], folder: Path) -> None:
    _adapt(lifter, _span())
    [path] = folder.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    _adapt(lifter, _span())
    assert len(calls) == 2
    assert _adapt(lifter, _span())[1] != []


def test_the_lifters_used_longest_ago_are_removed(
    lifter: Lifter, calls: list[int], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_KEPT", 2)
    for seed in range(4):
        _adapt(lifter, _span(seed))
    assert len(list(folder.iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_told(
    lifter: Lifter, calls: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path / "file"))
    adapted, said = _adapt(lifter, _span())
    assert adapted.about["adaptation"]["done"]
    assert "cannot be kept" in said[0]


def test_poor_footage_is_told_and_lifted_as_usual(lifter: Lifter, monkeypatch: pytest.MonkeyPatch) -> None:
    def adapt(*_: object, **__: object) -> Adapted:
        raise InputError("people are seen well for 1.0 s")

    monkeypatch.setattr(adapting, "adapt", adapt)
    same, said = _adapt(lifter, _span())
    assert same.digest() == lifter.digest()
    assert same.about["adaptation"] == {"done": False, "reason": "people are seen well for 1.0 s"}
    assert said == ["note: the lifter is not adapted: people are seen well for 1.0 s"]
