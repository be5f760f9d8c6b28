import tracemalloc

import numpy as np
import pytest

from videopose.row_list import RowList


def test_rows_come_back_in_order_with_their_type() -> None:
    rows = RowList((2, 3), np.float32)
    assert rows.array().shape == (0, 2, 3)
    given = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    rows.append(given[0])
    rows.extend(given[1:4])
    rows.append(given[4].tolist())
    assert len(rows) == 5
    assert rows.array().dtype == np.float32
    np.testing.assert_array_equal(rows.array(), given)


def test_rows_of_no_numbers_are_counted() -> None:
    rows = RowList((0, 3), np.float32)
    rows.append(np.zeros((0, 3)))
    rows.append(np.zeros((0, 3)))
    assert rows.array().shape == (2, 0, 3)


def test_single_numbers() -> None:
    rows = RowList((), np.int64)
    rows.append(3)
    rows.append(-4)
    assert rows.array().tolist() == [3, -4]


@pytest.mark.parametrize("row", [np.zeros(2), np.zeros((1, 3)), np.float64(0)])
def test_a_row_of_another_shape_is_refused(row: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected rows \(3,\), found"):
        RowList((3,), np.float64).append(row)


def test_it_takes_hardly_more_memory_than_an_array() -> None:
    tracemalloc.start()
    rows = RowList((3, 3), np.float64)
    for _ in range(20_000):
        rows.append(np.eye(3))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1.3 * 20_000 * 72
