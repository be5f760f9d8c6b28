"""Packets that are left out by an edit list, and packets without a picture."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from videopose.pipeline.video.lost_places import in_holes, said
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
            reach.placed(reach.shown(number), number)
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
    assert reach.lost(hidden=False) == 2
    assert reach.lost(hidden=True) == 0
    assert reach.packets == 60
    assert reach.places(hidden=False) == [6, 39]  # frames 6 and 39 are those of packets 8 and 42
    assert reach.places(hidden=True) == []
    stream: Any = SimpleNamespace(time_base=Fraction(1, 30))
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
            reach.placed(reach.shown(number), number)
    assert reach.without_place == 2
    assert reach.left_out_alone() == 1
    assert reach.places(hidden=False) == [12, 12, 38]  # frames 11 and 12 are packets 11 and 14


def test_a_recording_before_the_first_picture_has_stamps_of_its_own() -> None:
    reach = Reach()
    stream: Any = SimpleNamespace(time_base=Fraction(1, 30), codec=SimpleNamespace(name="mpeg2video"))
    for number in (*range(10), *range(3, 15)):  # the second recording has stamps of the first
        packet: Any = SimpleNamespace(
            pts=number,
            dts=number,
            size=100,
            duration=1,
            is_keyframe=number in (0, 3),
            is_discard=False,
        )
        reach.read(packet, stream)
    for number in range(3, 15):
        reach.placed(reach.shown(number), number)
    assert reach.lost(hidden=False) == 10
    assert reach.places(hidden=False) == [0] * 10


def test_places_in_words() -> None:
    assert said([0, 0, 3, 4, 9, 20], 20) == (
        " (before the first frame, and just before frames 3–4, 9, and after the last frame)"
    )
    assert said([11, 11], 20) == " (just before frame 11)"
    assert said([20], 20) == " (after the last frame)"
    assert said([], 20) == ""


def test_holes_are_taken_once_and_only_near() -> None:
    shown = np.array([0, 10, 20, 50, 60, 70, 80])
    assert in_holes([42, 43], shown) == [30, 40]
    assert in_holes([42], shown, [30, 40]) == [42]
    assert in_holes([500], np.arange(0, 1000, 10)) == [500]
    assert in_holes([5], np.array([0])) == [5]
