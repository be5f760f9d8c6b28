from pathlib import Path

import pytest

from videopose.detectors.movenet import MoveNet
from videopose.detectors.registry import DETECTORS, build
from videopose.errors import UsageError
from videopose.pipeline.assets import ASSETS, fetch


def test_builds_the_default():
    asked = []

    def remembering(name: str) -> Path:
        asked.append(name)
        return fetch(name)

    detector = build("movenet", fetch=remembering, device="cpu")
    assert isinstance(detector, MoveNet)
    assert detector.name == "movenet"
    assert sorted(asked) == sorted(DETECTORS["movenet"].assets)


def test_every_detector_is_described_and_its_assets_are_pinned():
    for name, entry in DETECTORS.items():
        assert name == name.lower()
        assert entry.summary
        assert "\n" not in entry.summary
        assert set(entry.assets) <= set(ASSETS)


def test_unknown_name():
    with pytest.raises(UsageError, match=r"no detector 'nosuch'.*movenet"):
        build("nosuch", fetch=fetch)
