"""Read the focal length with exiftool, which supports the formats of camera makers, if it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Timer

from .known_camera import KnownCamera, by_equivalent_focal_length
from .stills import first_still

_SECONDS = 20.0
_MOST_BYTES = 1 << 20  # of its answer, which has a few hundred; a value in a file can be of any length
# In older versions a file (CVE-2021-22204) or its name (CVE-2022-23935) could run code.
_OLDEST = (12, 38)


def read_camera(path: Path, size: tuple[int, int]) -> KnownCamera | None:
    """Return the camera by exiftool's answer; a `CameraReader`."""
    return by_equivalent_focal_length(_focal_lengths(first_still(path) or path), size, "exiftool")


def _focal_lengths(path: Path) -> Iterator[object]:
    """35 mm equivalent focal lengths, millimetres; none if exiftool is missing, too old or too slow."""
    program = shutil.which("exiftool")
    if program is None or not _safe(program):
        return
    tags = ("-FocalLengthIn35mmFormat", "-FocalLength", "-ScaleFactor35efl")
    # The path is absolute, so that exiftool does not read it as an option.
    answer = _ask(program, "-json", "-n", "-api", "largefilesupport=1", *tags, str(path.absolute()))
    try:
        tags_of_file = json.loads(answer)[0]
        yield tags_of_file.get("FocalLengthIn35mmFormat")
        # exiftool gives this value if the size of the sensor is known.
        yield float(tags_of_file["FocalLength"]) * float(tags_of_file["ScaleFactor35efl"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return


@cache
def _safe(program: str) -> bool:
    """Whether the program is recent enough."""
    version = re.fullmatch(r"(\d{1,4})\.(\d{1,4})\s*", _ask(program, "-ver"))
    return version is not None and (int(version[1]), int(version[2])) >= _OLDEST


def _ask(program: str, *arguments: str) -> str:
    """Return the beginning of the program's output: what it wrote in time. Empty if it cannot be run."""
    try:
        with (
            subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process,
            _killed_late(process),
        ):
            assert process.stdout is not None
            return process.stdout.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""


@contextmanager
def _killed_late(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill a process that runs when the block ends, or for longer than `_SECONDS`."""
    clock = Timer(_SECONDS, process.kill)
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        process.kill()
