"""The contact sheet: one card for each person."""

import numpy as np
import pytest

from videopose.render.contact_sheet import Card, draw_contact_sheet
from videopose.render.theme import track_colour


def card(rank: int, present: tuple[tuple[float, float], ...] = ((0.0, 1.0),)) -> Card:
    grey = np.full((300, 240, 3), 40, np.uint8)
    return Card(3 * rank, rank, grey, (0.2, 0.2, 0.8, 0.8), ("00:00.0 – 00:02.0", "90 px tall"), present)


def count(sheet: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((sheet == colour).all(-1).sum())


@pytest.mark.parametrize(("people", "columns"), [(1, 2), (2, 2), (5, 3), (40, 8)])
def test_cards_are_in_rows(people: int, columns: int) -> None:
    sheet = draw_contact_sheet([card(rank) for rank in range(people)], "clip.mp4")
    rows = -(-people // columns)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == columns * (240 + 32) + 16
    assert sheet.shape[0] > rows * 300
    pictures = count(sheet, (40, 40, 40))
    assert 0.95 * people * 300 * 240 < pictures <= people * 300 * 240


def test_the_bar_shows_when_a_person_is_there() -> None:
    whole, half, brief = (
        count(draw_contact_sheet([card(1, present)], ""), track_colour(1))
        for present in (((0.0, 1.0),), ((0.0, 0.25), (0.75, 1.0)), ((1.0, 1.0),))
    )
    assert whole > half > brief
    assert whole - half == pytest.approx(0.5 * 240 * 8, rel=0.15)


def test_a_long_line_does_not_leave_the_card() -> None:
    long = Card(0, 0, np.full((300, 240, 3), 40, np.uint8), (0, 0, 1, 1), ("w" * 300,), ())
    short = Card(0, 0, np.full((300, 240, 3), 40, np.uint8), (0, 0, 1, 1), ("w",), ())
    sheets = [draw_contact_sheet([each], "") for each in (long, short)]
    assert sheets[0].shape == sheets[1].shape
    np.testing.assert_array_equal(sheets[0][:, 270:], sheets[1][:, 270:])
