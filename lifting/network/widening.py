"""Widening a model that reads x and y of each joint to one that also reads which joints are visible."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_FIRST = "expand_conv.weight"


def with_visibility(weights: Mapping[str, Tensor], *, joints: int) -> dict[str, Tensor]:
    """Add a third input per joint to the first layer, with weights of 0.

    The outputs stay the same, whatever the third input is.

    Args:
        weights: State dict of a model that reads x and y of each joint.
        joints: Number of joints that the model reads.

    Returns:
        State dict of the widened model.

    Raises:
        ValueError: The model does not read two numbers per joint.
    """
    first = weights[_FIRST]
    channels, inputs, width = first.shape
    if inputs != 2 * joints:
        raise ValueError(f"expected a model that reads {2 * joints} numbers, found {inputs}")
    wider = torch.cat(
        [first.view(channels, joints, 2, width), first.new_zeros(channels, joints, 1, width)], 2
    )
    return {**weights, _FIRST: wider.reshape(channels, 3 * joints, width)}
