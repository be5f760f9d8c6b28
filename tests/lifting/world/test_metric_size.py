import numpy as np
import pytest

from videopose.errors import UsageError
from videopose.lifting.world.metric_size import scale_to_height, stature


def test_the_scene_is_scaled_with_the_person(walk, film) -> None:
    table = film([walk(), walk(3.0, start=(2, 0))], np.eye(3), (0, -4, 1))
    assert 160 < stature(table, 0) < 185
    scaled = scale_to_height(table, 178)
    assert stature(scaled, 0) == pytest.approx(178, abs=0.1)
    factor = 178 / stature(table, 0)
    np.testing.assert_allclose(scaled.root, table.root * factor, rtol=1e-5)
    assert scaled.meta["height"] == {
        "track": 0,
        "centimetres": 178,
        "scaled_by": pytest.approx(factor, abs=1e-4),
    }
    assert scale_to_height(table, 178, track=1).meta["height"]["track"] == 1


def test_what_cannot_be_scaled(walk, film) -> None:
    table = film([walk()], np.eye(3), (0, 0, 0))
    for height in (1.78, 400, float("nan")):
        with pytest.raises(UsageError, match="expected 50 to 250 centimetres"):
            scale_to_height(table, height)
    with pytest.raises(UsageError, match="no poses to measure"):
        scale_to_height(table[:0], 178)
    with pytest.raises(UsageError, match="person 7 has no pose"):
        scale_to_height(table, 178, track=7)
