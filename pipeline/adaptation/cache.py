"""Keep adapted lifters in the cache folder, by a hash of everything that they depend on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ...errors import InputError, OutputError
from ...lifting.inference.lifter import Lifter
from ...semi.adaptation import AdaptationConfig
from ...semi.spans import Span
from ..downloads.cache import cache_folder

_VERSION = 2  # of the method; to be increased when the same inputs give another lifter
_KEPT = 20  # adapted lifters, of 12 MB each; those that were used longest ago are removed


def key(lifter: Lifter, spans: Sequence[Span], config: AdaptationConfig) -> str:
    """Return a hash of the starting lifter, the tracks and the settings."""
    hashed = hashlib.sha256()
    settings = [_VERSION, lifter.digest(), lifter.input_space, lifter.rate, config.model_dump(mode="json")]
    hashed.update(json.dumps(settings).encode())
    for span in spans:
        camera = [span.camera.fx, span.camera.fy, span.camera.cx, span.camera.cy]
        hashed.update(json.dumps([Path(span.name).name, span.track, camera, list(span.size)]).encode())
        for values in (span.keypoints, span.filled, span.times):
            hashed.update(np.ascontiguousarray(values).tobytes())
    return hashed.hexdigest()


def cached(digest: str) -> Lifter | None:
    """Return the lifter that was kept under a hash; None if there is none, or it is damaged."""
    path = _path(digest)
    try:
        lifter = Lifter.load(path)
        os.utime(path)
    except (InputError, OSError):
        return None
    return lifter


def keep(lifter: Lifter, digest: str, report: Callable[[str], None]) -> Lifter:
    """Write a lifter to the cache, and return it as it will be read from there.

    If the cache cannot be written, the user is told, and the lifter is returned as it is.
    """
    path = _path(digest)
    try:
        lifter.save(path, dtype="float16")
        _remove_oldest(path.parent)
        return Lifter.load(path)
    except (InputError, OutputError, OSError) as error:
        report(f"note: the adapted lifter cannot be kept for later runs ({error})")
        return lifter


def _path(digest: str) -> Path:
    return cache_folder() / "adapted" / f"{digest[:32]}.safetensors"


def _remove_oldest(folder: Path) -> None:
    used = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in used[_KEPT:]:
        with contextlib.suppress(OSError):  # another process removed it
            path.unlink()
