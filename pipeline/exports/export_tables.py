"""Export pose tables as files of the chosen formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...errors import UsageError
from ...files import escaped_controls, readable_name, replacing
from ...lifting.exports import Format, Style, find_format
from ...lifting.exports.motion import Motion
from ...lifting.pose_table import PoseTable
from ..output_lock import output_lock
from ..paths import base_name, check_free
from ..progress import say
from .motions import MotionOptions, make_motions, prepare, say_uneven

_TPOSE = ".tpose"  # before the suffix of a BVH file whose frame 0 is the T-pose


@dataclass(frozen=True, kw_only=True)
class ExportOptions(MotionOptions):
    """The options of `export`, in addition to those of `MotionOptions`.

    Attributes:
        formats: The names of the formats.
        units: The unit of lengths; None for the usual unit of each format.
        up: The axis that points up; None for the usual axis of each format.
        names: The joint names of animation formats: plain, mixamo or cmu.
        channels: The order of BVH's rotation channels: ZXY or ZYX.
        tpose_frame: Whether to write a second BVH file whose frame 0 is the T-pose.
        lock_feet: Whether planted feet are held still; None does so in animation formats only.
    """

    formats: tuple[str, ...]
    units: str | None = None
    up: str | None = None
    names: str = "plain"
    channels: Literal["ZXY", "ZYX"] = "ZXY"
    tpose_frame: bool = False
    lock_feet: bool | None = None


@dataclass(frozen=True)
class ExportedFile:
    """What an exported file holds."""

    format: Format
    style: Style
    people: list[Motion]

    def write(self, path: Path) -> None:
        """Write it, in place of a file that exists. Raises `OutputError`."""
        data = self.format.encode(self.people, self.style)
        with replacing(path) as partial:
            partial.write_bytes(data)


def check_options(options: ExportOptions) -> list[tuple[Format, Style]]:
    """Return each format with its style.

    Raises:
        UsageError: If a format is unknown or does not support the wanted unit or axis.
    """
    chosen = []
    for name in dict.fromkeys(options.formats):
        found = find_format(name)
        found.check_available()
        style = Style(
            units=found.check_units(options.units),
            up=found.check_up(options.up),
            names=options.names,
            channels=options.channels,
        )
        chosen.append((found, style))
    if options.tpose_frame and "bvh" not in options.formats:
        raise UsageError("--tpose-frame writes a second BVH file; add --format bvh")
    return chosen


def check_not_exported(table: Path, options: ExportOptions, *, overwrite: bool) -> None:
    """Check, before a table is made, that its export will not replace a file.

    The number of people is not known yet, so all files are checked that an export of this table can write.

    Raises:
        OutputError: If such a file exists and may not be replaced.
        UsageError: If an option cannot be used.
    """
    check_options(options)
    found = exported_names(base_name(table), _names_beside(table), options.formats)
    check_free([table.with_name(name) for name in found], overwrite=overwrite)


def missing_formats(table: Path, options: ExportOptions) -> list[str]:
    """Return the names of the formats of which no file is beside a table."""
    base, names = base_name(table), _names_beside(table)
    return [each.name for each, _ in check_options(options) if not exported_names(base, names, [each.name])]


def exported_names(base: str, names: Iterable[str], formats: Sequence[str]) -> list[str]:
    """Return those of the names in a folder that an export of a table can have written, sorted.

    Args:
        base: The table's name without its suffix.
        names: The names in the folder.
        formats: The names of the formats.

    Raises:
        UsageError: If a format is unknown.
    """
    ends = "|".join(re.escape(find_format(each).suffix) for each in formats)
    written = re.compile(rf"{re.escape(base)}(\.\d+)?({re.escape(_TPOSE)})?({ends})")
    return sorted(name for name in names if written.fullmatch(name))


def _names_beside(table: Path) -> list[str]:
    return [path.name for path in table.parent.iterdir()] if table.parent.is_dir() else []


def export_table(
    table: PoseTable,
    source: Path,
    options: ExportOptions,
    *,
    output: Path | None = None,
    overwrite: bool = False,
    only_missing: bool = False,
    command: str = "",
) -> list[Path]:
    """Write a table's motion in every chosen format, and print which files were written.

    Args:
        table: The pose table.
        source: The file of the table. The names of the results are made of its name.
        options: What to write.
        output: The folder of the results; None for the folder of `source`.
        overwrite: Whether files that exist may be replaced.
        only_missing: Whether files that exist are left as they are, and only the others are written.
        command: The command line, which another run on the same files shows.

    Returns:
        The files written.

    Raises:
        InputError: If the table has no poses.
        UsageError: If an option cannot be used.
        OutputError: If a file exists and may not be replaced, or cannot be written.
    """
    motions, planned = plan_files(table, base_name(source), options)
    folder = output or source.parent
    files = {folder / name: file for name, file in planned.items()}
    if only_missing:
        files = {path: content for path, content in files.items() if not path.exists()}
    with output_lock(list(files), command):
        check_free(list(files), overwrite=overwrite)
        say_uneven(motions, options)
        if any(find_format(name).animation for name in options.formats):
            _say_gaps(motions)
        whole = [name for name in options.formats if name == "mot" or find_format(name).animation]
        if options.only_seen and whole:
            say(f"note: {' and '.join(whole)} files have all joints; --only-seen changes nothing in them")
        for path, file in files.items():
            file.write(path)
            say(f"→ {path}{_begin(file.format, file.people)}")
    return list(files)


def plan_files(
    table: PoseTable, base: str, options: ExportOptions
) -> tuple[list[Motion], dict[str, ExportedFile]]:
    """Return the motion of a table's people, and the files that an export of it writes, by name.

    Args:
        table: The pose table.
        base: What the names of the files begin with.
        options: What to write.

    Raises:
        InputError: If the table has no poses.
        UsageError: If an option cannot be used.
    """
    formats = check_options(options)
    table = prepare(table, options)
    sources = {
        locked: make_motions(table, options, locked=locked)
        for locked in {_locks_feet(found, options) for found, _ in formats}
    }
    files: dict[str, ExportedFile] = {}
    for found, style in formats:
        style = replace(style, title=escaped_controls(readable_name(base)))
        for name, people in _files(base, found, sources[_locks_feet(found, options)]):
            files[name + found.suffix] = ExportedFile(found, style, people)
            if options.tpose_frame and found.name == "bvh":
                tpose = replace(style, tpose_frame=True)
                files[name + _TPOSE + found.suffix] = ExportedFile(found, tpose, people)
    return next(iter(sources.values())), files


def _files(base: str, found: Format, motions: Sequence[Motion]) -> list[tuple[str, list[Motion]]]:
    """Return the names, without suffix, of a format's files, with the people in each."""
    if not found.one_each or len(motions) == 1:
        return [(base, list(motions))]
    return [(f"{base}.{motion.id}", [motion]) for motion in motions]


def _locks_feet(found: Format, options: ExportOptions) -> bool:
    return found.animation if options.lock_feet is None else options.lock_feet


def _say_gaps(motions: Sequence[Motion]) -> None:
    """Print in which gaps an animation has poses that are not in the table."""
    for motion in motions:
        missing = int((~motion.present).sum())
        if missing:
            say(
                f"note: track {motion.id}: {missing} frames without a pose are interpolated in animations "
                "and left out of the other formats"
            )


def _begin(found: Format, people: Sequence[Motion]) -> str:
    """Return what to add to a file's line if it begins later than the video."""
    first = people[0].frames[0]
    if not found.one_each or first == 0:
        return ""
    return f" (begins at frame {first} of the video's clock, {people[0].times[0]:.2f} s)"
