"""The camera file beside a pose table: it may have been written after people were found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.pose_table import PoseTable
from ..camera_metadata.sidecar import camera_file_of, read_camera, read_gravity
from ..paths import is_table


def filmed_as(source: Path, table: PoseTable) -> Path:
    """Return the path that a table's video has if it lies beside the table, under the name that it had."""
    name = Path(str((table.meta.get("video") or {}).get("name", ""))).name
    return source.with_name(name) if name else source


def with_camera_file(table: PoseTable, source: Path) -> PoseTable:
    """Return a table with the camera and the gravity of the camera file beside it, if there is one.

    As for a video, the file replaces what the video itself says or what was assumed, and not what the user
    has stated by an option.

    Args:
        table: The table.
        source: Its file.

    Raises:
        InputError: The camera file cannot be used.
    """
    video = filmed_as(source, table)
    gravity = read_gravity(video)
    if gravity is not None:
        table = replace(table, meta={**table.meta, "gravity": list(gravity)})
    stated = str(table.meta.get("intrinsics")).startswith("--")
    known = None if stated else read_camera(video, table.size)
    if known is None:
        return table
    lens = known.lens
    return replace(
        table,
        # Rounded as in a table's file, so that lifting gives the same numbers before and after saving.
        intrinsics=Intrinsics(*lens.intrinsics.array().tolist()),
        meta={**table.meta, "intrinsics": known.source, "distortion": lens.distortion},
    )


def camera_file_name(source: Path, table: PoseTable) -> str:
    """Return the name of the camera file that is read for an input, a video or a table."""
    return camera_file_of(filmed_as(source, table) if is_table(source) else source).name
