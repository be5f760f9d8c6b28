"""`people`: a contact sheet that shows who is in a video, for `--select`."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ...errors import UsageError
from ...files import replacing
from ...lifting.pose_table import PoseTable
from ...render.contact_sheet import Card, draw_contact_sheet
from ...render.info_strip import clock
from ..output_lock import output_lock
from ..paths import DETECTED_SUFFIX, SHEET_SUFFIX, TABLE_SUFFIX, base_name, check_free
from ..progress import progress_bar, say
from ..table_files import load_table
from ..video.damage import damage_warning
from ..video.reader import open_video
from .detect import detect, load_detector
from .kept_parts import KeptParts
from .options import DetectOptions
from .people_pictures import PersonPicture, people_pictures

_MOST_TIMES = 2  # stretches that are listed on a card


def show_people(
    source: Path,
    options: DetectOptions,
    *,
    output: Path | None,
    video: Path | None,
    overwrite: bool,
    command: str,
) -> None:
    """Draw the contact sheet of a video or a pose table, and list the people.

    People of a video are found first; the pose table without poses is kept beside the sheet, so that
    `videopose lift` needs not find them again.

    Args:
        source: A video or a pose table.
        options: How people of a video are found.
        output: Folder of the results; None for the folder of `source`.
        video: The video of a pose table; None for the one beside it.
        overwrite: Replace results that exist.
        command: Recorded in the table's `meta`.

    Raises:
        OutputError: A result exists and may not be replaced.
        UsageError: The video of a pose table was not found.
    """
    base = (output or source.parent) / base_name(source)
    sheet = base.with_name(base.name + SHEET_SUFFIX)
    if source.suffix == TABLE_SUFFIX:
        check_free([sheet], overwrite=overwrite)
        table = load_table(source)
        video = _video_of(source, table, video)
        with output_lock([sheet], command):
            check_free([sheet], overwrite=overwrite)
            _show(table, video, sheet)
        return
    found = base.with_name(base.name + DETECTED_SUFFIX)
    check_free([sheet, found], overwrite=overwrite)
    with (
        open_video(source, fps=options.fps, rotate=options.rotate) as opened,
        output_lock([sheet, found], command),
    ):
        check_free([sheet, found], overwrite=overwrite)
        detector = load_detector(options, report=say)
        # `infer` probably follows, with the ids that the sheet shows.
        with KeptParts(leave=True, report=say) as kept:
            table = detect(opened, options, detector, progress=progress_bar, command=command, kept=kept)
        if damage := damage_warning(table.meta.get("damaged")):
            say(f"warning: {source}: {damage}")
        table.save(found)
        say(f"→ {found}")
        _show(table, source, sheet)


def _video_of(source: Path, table: PoseTable, video: Path | None) -> Path:
    """Return the video of a pose table: the one given, or the one beside it."""
    from .redraw import find_video, note_other_video

    if video is not None:
        note_other_video(video, table)
    video = video or find_video(source, table)
    if video is None:
        raise UsageError(f"{source}: a contact sheet needs the table's video; --video FILE names it")
    return video


def _show(table: PoseTable, video: Path, sheet: Path) -> None:
    people = people_pictures(table, video, progress=progress_bar)
    with replacing(sheet) as partial:
        partial.write_bytes(contact_sheet(people, table, video.name))
    for person in people:
        print(describe(person, table))
    say(f"→ {sheet}")


def contact_sheet(people: list[PersonPicture], table: PoseTable, name: str) -> bytes:
    """Return the contact sheet as a PNG picture.

    Args:
        people: The people of the table, from `people_pictures`.
        table: The table.
        name: The video's name.
    """
    first, last = float(table.time[0]), float(table.time[-1])
    length = max(last - first, 1e-9)
    cards = [
        Card(
            person.track,
            rank,
            person.picture,
            person.box,
            (*_when(person, lines=_MOST_TIMES), _how_large(person, table)),
            tuple(((a - first) / length, (b - first) / length) for a, b in person.present),
        )
        for rank, person in enumerate(people)
    ]
    count = "1 person" if len(people) == 1 else f"{len(people)} people"
    picture = io.BytesIO()
    Image.fromarray(draw_contact_sheet(cards, f"{name}: {count}, {clock(last - first)[:-2]}")).save(
        picture, format="png"
    )
    return picture.getvalue()


def describe(person: PersonPicture, table: PoseTable) -> str:
    """Return one line about a person: id, when they are there, and how large."""
    return f"person {person.track}: {', '.join(_when(person))}; {_how_large(person, table)}"


def _when(person: PersonPicture, lines: int | None = None) -> list[str]:
    """Return when a person is there; if there are more stretches than `lines`, the rest is counted."""
    texts = [f"{clock(begin)[:-2]} – {clock(end)[:-2]}" for begin, end in person.present]
    if lines is not None and len(texts) > lines:
        rest = len(texts) - lines + 1
        texts = [*texts[: lines - 1], f"and {rest} times more, to {clock(person.present[-1][1])[:-2]}"]
    return texts


def _how_large(person: PersonPicture, table: PoseTable) -> str:
    return f"{person.height:.0f} px tall, {person.height / table.size[1]:.0%} of the picture"
