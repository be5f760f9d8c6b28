"""Write the results of one file: table, animation and exports; say what the user should know of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...lifting.pose_table import PoseTable
from ..camera_metadata.notes import camera_notes
from ..paths import Job, base_name, is_table
from ..picture_files import is_sequence
from ..progress import progress_bar, say
from ..video.damage import damage_warning
from .notes.times import time_notes
from .notes.turns import turn_note
from .notes.unseen import unseen_notes
from .table_camera import camera_file_name

if TYPE_CHECKING:
    from ..exports.export_tables import ExportOptions


def save(job: Job, table: PoseTable) -> None:
    """Write the table of a job."""
    say_notes(job.source, table)
    table.save(job.table)
    say(f"→ {job.table}")


def say_notes(source: Path, table: PoseTable) -> None:
    """Print what the user should know about a table that was made of `source`."""
    for note in camera_notes(
        shown_name(source),
        str(table.meta.get("intrinsics")),
        table.intrinsics,
        table.size,
        camera_file=camera_file_name(source, table),
    ):
        say(note)
    if (others := table.meta.get("others")) and not is_table(source):
        were = "1 other person was" if others == 1 else f"{others} other people were"
        say(f"note: {were} seen; --people all keeps everyone, and `videopose people` shows whom to --select")
    if not is_table(source):
        for note in (table.meta.get("detector") or {}).get("notes", ()):
            say(f"note: {source}: {note}")
    if damage := damage_warning(table.meta.get("damaged")):
        say(f"warning: {source}: {damage}")
    if not is_table(source) and (turned := turn_note(table)):
        say(f"note: {source}: {turned}")
    for note in (*time_notes(table), *unseen_notes(table)):
        say(f"note: {source}: {note}")
    world = table.meta.get("world") or {}
    if str(world.get("gravity")).startswith("assumed"):
        say(
            "note: up is taken from the camera, because no person stands; "
            "--camera-pitch and --camera-roll would tell"
        )
    if uncertain := world.get("warning"):
        say(f"warning: {source}: {uncertain}")


def shown_name(source: Path) -> str:
    """Return the name of an input; for pictures that of their sequence, with their suffix."""
    return base_name(source) + source.suffix if is_sequence(source) else source.name


def draw(table: PoseTable, animation: Path, video: Path | None) -> None:
    """Draw a table's animation; `video` is shown beside the motion."""
    from .animate import animate  # imported here, after the networks have run

    animate(table, animation, video=video, progress=progress_bar)
    say(f"→ {animation}")


def export(
    job: Job,
    table: PoseTable,
    formats: ExportOptions | None,
    overwrite: bool,
    command: str,
    *,
    complete: bool = False,
) -> None:
    """Export the table of a job; with `complete`, only files that are missing."""
    if formats is not None:
        from ..exports.export_tables import export_table

        export_table(table, job.table, formats, overwrite=overwrite, only_missing=complete, command=command)
