"""C3D: marker positions in the binary file of motion-capture laboratories. Millimetres, z up.

Frame numbers count from 1 at the video's first frame. In a frame without a pose the markers are marked as
not seen (residual −1). Written by the library c3d: it is pure Python and needs numpy only, where ezc3d is a
compiled library of four megabytes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from ...errors import UsageError
from .markers import markers_of
from .motion import Motion
from .style import Style


def require() -> None:
    """Check that the library is installed. Raises `UsageError`."""
    if find_spec("c3d") is None:
        raise UsageError("C3D files need the library c3d: pip install 'videopose[c3d]'")


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return one person's markers as a C3D file."""
    import c3d

    (motion,) = motions
    names, positions = markers_of(motion)
    points = style.from_world(positions)
    writer = c3d.Writer(point_rate=motion.rate, analog_rate=0.0, point_scale=-1.0, point_units=style.units)
    writer.set_point_labels(names)
    writer.set_start_frame(int(motion.frames[0]) + 1)
    writer.set_screen_axis("+X", "+Y" if style.up == "y" else "+Z")
    for frame in points:
        seen = np.isfinite(frame).all(-1)
        # x, y, z, residual, cameras: 0 of an interpolated or computed point, −1 of one that is not seen.
        rows = np.zeros((len(names), 5), np.float32)
        rows[:, :3] = np.where(seen[:, None], frame, 0)
        rows[:, 3] = np.where(seen, 0, -1)
        writer.add_frames([(rows, np.zeros((0, 0)))])
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No analog data")  # there is none on purpose
        writer.write(data)
    return data.getvalue()
