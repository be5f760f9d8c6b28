"""The contact sheet of `people`, which shows who is in a video, for `--select`."""

from __future__ import annotations

import io

from PIL import Image

from ....lifting.pose_table import PoseTable
from ....render.contact_sheet import Card, draw_contact_sheet
from ....render.info_strip import clock
from .pictures import PersonPicture

_MOST_TIMES = 2  # stretches that are listed on a card


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
