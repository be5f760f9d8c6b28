"""videopose: turn ordinary video of people into their 3D motion.

The public names are attributes of this module. Each is loaded when it is first used, so that `import
videopose` is fast.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import (
        AssetError,
        InputError,
        NoPeopleError,
        OutputError,
        UsageError,
        VideoposeError,
    )
    from .lifting.cameras.distortion import Lens
    from .lifting.cameras.intrinsics import Intrinsics
    from .lifting.inference.lifter import LiftedTrack, Lifter
    from .lifting.inference.live import LiveFrame, LiveLifter
    from .lifting.inference.pretrained import load_lifter
    from .lifting.network.temporal_model import TemporalModel
    from .lifting.pose_table import PoseTable
    from .pipeline.api.exports import JointAngles, angles, export
    from .pipeline.api.live import live
    from .pipeline.api.motion import detect, infer, lift
    from .pipeline.api.pictures import compare, render, view
    from .pipeline.live.live_poses import LivePerson, LivePoses
    from .skeleton import Skeleton

__all__ = [
    "AssetError",
    "InputError",
    "Intrinsics",
    "JointAngles",
    "Lens",
    "LiftedTrack",
    "Lifter",
    "LiveFrame",
    "LiveLifter",
    "LivePerson",
    "LivePoses",
    "NoPeopleError",
    "OutputError",
    "PoseTable",
    "Skeleton",
    "TemporalModel",
    "UsageError",
    "VideoposeError",
    "angles",
    "compare",
    "detect",
    "export",
    "infer",
    "lift",
    "live",
    "load_lifter",
    "render",
    "view",
]

_MODULES = {
    "errors": (
        "AssetError",
        "InputError",
        "NoPeopleError",
        "OutputError",
        "UsageError",
        "VideoposeError",
    ),
    "lifting.cameras.distortion": ("Lens",),
    "lifting.cameras.intrinsics": ("Intrinsics",),
    "lifting.inference.lifter": ("LiftedTrack", "Lifter"),
    "lifting.inference.live": ("LiveFrame", "LiveLifter"),
    "lifting.inference.pretrained": ("load_lifter",),
    "lifting.network.temporal_model": ("TemporalModel",),
    "lifting.pose_table": ("PoseTable",),
    "pipeline.api.exports": ("JointAngles", "angles", "export"),
    "pipeline.api.live": ("live",),
    "pipeline.api.motion": ("detect", "infer", "lift"),
    "pipeline.api.pictures": ("compare", "render", "view"),
    "pipeline.live.live_poses": ("LivePerson", "LivePoses"),
    "skeleton": ("Skeleton",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A module whose attribute `render` is always the function, although a folder has the same name.

    When Python imports the folder, it sets the attribute to the folder's module. The setter ignores this.
    """

    @property
    def render(self) -> object:
        return __getattr__("render")

    @render.setter
    def render(self, value: object) -> None:
        pass


sys.modules[__name__].__class__ = _Package
