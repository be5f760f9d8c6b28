"""Find the inputs of a command: the videos and pose tables that files, folders and patterns stand for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import InputError, UsageError
from .paths import DETECTED_SUFFIX, TABLE_SUFFIX, base_name, identity, is_table
from .picture_files import PICTURE_SUFFIXES, is_sequence, pictures_in
from .progress import ReportError, say

VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3gp", "avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg"),
        *("mts", "mxf", "ogv", "ts", "webm", "wmv"),
    )
)
_ANIMATION = re.compile(r".+\.[23]d\.(mp4|mov|mkv|webm|gif)", re.IGNORECASE | re.DOTALL)


def _raise(error: Exception) -> None:
    raise error


def find_videos(inputs: Sequence[str | Path], failed: ReportError = _raise) -> list[Path]:
    """Return the videos among the inputs, each once: files, and for a folder the videos directly in it.

    A folder of pictures and no video is one input, and so are pictures named as frame-%04d.jpg or *.jpg.
    Other patterns in quotes, such as *.mp4, stand for the files that match. Results of an earlier run
    (animations and pose tables) are left out.

    Args:
        inputs: Names of files and folders.
        failed: Called for each input that cannot be used. By default its error is raised.

    Raises:
        InputError: A folder has no video, or only results were named.
    """
    videos: list[Path] = []
    results: list[Path] = []
    for source in inputs:
        try:
            for path in _videos_of(source):
                (results if _is_result(path) else videos).append(path)
        except (InputError, UsageError) as error:
            failed(error)
    if results and videos:
        say(f"note: {_listed(results)} left out, because videopose writes files of such names")
    elif results:
        for path in results:
            failed(
                InputError(
                    f"cannot read {path}: by its name it is a result of videopose (`videopose lift` and "
                    "`videopose render` read pose tables); rename it if it is a video"
                )
            )
    return _each_once(videos)


def find_videos_and_tables(inputs: Sequence[str | Path], failed: ReportError = _raise) -> list[Path]:
    """Return the videos and the pose tables among the inputs, each once.

    Videos are found as by `find_videos`. Tables are the inputs whose names end as those of tables do. A table
    that is made of one of the videos is left out.

    Args:
        inputs: Names of files and folders.
        failed: Called for each input that cannot be used. By default its error is raised.

    Raises:
        InputError: See `find_videos`.
    """
    tables = [source for source in inputs if is_table(source)]
    videos = find_videos([source for source in inputs if source not in tables], failed)
    made = {identity(_detected(video)) for video in videos}
    found = without_results(find_tables(tables, failed))
    others = [table for table in found if identity(_detected(table)) not in made]
    if left_out := [table for table in found if table not in others]:
        say(f"note: {_listed(left_out)} left out, because the video is an input, too")
    return [*videos, *others]


def _detected(source: Path) -> Path:
    """Return the name of the pose table without poses that is made of an input."""
    return source.parent / (base_name(source) + DETECTED_SUFFIX)


def find_tables(inputs: Sequence[str | Path], failed: ReportError = _raise) -> list[Path]:
    """Return the pose tables among the inputs, each once; for a folder those that `detect` wrote, by name.

    Patterns in quotes, such as *.2d.npz, stand for the files that match.

    Args:
        inputs: Names of files and folders.
        failed: Called for each input that cannot be used. By default its error is raised.

    Raises:
        InputError: A folder has no such table.
    """
    tables: list[Path] = []
    for source in inputs:
        try:
            tables += _tables_of(source)
        except (InputError, UsageError) as error:
            failed(error)
    return _each_once(tables)


def without_results(tables: Sequence[Path]) -> list[Path]:
    """Return the tables without each video.npz that is made of another of them, video.2d.npz."""
    made = {
        identity(table.with_name(table.name.removesuffix(DETECTED_SUFFIX) + TABLE_SUFFIX))
        for table in tables
        if table.name.endswith(DETECTED_SUFFIX)
    }
    results = [table for table in tables if identity(table) in made]
    if results:
        say(f"note: {_listed(results)} left out, because it is the result of another input")
    return [table for table in tables if table not in results]


def _videos_of(source: str | Path) -> list[Path]:
    path = path_of(source)
    if os.path.isdir(path):
        inside = [p for p in _inside(path) if p.suffix.lower() in VIDEO_SUFFIXES and not _is_result(p)]
        if not inside and _inside_pictures(path):
            return [path]
        if not inside:
            looked_for = " ".join(sorted(VIDEO_SUFFIXES))
            raise InputError(
                f"{path}: no video in this folder (looked for {looked_for}), and no pictures either "
                f"({' '.join(sorted(PICTURE_SUFFIXES))})"
            )
        return inside
    return _matching(path)


def _matching(path: Path) -> list[Path]:
    """Return the files that a pattern stands for; a name, and a pattern of pictures, stand for themselves."""
    if not is_sequence(path) or path.suffix.lower() in PICTURE_SUFFIXES or "%" in path.name:
        return [path]
    found = sorted(p for p in path.parent.glob(path.name) if p.is_file() and not p.name.startswith("."))
    return found or [path]


def _tables_of(source: str | Path) -> list[Path]:
    path = path_of(source)
    if not os.path.isdir(path):
        return _matching(path)
    inside = [p for p in _inside(path) if p.name.endswith(DETECTED_SUFFIX)]
    if not inside:
        raise InputError(f"{path}: no {DETECTED_SUFFIX} table in this folder; `videopose detect` makes them")
    return inside


def path_of(source: str | Path) -> Path:
    """Return the path of a name.

    Raises:
        UsageError: The name is empty.
        InputError: It is an address in a network.
    """
    text = os.fspath(source)
    if not text:
        raise UsageError("expected the name of a file or folder, found an empty one; is a variable not set?")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) and not os.path.lexists(text):
        raise InputError(
            f"cannot read {text}: it is an address, and videopose reads files; download it first"
        )
    return Path(text)


def _inside(folder: Path) -> list[Path]:
    """Return the files in a folder, by name, without hidden ones."""
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and os.path.isfile(p))
    except OSError as error:
        raise InputError(f"cannot read {folder}: {(error.strerror or str(error)).lower()}") from error


def _inside_pictures(folder: Path) -> bool:
    try:
        return bool(pictures_in(folder))
    except OSError:
        return False


def _is_result(path: Path) -> bool:
    """Whether a name is that of an animation or a pose table of videopose."""
    return bool(_ANIMATION.fullmatch(path.name)) or is_table(path)


def _each_once(paths: Iterable[Path]) -> list[Path]:
    first: dict[str, Path] = {}
    for path in paths:
        first.setdefault(identity(path), path)
    return list(first.values())


def _listed(paths: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in paths[:3])
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{shown}{more} {'is' if len(paths) == 1 else 'are'}"
