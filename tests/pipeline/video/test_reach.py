"""Packets that are left out by an edit list, and packets without a picture."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from videopose.pipeline.video.reach import Reach


def reach_of(left_out: set[int], *, count: int = 60, without_picture: set[int] = frozenset()) -> Reach:  # type: ignore[assignment]
    reach = Reach()
    stream: Any = SimpleNamespace(time_base=Fraction(1, 30), codec=SimpleNamespace(name="h264"))
    for number in range(count):
        packet: Any = SimpleNamespace(
            pts=number,
            dts=number,
            size=100,
            duration=1,
            is_keyframe=number % 20 == 0,
            is_discard=number in left_out,
        )
        reach.read(packet, stream)
        if number not in left_out | without_picture:
            reach.shown(number)
    return reach


@pytest.mark.parametrize(
    ("left_out", "alone"),
    [
        (set(), 0),
        (set(range(10)), 0),
        (set(range(50, 60)), 0),
        ({55, 57, 59}, 0),
        (set(range(20, 40)), 0),
        ({30}, 1),
        ({20, 40}, 2),
        ({1}, 0),
    ],
)
def test_packets_that_are_left_out_alone(left_out: set[int], alone: int) -> None:
    assert reach_of(left_out).left_out_alone() == alone


def test_packets_without_a_picture() -> None:
    reach = reach_of({5}, without_picture={7, 41})
    assert reach.lost(hidden=False) == [7, 41]
    assert reach.lost(hidden=True) == []
    assert reach.packets == 60
    stream: Any = SimpleNamespace(time_base=Fraction(1, 30))
    assert reach.span([6, 9], stream) == " (from 0.20 to 0.30 s)"
    assert reach.span([6], stream) == " (at 0.20 s)"
    assert reach.span([], stream) == ""
    assert reach.seconds(stream, 0.1) == 2.0


def test_where_packets_with_wrong_time_stamps_belong() -> None:
    reach = Reach()
    stream: Any = SimpleNamespace(time_base=Fraction(1, 30), codec=SimpleNamespace(name="h264"))
    for number in range(60):
        wrong = number in (12, 13)  # ten minutes later, and thus left out
        packet: Any = SimpleNamespace(
            pts=number + (18_000 if wrong else 0),
            dts=number - 2,
            size=100,
            duration=1,
            is_keyframe=number == 0,
            is_discard=wrong or number == 40,
        )
        reach.read(packet, stream)
        if not wrong and number != 40:
            reach.shown(number)
    assert reach.without_place == 2
    assert reach.misplaced() == [12, 13, 40]
    assert reach.span(reach.misplaced()[:2], stream) == " (from 0.40 to 0.43 s)"
