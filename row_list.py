"""A list of equally shaped rows of numbers that takes hardly more memory than one array of them."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


class RowList:
    """Rows of numbers, collected one by one.

    A list of small arrays takes 100 bytes and more for each, beside its numbers. For what is measured on
    every frame of a long video that is most of the memory.

    Args:
        shape: Shape of a row.
        dtype: Number type.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._bytes = array("B")  # grows in place where the system can do that, unlike NumPy's arrays
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, row: ArrayLike) -> None:
        """Add a row.

        Raises:
            ValueError: It has another shape.
        """
        self.extend(np.asarray(row, self._dtype)[None])

    def extend(self, rows: NDArray[Any]) -> None:
        """Add several rows (n, …).

        Raises:
            ValueError: They have another shape.
        """
        if rows.shape[1:] != self._shape:
            raise ValueError(f"expected rows {self._shape}, found {rows.shape[1:]}")
        self._bytes.frombytes(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._count += len(rows)

    def array(self) -> NDArray[Any]:
        """Return all rows, (n, …), without a copy. As long as the result is in use, no row can be added."""
        return np.frombuffer(self._bytes, self._dtype).reshape(self._count, *self._shape)
