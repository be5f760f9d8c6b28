"""Read the pose tables that commands are given, and say what a file is that is none."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..lifting.pose_table import PoseTable
from .inputs import VIDEO_SUFFIXES
from .paths import DETECTED_SUFFIX, TABLE_SUFFIX, base_name
from .picture_files import PICTURE_SUFFIXES

_HEAD = 200  # bytes that tell the kind of a file
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"avif")  # of files that begin as MP4 does
_UNQUOTED = re.compile(r"[\w.:/\\-]+")  # words that cmd.exe needs no quotes for
_KINDS = {
    "an export": (".bvh", ".glb", ".fbx", ".usda", ".usdc", ".usd", ".trc", ".c3d", ".mot", ".csv"),
    "a page": (".html", ".htm"),
    "a file of keypoints or of a camera, or an export": (".json",),
    "a lifter or another network": (".safetensors", ".bin", ".pt", ".pth", ".pkl", ".onnx"),
    "a picture": (*PICTURE_SUFFIXES, ".heic", ".avif"),
}


def load_table(path: str | os.PathLike[str], *, infer_options: str = "") -> PoseTable:
    """Read a pose table.

    Args:
        path: The file.
        infer_options: What `videopose infer` should be given too, if the file is a video: "--view".

    Raises:
        InputError: The file is missing, or is not a pose table. If it is of another known kind, such as a
            video, the message says so, and what to do with it.
    """
    check_kind(path, infer_options=infer_options)
    return PoseTable.load(path)


def check_has_poses(path: str | os.PathLike[str], table: PoseTable) -> None:
    """Raise `InputError`, which names the file, if a table has no poses."""
    if not len(table):
        raise InputError(f"{path}: the table has no rows: there are no people in it")
    if not np.isfinite(table.pose).any():
        raise InputError(f"{path}: the table has no poses; `videopose lift` makes them")


def check_kind(path: str | os.PathLike[str], *, infer_options: str = "") -> None:
    """Raise `InputError` if a file is of another known kind than a pose table; see `load_table`."""
    if told := _told(Path(path), infer_options):
        raise InputError(told)


def _told(path: Path, infer_options: str) -> str | None:
    """Return the message about a file of another known kind; None if its kind is not known."""
    try:
        if not path.is_file():  # a pipe would wait for a writer
            return None
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return None
    if head[:2] == b"PK":
        return None  # an .npz of another kind, or a damaged one: `PoseTable.load` says what it lacks
    if _is_video(path, head):
        found = "a video"
        words = ["videopose", "infer", str(path), *infer_options.split()]
        result = "a page" if "--view" in words else "its table"
        way_out = f"`{typed(words)}` makes {result}"
    else:
        found = next((kind for kind, suffixes in _KINDS.items() if path.suffix.lower() in suffixes), "")
        way_out = "`videopose infer` makes tables of videos"
    if not found:
        return None
    if beside := _table_beside(path):
        way_out = f"{beside} beside it is {'its table' if found == 'a video' else 'a table'}"
    return f"{path}: expected a pose table ({TABLE_SUFFIX}), found {found}; {way_out}"


def typed(words: list[str], *, windows: bool = os.name == "nt") -> str:
    """Return a command as one types it. cmd.exe, unlike other shells, knows double quotes only."""
    if not windows:
        return shlex.join(words)
    return " ".join(word if _UNQUOTED.fullmatch(word) else f'"{word}"' for word in words)


def _table_beside(path: Path) -> Path | None:
    """Return the pose table that lies beside a file under its name."""
    base = base_name(path)
    names = (base + TABLE_SUFFIX, path.name + TABLE_SUFFIX, base + DETECTED_SUFFIX)
    return next((file for name in names if (file := path.with_name(name)) != path and file.is_file()), None)


def _is_video(path: Path, head: bytes) -> bool:
    if head[4:8] == b"ftyp":
        return head[8:12] not in _PICTURE_BRANDS
    begins = head[:4] in (b"\x1aE\xdf\xa3", b"GIF8") or (head[:4] == b"RIFF" and head[8:11] == b"AVI")
    return begins or path.suffix.lower() in VIDEO_SUFFIXES
