"""Long sequences in parts."""

import numpy as np
import pytest

from videopose import parts


@pytest.mark.parametrize("frames", [0, 1, 9, 10, 11, 25])
def test_parts_give_what_the_whole_gives(frames, monkeypatch):
    monkeypatch.setattr(parts, "PART", 10)
    values, flags = np.arange(2.0 * frames).reshape(frames, 2), np.arange(frames) % 3 == 0
    seen = []

    def function(some, shown):
        seen.append(len(some))
        return np.where(shown[:, None], some, -some)

    result = parts.in_parts(function, values, flags)
    np.testing.assert_array_equal(result, np.where(flags[:, None], values, -values))
    assert result.shape == values.shape
    assert max(seen) <= 10


def test_computed_rows_are_computed_when_they_are_read(monkeypatch):
    monkeypatch.setattr(parts, "PART", 4)
    values, flags = np.arange(10.0), np.arange(10) % 3 == 0
    rows = parts.ComputedRows(lambda some, shown: np.where(shown, some, -some), values, flags)
    assert len(rows) == 10
    np.testing.assert_array_equal(rows[np.array([0, 0, 4, 9])], [0, 0, -4, 9])
    np.testing.assert_array_equal(rows.array(), np.where(flags, values, -values))
