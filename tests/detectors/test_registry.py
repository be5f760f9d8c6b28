from pathlib import Path

import pytest

from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.registry import DETECTORS, DetectorOptions, build
from videopose.errors import UsageError
from videopose.pipeline.downloads.assets import ASSETS, fetch


@pytest.mark.network
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


def test_an_option_that_a_detector_does_not_take():
    weights = DetectorOptions(weights=Path("weights.pth"))
    with pytest.raises(UsageError, match=r"movenet takes no --weights, which is for: mask-rcnn, cpn"):
        build("movenet", fetch=fetch, options=weights)
    with pytest.raises(UsageError, match=r"mask-rcnn takes no --flip-test"):
        build("mask-rcnn", fetch=fetch, options=DetectorOptions(flip_test=False))


def test_cpn_is_told_its_weights_and_who_finds_people():
    with pytest.raises(UsageError, match=r"cpn needs --weights FILE"):
        build("cpn", fetch=fetch)
    options = DetectorOptions(weights=Path("cpn.pth"), boxes="cpn")
    with pytest.raises(UsageError, match=r"--boxes takes another detector or a file"):
        build("cpn", fetch=fetch, options=options)


def test_every_options_name_is_one():
    known = set(DetectorOptions.__dataclass_fields__)
    for entry in DETECTORS.values():
        assert set(entry.options) <= known


def test_unknown_name():
    with pytest.raises(UsageError, match=r"no detector 'nosuch'.*movenet"):
        build("nosuch", fetch=fetch)
