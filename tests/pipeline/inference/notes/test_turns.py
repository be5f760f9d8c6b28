from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from standing_detector import StandingPerson
from walking import table_of, walking

from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.notes.turns import turn_note

CENTRE = np.array([640, 360], np.float32)


def _table(clockwise: float, **meta: object) -> PoseTable:
    """A person who stands, in a picture that is turned clockwise by some degrees."""
    (people,) = StandingPerson().detect([np.zeros((720, 1280, 3), np.uint8)])
    table = table_of({0: walking(20)["joints"]})
    body = _upright(people.keypoints[0])
    turn = np.radians(clockwise)
    spun = (body[:, :2] - CENTRE) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    keypoints = np.repeat(np.column_stack([spun + CENTRE, body[:, 2]])[None], 20, 0)
    return replace(table, keypoints=keypoints.astype(np.float32), meta={**table.meta, **meta})


def _upright(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shoulders above hips."""
    body = keypoints.copy()
    body[[5, 6], :2] = CENTRE + np.array([[30, -100], [-30, -100]])
    body[[11, 12], :2] = CENTRE + np.array([[20, 50], [-20, 50]])
    return body


@pytest.mark.parametrize(
    ("clockwise", "seen"), [(90, "heads to the right"), (180, "upside down"), (270, "heads to the left")]
)
def test_the_note_names_the_turn_that_sets_people_upright(clockwise: int, seen: str) -> None:
    note = turn_note(_table(clockwise + 10))
    assert note is not None
    assert seen in note
    assert f"--rotate {360 - clockwise} " in note


@pytest.mark.parametrize("clockwise", [0, 30, -40, 50])
def test_no_note_of_people_who_stand_or_lean(clockwise: float) -> None:
    assert turn_note(_table(clockwise)) is None


def test_a_turn_that_the_user_chose_is_added() -> None:
    note = turn_note(_table(180, video={"rotate": 90}))
    assert note is not None
    assert "--rotate 270 " in note


def test_no_note_if_people_are_turned_now_and_then_or_are_not_seen() -> None:
    table = _table(180)
    some = table.keypoints.copy()
    some[:5] = _table(0).keypoints[:5]
    assert turn_note(replace(table, keypoints=some)) is None
    unseen = table.keypoints.copy()
    unseen[..., 2] = 0.1
    assert turn_note(replace(table, keypoints=unseen)) is None
