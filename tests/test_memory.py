"""The measurement that other tests rely on."""

import sys

import numpy as np
import pytest
import torch
from memory import with_memory

_BYTES = 50 << 20


def test_numpys_memory_is_counted_also_after_a_higher_peak() -> None:
    assert np.ones(4 * _BYTES, np.uint8).all()  # earlier, and gone
    freed, grown = with_memory(lambda: int(np.ones(_BYTES, np.uint8).sum()))
    assert freed == _BYTES
    assert _BYTES <= grown < 1.2 * _BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak when it is told to")
def test_memory_of_libraries_is_counted_also_after_a_higher_peak() -> None:
    assert torch.ones(4 * _BYTES, dtype=torch.uint8).all()
    total, grown = with_memory(lambda: int(torch.ones(_BYTES, dtype=torch.uint8)[::4096].sum()))
    assert total == _BYTES // 4096
    assert 0.9 * _BYTES < grown < 1.5 * _BYTES


def test_little_is_little() -> None:
    assert with_memory(lambda: len("abc"))[1] < 5 << 20
