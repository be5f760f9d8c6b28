"""The detectors by name.

A new detector is a folder with an `entry.py`, and its name in `_OWN`. Other packages add theirs by entry
points, see `plugins.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..errors import UsageError
from .cpn.entry import CPN
from .entry import BuildRequest, DetectorOptions, Entry, Fetch
from .mask_rcnn.entry import MASK_RCNN
from .movenet.entry import MOVENET
from .people import Detector
from .plugins import plugins
from .rtmpose.entry import RTMPOSE

__all__ = ["DEFAULT", "DETECTORS", "DetectorOptions", "Fetch", "build", "check_name"]

_OWN = (MOVENET, MASK_RCNN, CPN, RTMPOSE)

_NAMES = {entry.name for entry in _OWN}  # other packages cannot replace these

DETECTORS: Mapping[str, Entry] = MappingProxyType(
    {entry.name: entry for entry in (*_OWN, *plugins()) if entry in _OWN or entry.name not in _NAMES}
)

DEFAULT = MOVENET.name


def check_name(name: str) -> None:
    """Raise `UsageError` if there is no detector called `name`."""
    if name not in DETECTORS:
        raise UsageError(f"there is no detector {name!r}; the known ones are: {', '.join(DETECTORS)}")


def build(
    name: str,
    *,
    fetch: Fetch,
    device: str = "cpu",
    options: DetectorOptions | None = None,
    cache: Path | None = None,
) -> Detector:
    """Make the detector called `name`.

    Args:
        name: A key of `DETECTORS`.
        fetch: Returns the path of a pinned file. A missing file is fetched first.
        device: "cpu" or "cuda".
        options: The options to set. The others have the detector's defaults.
        cache: The folder for files that a detector makes once and reuses; None to keep none.

    Raises:
        UsageError: There is no such detector, or it does not take one of the options.
        VideoposeError: The detector cannot be made; see the detector.
    """
    check_name(name)
    options = options or DetectorOptions()
    entry = DETECTORS[name]
    for option in options.given():
        if option not in entry.options:
            takers = ", ".join(other for other, its in DETECTORS.items() if option in its.options)
            spelt = option.replace("_", "-")
            raise UsageError(f"the detector {name} takes no --{spelt}, which is for: {takers}")

    def other(name: str) -> Detector | None:
        return build(name, fetch=fetch, device=device, cache=cache) if name in DETECTORS else None

    return entry.build(BuildRequest(fetch=fetch, device=device, options=options, cache=cache, other=other))
