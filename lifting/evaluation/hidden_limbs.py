"""Keypoints that are hidden from a lifter on purpose."""

from __future__ import annotations

import torch
from torch import Tensor

from ...skeleton import COCO17, H36M17
from ..cameras.input_space import visible_joints

_LEGS = "lknee rknee lankle rankle"
HIDDEN = {"legs": _LEGS, "hips to feet": f"lhip rhip {_LEGS}", "one arm": "lelbow lwrist"}
"""COCO17 keypoints that are hidden, by what they are together."""


def joints_left(hidden: str) -> Tensor:
    """Return which Human3.6M joints (17,) stay visible if an entry of `HIDDEN` is hidden."""
    keypoints = torch.ones(len(COCO17), dtype=torch.bool)
    keypoints[list(COCO17.indices(*HIDDEN[hidden].split()))] = False
    return visible_joints(keypoints)


def on_neighbours(rays: Tensor, visible: Tensor) -> Tensor:
    """Put hidden joints on their neighbour towards the hip, for lifters that read a place of every joint.

    Files of keypoints that leave some out are read like this. A hidden hip is put at the mean of the visible
    joints.

    Args:
        rays: (…, 17, 2), Human3.6M.
        visible: (…, 17) bool.
    """
    shown = visible[..., None]
    mean = (rays * shown).sum(-2) / shown.sum(-2).clamp(min=1)
    placed: list[Tensor] = []
    for joint, parent in enumerate(H36M17.parents):
        neighbour = mean if parent < 0 else placed[parent]
        placed.append(torch.where(shown[..., joint, :], rays[..., joint, :], neighbour))
    return torch.stack(placed, -2)
