import numpy as np

from videopose.lifting.vectors import unit


def test_vectors_of_length_1_keep_their_direction() -> None:
    found = unit(np.array([[[3.0, 0, 4]], [[0, -2, 0]]]))
    np.testing.assert_allclose(found, [[[0.6, 0, 0.8]], [[0, -1, 0]]])


def test_no_direction_stays_none() -> None:
    found = unit(np.array([[0, 0, 0], [np.nan, 0, 0]], np.float32))
    assert found.dtype == np.float64
    assert (found[0] == 0).all()
    assert np.isnan(found[1]).all()
