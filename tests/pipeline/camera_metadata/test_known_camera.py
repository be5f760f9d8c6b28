from math import inf, nan

import pytest

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.camera_metadata.known_camera import by_equivalent_focal_length, first_possible


def test_of_several_values_the_first_that_a_lens_can_have() -> None:
    assert first_possible([None, 0, "0", "wide", nan, inf, True, b"26", 1e9, " 26.30 MM", 50]) == 26.3
    assert first_possible(["24", 50]) == 24
    assert first_possible([26.299999237060547]) == pytest.approx(26.3)
    assert first_possible([]) is None


def test_the_source_is_said_with_the_focal_length() -> None:
    known = by_equivalent_focal_length(["0", "26.00mm"], (1920, 1080), "QuickTime metadata")
    assert known is not None
    assert known.lens == Lens(Intrinsics.from_35mm(26, (1920, 1080)))
    assert known.source == "QuickTime metadata: 26 mm (35 mm equivalent)"
    assert by_equivalent_focal_length([0, None], (1920, 1080), "EXIF of a.jpg") is None
