"""JSON of joint positions: one object with a table of rows, one a person, frame and joint. Metres, z up.

Keys: title; rate (frames a second); units; up (the axis that points up); joints and parents (Human3.6M's 17,
and the index of each one's parent, −1 for the first; then heels and toes, if someone's are known); columns;
rows. Columns as in CSV. Frames without a pose are left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ...skeleton import H36M17
from ..world.feet import PARTS
from .motion import Motion
from .rows import columns, joint_names, rows
from .style import Style

_FEET_PARENTS = [H36M17.index(side + "foot") for side in "lr" for _ in PARTS]


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's joints as JSON."""
    names = max(map(joint_names, motions), key=len)
    document = {
        "title": style.title,
        "rate": motions[0].rate,
        "units": style.units,
        "up": style.up,
        "joints": names,
        "parents": (*H36M17.parents, *_FEET_PARENTS)[: len(names)],
        "columns": columns(style),
        "rows": list(rows(motions, style)),
    }
    return json.dumps(document, separators=(",", ":")).encode("utf-8")
