"""The detectors by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..errors import UsageError
from .people import Detector

Fetch = Callable[[str], Path]
"""The name of an asset → where it lies, fetched if need be."""


@dataclass(frozen=True)
class Entry:
    """A detector that can be asked for.

    summary: one line for `--help`. assets: names of what it fetches. build: makes it from a way to fetch
    assets and a device ("cpu" or "cuda").
    """

    summary: str
    assets: tuple[str, ...]
    build: Callable[[Fetch, str], Detector]


def _movenet(fetch: Fetch, device: str) -> Detector:
    from .movenet import MoveNet  # loads onnxruntime, which `--help` need not wait for

    return MoveNet(
        multipose=(fetch("movenet-multipose.json"), fetch("movenet-multipose.bin")),
        thunder=(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")),
        device=device,
    )


DEFAULT = "movenet"

DETECTORS: Mapping[str, Entry] = MappingProxyType(
    {
        "movenet": Entry(
            "MoveNet MultiPose and Thunder: fast on a CPU, nothing to install (the default)",
            (
                "movenet-multipose.json",
                "movenet-multipose.bin",
                "movenet-thunder.json",
                "movenet-thunder.bin",
            ),
            _movenet,
        ),
    }
)


def build(name: str, *, fetch: Fetch, device: str = "cpu") -> Detector:
    """Make the detector called `name`; raises `UsageError` naming the known ones where there is none."""
    if name not in DETECTORS:
        raise UsageError(f"there is no detector {name!r}; the known ones are: {', '.join(DETECTORS)}")
    return DETECTORS[name].build(fetch, device)
