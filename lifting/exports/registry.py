"""The export formats by name. A new one is a module with a function `encode`, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from ...errors import UsageError, shown
from .style import Style, Up

if TYPE_CHECKING:
    from .motion import Motion


Value = TypeVar("Value", bound=str)


@dataclass(frozen=True)
class Format:
    """A file format that motion can be exported to.

    Attributes:
        name: What `--format` calls it.
        suffix: The ending of its files.
        summary: What opens it, in a few words.
        module: The module of this package whose `encode(motions, style)` returns the file's bytes. If it has
            a function `require()`, that raises `UsageError` if something the format needs is not installed.
        one_each: Whether each person gets a file of their own.
        units: The units of length that it can have; the first is the default.
        up: The up axes that it can have; the first is the default.
        animation: Whether the file holds a rig and its rotations, instead of joint positions or angles. Then
            gaps are interpolated, so that every frame has a pose. Feet are locked by default.
    """

    name: str
    suffix: str
    summary: str
    module: str
    one_each: bool
    units: tuple[str, ...]
    up: tuple[Up, ...]
    animation: bool

    @property
    def encode(self) -> Callable[[Sequence[Motion], Style], bytes]:
        """The function that returns the bytes of a file. Loaded on demand, since it may need an extra."""
        function: Callable[[Sequence[Motion], Style], bytes] = self._module().encode
        return function

    def check_available(self) -> None:
        """Check that what the format needs is installed. Raises `UsageError`."""
        require = getattr(self._module(), "require", None)
        if require is not None:
            require()

    def _module(self) -> ModuleType:
        return import_module(f".{self.module}", __package__)

    def check_units(self, units: str | None) -> str:
        """Return the unit to use. Raises `UsageError` if the format cannot have it."""
        return _allowed("--units", units, self.units, self.name)

    def check_up(self, up: str | None) -> Up:
        """Return the up axis to use. Raises `UsageError` if the format cannot have it."""
        return _allowed("--up", up, self.up, self.name)


def _allowed(option: str, wanted: str | None, allowed: tuple[Value, ...], name: str) -> Value:
    for value in allowed:
        if wanted in (None, value):
            return value
    raise UsageError(f"{option} {wanted}: {name} files have {' or '.join(allowed)}; leave {option} out")


_ANY_UNIT = ("m", "cm", "mm")
_Y: tuple[Up, ...] = ("y", "z")
_Z: tuple[Up, ...] = ("z", "y")

FORMATS = {
    entry.name: entry
    for entry in (
        Format("bvh", ".bvh", "Blender, Maya, MotionBuilder", "bvh", True, ("cm", "m", "mm"), _Y, True),
        Format("glb", ".glb", "Blender, web viewers, game engines", "glb", False, ("m",), ("y",), True),
        Format("trc", ".trc", "OpenSim's markers", "trc", True, ("mm", "m"), _Y, False),
        Format("c3d", ".c3d", "motion-capture software", "c3d", True, ("mm", "cm", "m"), _Z, False),
        Format("mot", ".mot", "OpenSim's joint angles", "mot", True, ("m",), ("y",), False),
        Format(
            "angles",
            ".angles.csv",
            "joint angles in a spreadsheet",
            "angles_csv",
            False,
            _ANY_UNIT,
            _Y,
            False,
        ),
        Format("csv", ".csv", "joints in a spreadsheet", "joints_csv", False, _ANY_UNIT, _Z, False),
        Format("json", ".json", "joints in a program", "joints_json", False, _ANY_UNIT, _Z, False),
        Format("usd", ".usd", "film and game pipelines", "usd", False, _ANY_UNIT, _Y, True),
        Format("fbx", ".fbx", "game engines; needs Blender", "fbx", False, ("m",), ("y",), True),
        Format("npz", ".3d.npz", "VideoPose3D's layout", "npz", False, ("m",), ("z",), False),
    )
}
"""Every format by name, in the order that help texts list them."""


def find_format(name: str) -> Format:
    """Return a format by its name. Raises `UsageError` for an unknown one."""
    if name not in FORMATS:
        raise UsageError(f"unknown format {name!r}; expected one of {', '.join(FORMATS)}")
    return FORMATS[name]


def format_of(file: str) -> Format:
    """Return the format whose suffix a file's name ends in. Raises `UsageError` if there is none."""
    fitting = [each for each in FORMATS.values() if file.lower().endswith(each.suffix)]
    if not fitting:
        known = ", ".join(each.suffix for each in FORMATS.values())
        raise UsageError(f"cannot export to {shown(file)}: its name must end in one of {known}")
    return max(fitting, key=lambda each: len(each.suffix))
