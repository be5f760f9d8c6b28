"""NPZ in the layout of VideoPose3D's `data_3d_*.npz` files. Metres, z up.

`positions_3d` is {title: {"track ID": (F, 17, 3) float32}}; numpy reads it with `allow_pickle=True`. Row 0
is the person's first frame; NaN in frames without a pose. `fps` is the frame rate.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from .motion import Motion
from .style import Style


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's joints as VideoPose3D has them."""
    actions = {f"track {each.id}": style.from_world(each.joints).astype(np.float32) for each in motions}
    data = io.BytesIO()
    positions = np.array({style.title: actions}, dtype=object)
    np.savez_compressed(data, positions_3d=positions, fps=np.array(motions[0].rate))
    return data.getvalue()
