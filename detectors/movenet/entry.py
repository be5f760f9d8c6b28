"""MoveNet's entry in the registry."""

from __future__ import annotations

from ..entry import BuildRequest, Entry
from ..people import Detector

_MULTIPOSE = ("movenet-multipose.json", "movenet-multipose.bin")
_THUNDER = ("movenet-thunder.json", "movenet-thunder.bin")


def _build(request: BuildRequest) -> Detector:
    from .detector import MoveNet

    multipose, thunder = (
        (request.fetch(topology), request.fetch(weights)) for topology, weights in (_MULTIPOSE, _THUNDER)
    )
    return MoveNet(multipose=multipose, thunder=thunder, cache=request.cache, device=request.device)


MOVENET = Entry(
    name="movenet",
    summary="fast on a CPU, nothing to install (the default)",
    build=_build,
    assets=(*_MULTIPOSE, *_THUNDER),
)
