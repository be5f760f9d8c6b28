"""Whom to keep: by number, by id and by place."""

from dataclasses import replace

import numpy as np
import pytest

from videopose.errors import UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.selection import Place, Selection, parse_ids, select_people


@pytest.fixture
def table() -> PoseTable:
    """0 stands at the left at first and 7 later; 3, who is larger, stands at the right throughout."""
    rows = [(0, f, 100.0, 40.0) for f in range(10)]
    rows += [(3, f, 500.0, 80.0) for f in range(20)]
    rows += [(7, f, 110.0, 40.0) for f in range(12, 20)]
    keypoints = np.ones((len(rows), 17, 3), np.float32)
    for keypoint, (_, _, x, tall) in zip(keypoints, rows, strict=True):
        keypoint[:, 0] = x + np.linspace(-tall / 4, tall / 4, 17)
        keypoint[:, 1] = 200 + np.linspace(-tall, tall, 17)
    return PoseTable(
        track=np.array([r[0] for r in rows], np.int32),
        frame=np.array([r[1] for r in rows], np.int32),
        keypoints=keypoints,
        pose=np.full((len(rows), 17, 3), np.nan, np.float32),
        root=np.full((len(rows), 3), np.nan, np.float32),
        filled=np.zeros(len(rows), np.bool_),
        time=np.arange(20) / 10,
        size=(640, 360),
        intrinsics=Intrinsics(500, 500, 320, 180),
    )


def ids(table: PoseTable) -> list[int]:
    return [track for track, _ in table.tracks()]


def test_a_number_of_people_keeps_the_main_ones_and_counts_the_others(table: PoseTable) -> None:
    main = select_people(table, Selection(1))
    assert (ids(main), main.meta["others"]) == ([3], 2)
    two = select_people(table, Selection(2))
    assert (ids(two), two.meta["others"]) == ([0, 3], 1)
    for count in (3, 9, None):
        everyone = select_people(table, Selection(count))
        assert everyone is table
        assert "others" not in everyone.meta


def test_interpolated_rows_do_not_count_as_seen(table: PoseTable) -> None:
    table = replace(table, filled=(table.track == 3) & (table.frame > 0))
    assert ids(select_people(table, Selection(1))) == [0]


def test_ids(table: PoseTable) -> None:
    chosen = select_people(table, Selection(1, ids=(7, 0)))
    assert ids(chosen) == [0, 7]
    assert "others" not in chosen.meta
    with pytest.raises(UsageError, match=r"--select 5: expected one of the people 0, 3, 7"):
        select_people(table, Selection(ids=(0, 5)))


@pytest.mark.parametrize(
    ("place", "person"),
    [
        ("500,210", 3),
        ("100,200", 0),  # before 7 comes
        ("100,200@1.5", 7),
        ("478,118", 3),  # a little beside the keypoints
    ],
)
def test_places(table: PoseTable, place: str, person: int) -> None:
    assert ids(select_people(table, Selection(places=(Place.parse(place),)))) == [person]


def test_ids_and_places_add_up(table: PoseTable) -> None:
    assert ids(select_people(table, Selection(1, (7,), (Place(500, 200), Place(100, 200, 0.0))))) == [0, 3, 7]


@pytest.mark.parametrize(
    ("place", "when"), [("300,200", "on any frame"), ("100,200@1", "at 1 s"), ("500,20", "on any frame")]
)
def test_where_no_one_is(table: PoseTable, place: str, when: str) -> None:
    with pytest.raises(UsageError, match=f"--select-at {place}: expected a person there, found none {when}"):
        select_people(table, Selection(places=(Place.parse(place),)))


def test_a_time_at_which_nobody_is_seen(table: PoseTable) -> None:
    expected = r"nobody is seen near 99 s; the nearest frame with a person is at 1\.\d+ s"
    with pytest.raises(UsageError, match=expected):
        select_people(table, Selection(places=(Place.parse("100,200@99"),)))


def test_of_two_people_at_a_place_the_nearer_middle_counts(table: PoseTable) -> None:
    keypoints = table.keypoints.copy()
    keypoints[table.track == 3, :, 0] -= 375  # its middle is now at 125, that of 0 at 100
    table = replace(table, keypoints=keypoints)
    assert ids(select_people(table, Selection(places=(Place(103, 200),)))) == [0]
    assert ids(select_people(table, Selection(places=(Place(121, 200),)))) == [3]


@pytest.mark.parametrize("text", ["640", "640,", "a,b", "1,2,3", "640,360@", "640,360@x", "nan,3", "1,inf"])
def test_places_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="--select-at takes X,Y"):
        Place.parse(text)


def test_lists_of_ids() -> None:
    assert parse_ids("2,5") == (2, 5)
    assert parse_ids("2, 5") == (2, 5)
    for text in ("", "2,", "x", "-1", "1.5"):
        with pytest.raises(UsageError, match="--select takes ids of people"):
            parse_ids(text)


@pytest.mark.parametrize("options", [{"people": 0}, {"people": 1.5}, {"ids": (-1,)}, {"ids": ("2",)}])
def test_impossible_selections(options: dict) -> None:
    with pytest.raises(UsageError):
        Selection(**options)
