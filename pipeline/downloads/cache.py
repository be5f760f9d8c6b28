"""The folder that keeps fetched and converted files."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ENVIRONMENT_VARIABLE = "VIDEOPOSE_CACHE"


def cache_folder() -> Path:
    """Return the folder that `VIDEOPOSE_CACHE` names, else videopose's folder in the user's cache."""
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("videopose", appauthor=False))


def keep_other_caches_inside() -> None:
    """Make matplotlib keep its list of fonts in the cache folder, not in the home folder."""
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
