"""The functions that hand motion to other programs: `export`, `angles`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError, shown
from ...lifting.exports import format_of
from ...lifting.pose_table import PoseTable
from ..option_types import as_flag, as_number, as_path, check_type
from ..paths import check_free, check_is_other
from ..table_files import check_has_poses
from .arguments import AnyPath, as_ids, as_table, as_texts

if TYPE_CHECKING:
    from ..exports.motions import MotionOptions


@dataclass(frozen=True, eq=False)
class JointAngles:
    """One person's joint angles.

    Attributes:
        track: The person's track.
        time: (F,) seconds since the video's first frame, at even steps.
        angles: Name → (F,) degrees, NaN where not known; docs/joint-angles.md defines each.
        seen: Name → (F,), whether the picture shows the joints that the angle depends on.
    """

    track: int
    time: NDArray[np.float64]
    angles: Mapping[str, NDArray[np.float64]]
    seen: Mapping[str, NDArray[np.bool_]]

    def __repr__(self) -> str:
        return f"<JointAngles of track {self.track}: {len(self.angles)} angles, {len(self.time)} frames>"


def export(
    table: PoseTable | AnyPath,
    output: AnyPath,
    *,
    people: int | None = None,
    select: Sequence[int] = (),
    fps: float | None = None,
    filters: Sequence[str] = (),
    units: Literal["m", "cm", "mm"] | None = None,
    up: Literal["y", "z"] | None = None,
    names: Literal["plain", "mixamo", "cmu"] = "plain",
    lock_feet: bool | None = None,
    only_seen: bool = False,
) -> list[Path]:
    """Write the motion of a pose table as a file for other programs, as the command `videopose export` does.

    A file that exists is replaced. Nothing is printed.

    Args:
        table: A pose table, or the path of one.
        output: File to write. Its ending is the format: .bvh, .glb, .fbx, .usd, .trc, .c3d, .mot, .csv,
            .json, .angles.csv or .3d.npz. If there are several people, .bvh, .trc, .c3d and .mot give a file
            for each, named by track: clip.2.bvh.
        people: How many people: those who are seen longest, and of these the largest. None for all.
        select: Tracks to export; empty for all.
        fps: Frames a second. Default: the video's own.
        filters: Filters that smooth the motion, such as "butterworth:6", in order.
        units: Unit of lengths. Default: the format's.
        up: Axis that points up. Default: the format's.
        names: Names of joints in .bvh, .glb, .fbx and .usd.
        lock_feet: Whether planted feet are held still. Default: in .bvh, .glb, .fbx and .usd.
        only_seen: Whether joints that the picture does not show are left out of .trc, .c3d, .csv, .json,
            .3d.npz and .angles.csv.

    Returns:
        The files written.

    Raises:
        UsageError: An option has the wrong type or is impossible, or a file would replace the table.
        InputError: The table cannot be read, or has no poses.
        OutputError: A file cannot be written.

    Example:
        ```python
        import videopose

        table = videopose.infer("clip.mp4")
        videopose.export(table, "clip.bvh", names="mixamo")
        ```
    """
    from ...lifting.exports.rig import NAMES
    from ..exports.export_tables import ExportOptions, plan_files

    target = Path(as_path("output", output))
    for name, value in (("units", units), ("up", up), ("names", names)):
        check_type(name, value, str, optional=name != "names")
    if names not in NAMES:
        raise UsageError(f"names: expected {', '.join(NAMES)}, found {shown(names)}")
    found = format_of(str(target))
    base, ending = target.name[: -len(found.suffix)], target.name[-len(found.suffix) :]
    options = ExportOptions(
        **vars(_motion_options(people, select, fps, filters, only_seen)),
        formats=(found.name,),
        units=units,
        up=up,
        names=names,
        lock_feet=None if lock_feet is None else as_flag("lock_feet", lock_feet),
    )
    _, planned = plan_files(_with_poses(table), base, options)
    files = {target.with_name(name[: -len(ending)] + ending): file for name, file in planned.items()}
    for path in files:
        if not isinstance(table, PoseTable):
            check_is_other(path, Path(table), "table")
        check_free([path], overwrite=True)
    for path, file in files.items():
        file.write(path)
    return list(files)


def angles(
    table: PoseTable | AnyPath,
    *,
    people: int | None = None,
    select: Sequence[int] = (),
    fps: float | None = None,
    filters: Sequence[str] = (),
) -> list[JointAngles]:
    """Return people's joint angles, as the command `videopose angles` draws them.

    Nothing is printed or written.

    Args:
        table: A pose table, or the path of one.
        people: How many people: those who are seen longest, and of these the largest. None for all.
        select: Tracks; empty for all.
        fps: Frames a second. Default: the video's own.
        filters: Filters that smooth the motion, such as "butterworth:6", in order.

    Returns:
        The angles of each person.

    Raises:
        UsageError: An option has the wrong type or is impossible.
        InputError: The table cannot be read, or has no poses.

    Example:
        ```python
        import videopose

        (person,) = videopose.angles("clip.npz", people=1)
        bent = person.angles["knee_flexion_left"][person.seen["knee_flexion_left"]].max()
        ```
    """
    from ...lifting.exports.seen_angles import seen_angles
    from ..exports.motions import make_motions, prepare

    options = _motion_options(people, select, fps, filters, False)
    found = []
    for motion in make_motions(prepare(_with_poses(table), options), options):
        seen = seen_angles(motion.confidence, motion.angles)
        found.append(JointAngles(motion.id, motion.times, motion.angles, seen))
    return found


def _with_poses(table: PoseTable | AnyPath) -> PoseTable:
    """Return a pose table that has poses. Raises `InputError`, which names the file if a path is given."""
    loaded = as_table(table)
    if not isinstance(table, PoseTable):
        check_has_poses(table, loaded)
    return loaded


def _motion_options(
    people: object, select: object, fps: object, filters: Sequence[str], only_seen: object
) -> MotionOptions:
    from ..exports.motions import MotionOptions

    count = as_number("people", people, int, optional=True)
    if count is not None and count < 1:
        raise UsageError(f"people: expected a number from 1 on or None, found {count}")
    return MotionOptions(
        people=count,
        select=as_ids(select),
        fps=as_number("fps", fps, float, optional=True),
        filters=as_texts("filters", filters, example="butterworth:6"),
        only_seen=as_flag("only_seen", only_seen),
    )
