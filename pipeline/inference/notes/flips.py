"""Tell users of a lifter that was trained with averaged flips where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...progress import say

if TYPE_CHECKING:
    from ....lifting.inference.lifter import Lifter


def say_without_flips(lifter: Lifter, name: str, *, flip: bool = True, learns: bool = False) -> None:
    """Say a note if a lifter that needs flip augmentation is used without it.

    Args:
        lifter: The lifter.
        name: Its name or file.
        flip: Whether it lifts with flip augmentation.
        learns: Whether it learns from footage, which is without flips.
    """
    if not lifter.needs_flips or (flip and not learns):
        return
    why = "learning from footage has none; begin with another --lifter" if learns else "leave --no-flip out"
    say(f"note: {name} was trained with averaged flips and needs them: {why}")
