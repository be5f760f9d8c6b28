"""Axes and units of exported files: conversions from the world (metres, x right, y forward, z up)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Z_UP_TO_Y_UP: NDArray[np.float64] = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float64)
"""(3, 3): from z up to y up, a quarter turn about x; y up has x right and z towards the camera."""

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
"""How many metres each unit of length is."""
