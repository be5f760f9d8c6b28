"""Report the joint angles of a pose table: ranges on the terminal, curves as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...files import escaped_controls, readable_name, replacing
from ...lifting.exports.angles import Angles, angle_ranges
from ...lifting.exports.motion import Motion
from ...lifting.exports.seen_angles import seen_angles
from ...lifting.pose_table import PoseTable
from ...render.angle_curves import draw_curves
from ..output_lock import output_lock
from ..paths import base_name, check_free
from ..progress import say
from .motions import MotionOptions, make_motions, prepare, say_uneven

_SUFFIX = ".angles.png"


def report_angles(
    table: PoseTable,
    source: Path,
    options: MotionOptions,
    *,
    output: Path | None = None,
    overwrite: bool = False,
    command: str = "",
) -> list[Path]:
    """Print each person's ranges of joint angles and draw their curves.

    Args:
        table: The pose table.
        source: The file of the table. The names of the pictures are made of its name.
        options: Which people, and how their motion is filtered.
        output: The folder of the pictures; None for the folder of `source`.
        overwrite: Whether pictures that exist may be replaced.
        command: The command line, which another run on the same pictures shows.

    Returns:
        The paths of the pictures, one for each person.

    Raises:
        InputError: If the table has no poses.
        OutputError: If a picture exists and may not be replaced, or cannot be written.
    """
    motions = make_motions(prepare(table, options), options)
    say_uneven(motions, options)
    folder, base = output or source.parent, base_name(source)
    several = len(motions) > 1
    pictures = [folder / (base + (f".{motion.id}" if several else "") + _SUFFIX) for motion in motions]
    with output_lock(pictures, command):
        check_free(pictures, overwrite=overwrite)
        for motion, picture in zip(motions, pictures, strict=True):
            angles = motion.angles
            title = f"{escaped_controls(readable_name(base))}, person {motion.id}"
            seen = seen_angles(motion.confidence, angles)
            Console().print(_ranges(angles, seen, motion, title))
            with replacing(picture) as partial:
                partial.write_bytes(draw_curves(angles, motion.times, title, seen=seen))
            say(f"→ {picture}")
    return pictures


def _ranges(angles: Angles, seen: Mapping[str, NDArray[np.bool_]], motion: Motion, title: str) -> Table:
    """Return a table of least, mean and greatest values, in degrees, and of the share of frames seen."""
    table = Table(
        title=Text(title, "table.title"),
        title_justify="left",
        box=box.SIMPLE,
        caption="degrees; seen: on how many frames the picture shows the joints, elsewhere they are guesses",
        caption_justify="left",
    )
    table.add_column("angle")
    for name in ("least", "mean", "greatest", "seen"):
        table.add_column(name, justify="right")
    ranges = angle_ranges(angles)
    for name in angles:
        values = [str(round(value)) for value in ranges[name]] if name in ranges else ["–"] * 3
        share = np.mean(seen[name][motion.present])
        table.add_row(name, *values, f"{share:.0%}")
    return table
