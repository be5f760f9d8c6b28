"""What exiftool knows of a file's lens, where it is installed: it reads the makers' own formats."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SECONDS = 20.0
# Older ones could be made to run code by a file (CVE-2021-22204) or its name (CVE-2022-23935).
_OLDEST = (12, 38)


def focal_lengths(path: Path) -> Iterator[object]:
    """35 mm equivalent focal lengths in millimetres; none where exiftool is missing, old or too slow."""
    program = shutil.which("exiftool")
    if program is None or not _safe(program):
        return
    tags = ("-FocalLengthIn35mmFormat", "-FocalLength", "-ScaleFactor35efl")
    # an absolute path does not begin with a dash
    answer = _ask(program, "-json", "-n", "-api", "largefilesupport=1", *tags, str(path.absolute()))
    try:
        told = json.loads(answer)[0]
        yield told.get("FocalLengthIn35mmFormat")
        # of cameras whose sensor's size exiftool knows
        yield float(told["FocalLength"]) * float(told["ScaleFactor35efl"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return


@cache
def _safe(program: str) -> bool:
    version = re.fullmatch(r"(\d{1,4})\.(\d{1,4})\s*", _ask(program, "-ver"))
    return version is not None and (int(version[1]), int(version[2])) >= _OLDEST


def _ask(program: str, *arguments: str) -> str:
    """What the program says; nothing where it cannot be run or takes too long."""
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
