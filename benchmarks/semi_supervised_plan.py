"""The training runs of benchmarks/semi_supervised.py: which labels, which losses, which schedule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reproduction_plan import changed_settings

from videopose.semi.config import SemiRecordedConfig, load_recorded_recipe

RECIPE = Path(__file__).parents[1] / "configs" / "semi" / "studio.yaml"
EPOCH = 100  # steps; the recipe says how many epochs
SHARES = (0.01, 0.03, 0.1, 1.0)
_NO_VIEWS = {"semi.view_consistency": 0}
METHODS: dict[str, dict[str, Any]] = {
    "labels alone": {"semi.reprojection": 0, "semi.bones": 0, "semi.bone_consistency": 0, **_NO_VIEWS},
    "without bones": {"semi.bones": 0, "semi.bone_consistency": 0, **_NO_VIEWS},
    "with footage": {"semi.bone_consistency": 0, **_NO_VIEWS},
    "steady bones": _NO_VIEWS,
    "second views": {},
}
"""Name → changes of the recipe."""

DETECTED = 5
"""The weight of reprojection to a detector's keypoints, which are less exact."""

KEYPOINTS = {"gt": "True keypoints", "simulated": "Simulated detections"}

EFFECTS = {
    "mean lengths (`bones`)": ("without bones", "with footage"),
    "constant lengths (`bone_consistency`)": ("with footage", "steady bones"),
    "second views (`view_consistency`)": ("steady bones", "second views"),
}
"""A term → the methods without it and with it."""

_SHORT = {
    "schedule.epochs": 25,
    "schedule.decay": 0.846,
    "schedule.learning_rate": 1e-3,
    "model.dropout": 0.25,
}
_LONG = {"schedule.epochs": 75, "schedule.decay": 0.946}


def schedule(share: float, *, footage: bool) -> dict[str, Any]:
    """Return the changes of schedule and dropout for a share of labels.

    Few labels alone over-fit and are trained shorter, more are trained longer. All labels have as many steps
    with footage as alone.
    """
    if footage:
        return _LONG if share == SHARES[-1] else {}
    return _SHORT if share == SHARES[0] else _LONG


@dataclass(frozen=True)
class Run:
    """One training."""

    keypoints: str
    share: float
    method: str
    seed: int

    @property
    def name(self) -> str:
        """Name that all its seeds share."""
        return f"{self.keypoints}-{100 * self.share:g}pc-{self.method.replace(' ', '-')}"

    def config(self) -> SemiRecordedConfig:
        """Return the recipe of this run. True keypoints are the joints of the poses, all are compared."""
        changes = {
            "name": self.name,
            "seed": self.seed,
            "recordings.keypoints": self.keypoints,
            "recordings.subset": self.share,
            "semi.joints": "all" if self.keypoints == "gt" else "limbs",
        }
        if self.keypoints == "simulated":
            changes["semi.reprojection"] = DETECTED
        elif self.method == "second views":
            changes["semi.view_noise"] = 0  # as exact as the footage's own keypoints
        changes |= schedule(self.share, footage=self.method != "labels alone")
        return load_recorded_recipe(RECIPE, changes | METHODS[self.method])

    def settings(self) -> dict[str, Any]:
        """Return all that the result depends on, beside the data."""
        return {"epoch": EPOCH, **changed_settings(self.config())}
