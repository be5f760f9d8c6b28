"""Detectors of other packages, which they offer by entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from ..errors import UsageError
from .entry import BuildRequest, Entry
from .people import Detector

GROUP = "videopose.detectors"
"""The group of entry points. Each names an `Entry`."""


def plugins() -> list[Entry]:
    """Return the detectors that installed packages offer.

    A package that cannot be imported is listed too: its detector says why when it is built.
    """
    return [_load(point) for point in entry_points(group=GROUP)]


def _load(point: EntryPoint) -> Entry:
    try:
        entry = point.load()
    except Exception as error:  # a fault of another package must not stop the commands that do not use it
        return _broken(point, f"{type(error).__name__}: {error}")
    if not isinstance(entry, Entry):
        return _broken(point, f"expected videopose.detectors.entry.Entry, found {type(entry).__name__}")
    return entry


def _broken(point: EntryPoint, reason: str) -> Entry:
    package = point.dist.name if point.dist is not None else "another package"

    def build(request: BuildRequest) -> Detector:
        raise UsageError(f"the detector {point.name} of {package} ({point.value}) cannot be used: {reason}")

    return Entry(name=point.name, summary=f"of {package}, cannot be used", build=build)
