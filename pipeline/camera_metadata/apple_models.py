"""The angle of view of Apple's phones and tablets: a table by model.

The angles were measured across the longer side of 16:9 video of the main camera, one for each internal model
number. Another mode of the camera (a wide or a telephoto lens, a zoom, slow motion) has another angle, and
stabilisation makes it smaller.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class AppleModel(NamedTuple):
    """A model and its angle of view.

    Attributes:
        name: The public name, as files carry it.
        angle: Degrees across the longer side of 16:9 video.
        numbers: The internal model numbers.
    """

    name: str
    angle: float
    numbers: tuple[str, ...]


def apple_model(written: str) -> AppleModel | None:
    """Return the model by its public name or internal number, as a file carries it; None if it is unknown."""
    return _models().get(_plain(written))


@cache
def _models() -> dict[str, AppleModel]:
    """The models by their plain names and numbers. Of two with one name, the first."""
    by_name: dict[str, AppleModel] = {}
    for model in _MODELS:
        for name in (model.name, *model.numbers):
            by_name.setdefault(_plain(name), model)
    return by_name


def _plain(name: str) -> str:
    """A name without case, spaces and brackets; a comma in a number is kept."""
    return re.sub(r"[^a-z0-9,]", "", name.lower())


_MODELS = (
    AppleModel("iPad (6th generation)", 58.1, ("iPad7,5", "iPad7,6")),
    AppleModel("iPad (7th generation)", 58.1, ("iPad7,11", "iPad7,12")),
    AppleModel("iPad Pro (11-inch)", 64.9, ("iPad8,1", "iPad8,2", "iPad8,3", "iPad8,4")),
    AppleModel("iPad Pro (12.9-inch) (3rd generation)", 64.9, ("iPad8,5", "iPad8,6", "iPad8,7", "iPad8,8")),
    AppleModel("iPad Pro (11-inch) (2nd generation)", 65.2, ("iPad8,9", "iPad8,10")),
    AppleModel("iPad Pro (12.9-inch) (4th generation)", 65.2, ("iPad8,11", "iPad8,12")),
    AppleModel("iPad mini (5th generation)", 57.8, ("iPad11,1", "iPad11,2")),
    AppleModel("iPad Air (3rd generation)", 58, ("iPad11,3", "iPad11,4")),
    AppleModel("iPad (8th generation)", 57.9, ("iPad11,6", "iPad11,7")),
    AppleModel("iPad (9th generation)", 57.8, ("iPad12,1", "iPad12,2")),
    AppleModel("iPad Air (4th generation)", 65.4, ("iPad13,1", "iPad13,2")),
    AppleModel("iPad Pro (11-inch) (3rd generation)", 65.2, ("iPad13,4", "iPad13,5", "iPad13,6", "iPad13,7")),
    AppleModel(
        "iPad Pro (12.9-inch) (5th generation)", 65.2, ("iPad13,8", "iPad13,9", "iPad13,10", "iPad13,11")
    ),
    AppleModel("iPad Air (5th generation)", 65.1, ("iPad13,16", "iPad13,17")),
    AppleModel("iPad (10th generation)", 65.1, ("iPad13,18", "iPad13,19")),
    AppleModel("iPad mini (6th generation)", 65.2, ("iPad14,1", "iPad14,2")),
    AppleModel("iPad Pro (11-inch) (4th generation)", 64.8, ("iPad14,3", "iPad14,4")),
    AppleModel("iPad Pro (12.9-inch) (6th generation)", 64.8, ("iPad14,5", "iPad14,6")),
    AppleModel("iPad Air 11-inch (M2)", 65.1, ("iPad14,8", "iPad14,9")),
    AppleModel("iPad Air 13-inch (M2)", 65.1, ("iPad14,10", "iPad14,11")),
    AppleModel("iPad Air 11-inch (M3)", 65.4, ("iPad15,3", "iPad15,4")),
    AppleModel("iPad Air 13-inch (M3)", 65.4, ("iPad15,5", "iPad15,6")),
    AppleModel("iPad (A16)", 65.3, ("iPad15,7", "iPad15,8")),
    AppleModel("iPad mini (A17 Pro)", 65.3, ("iPad16,1", "iPad16,2")),
    AppleModel("iPad Pro 11-inch (M4)", 65.5, ("iPad16,3", "iPad16,4")),
    AppleModel("iPad Pro 13-inch (M4)", 65.5, ("iPad16,5", "iPad16,6")),
    AppleModel("iPad Air 11-inch (M4)", 65.4, ("iPad16,8", "iPad16,9")),
    AppleModel("iPad Air 13-inch (M4)", 65.4, ("iPad16,10", "iPad16,11")),
    AppleModel("iPad Pro 11-inch (M5)", 65.5, ("iPad17,1", "iPad17,2")),
    AppleModel("iPad Pro 13-inch (M5)", 65.5, ("iPad17,3", "iPad17,4")),
    AppleModel("iPhone 6s", 61.6, ("iPhone8,1",)),
    AppleModel("iPhone SE", 61.2, ("iPhone8,4",)),
    AppleModel("iPhone 8", 65.2, ("iPhone10,1", "iPhone10,4")),
    AppleModel("iPhone 8 Plus", 65.1, ("iPhone10,2",)),
    AppleModel("iPhone 8 Plus", 65.2, ("iPhone10,5",)),
    AppleModel("iPhone X", 65.6, ("iPhone10,3", "iPhone10,6")),
    AppleModel("iPhone XS", 70, ("iPhone11,2",)),
    AppleModel("iPhone XS Max", 70, ("iPhone11,4", "iPhone11,6")),
    AppleModel("iPhone XR", 70.6, ("iPhone11,8",)),
    AppleModel("iPhone SE (2nd generation)", 66, ("iPhone12,8",)),
    AppleModel("iPhone 12 mini", 69.5, ("iPhone13,1",)),
    AppleModel("iPhone 12", 70.8, ("iPhone13,2",)),
    AppleModel("iPhone 12 Pro", 70, ("iPhone13,3",)),
    AppleModel("iPhone 12 Pro Max", 67.8, ("iPhone13,4",)),
    AppleModel("iPhone 13 Pro", 70.4, ("iPhone14,2",)),
    AppleModel("iPhone 13 Pro Max", 70.4, ("iPhone14,3",)),
    AppleModel("iPhone 13 mini", 68.8, ("iPhone14,4",)),
    AppleModel("iPhone 13", 68.8, ("iPhone14,5",)),
    AppleModel("iPhone SE (3rd generation)", 65.9, ("iPhone14,6",)),
    AppleModel("iPhone 14", 69.8, ("iPhone14,7",)),
    AppleModel("iPhone 14 Plus", 69.8, ("iPhone14,8",)),
    AppleModel("iPhone 14 Pro", 73.8, ("iPhone15,2",)),
    AppleModel("iPhone 14 Pro Max", 73.8, ("iPhone15,3",)),
    AppleModel("iPhone 15", 69.5, ("iPhone15,4",)),
    AppleModel("iPhone 15 Plus", 69.5, ("iPhone15,5",)),
    AppleModel("iPhone 15 Pro", 73.8, ("iPhone16,1",)),
    AppleModel("iPhone 15 Pro Max", 73.8, ("iPhone16,2",)),
    AppleModel("iPhone 16 Pro", 73.5, ("iPhone17,1",)),
    AppleModel("iPhone 16 Pro Max", 73.5, ("iPhone17,2",)),
    AppleModel("iPhone 16", 69.4, ("iPhone17,3",)),
    AppleModel("iPhone 16 Plus", 69.4, ("iPhone17,4",)),
    AppleModel("iPhone 16e", 70.9, ("iPhone17,5",)),
    AppleModel("iPhone 17 Pro", 73.6, ("iPhone18,1",)),
    AppleModel("iPhone 17 Pro Max", 73.6, ("iPhone18,2",)),
    AppleModel("iPhone 17", 69.9, ("iPhone18,3",)),
    AppleModel("iPhone Air", 69.9, ("iPhone18,4",)),
    AppleModel("iPhone 17e", 70.8, ("iPhone18,5",)),
    AppleModel("iPod touch (7th generation)", 58.2, ("iPod9,1",)),
)
