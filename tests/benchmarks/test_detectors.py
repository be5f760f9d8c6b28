import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
detectors = importlib.import_module("detectors")


def _frames() -> Iterator[np.ndarray]:
    generator = np.random.default_rng(0)
    while True:
        yield generator.integers(0, 255, (360, 640, 3), np.uint8)


def test_stages_share_out_all_the_time(monkeypatch):
    now = 0.0
    monkeypatch.setattr(detectors.time, "process_time", lambda: now)
    watch = detectors.Stopwatch()
    with watch.stage("network"):
        now = 1.0
        with watch.stage("decoding"):
            now = 3.0
        now = 3.5
    now = 4.5
    watch.switch("rest")
    assert watch.spent == {"reading": 0, "preparing": 0, "network": 1.5, "decoding": 2, "rest": 1}


@pytest.mark.slow
def test_mask_rcnn_is_nearly_all_network(tmp_path):
    """Published for the same network by torchvision: 59,137,258 parameters."""
    subject = detectors.build_mask_rcnn("R-50", tmp_path, short_side=200)
    assert subject.parameters == pytest.approx(59_137_258, rel=0.002)
    cost = detectors.measure(subject, _frames, 1)
    assert cost.outside < 0.1
    assert 10e9 < cost.multiply_adds < 60e9
    assert min(cost.milliseconds[stage] for stage in ("preparing", "network", "decoding")) > 0


@pytest.mark.slow
def test_cpn(tmp_path):
    subject = detectors.build_cpn(tmp_path, flip=False, size=(64, 64))
    cost = detectors.measure(subject, _frames, 1)
    twice = detectors.measure(detectors.build_cpn(tmp_path, flip=True, size=(64, 64)), _frames, 1)
    assert twice.multiply_adds == pytest.approx(2 * cost.multiply_adds)
    assert cost.parameters == pytest.approx(27.4e6, rel=0.01)
    assert min(cost.milliseconds.values()) > 0


@pytest.mark.network
def test_movenet():
    cost = detectors.measure(detectors.build_movenet(), _frames, 1)
    assert cost.milliseconds["network"] > 0
    assert cost.multiply_adds > 1e8
