from dataclasses import replace

from walking import table_of, walking

from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.notes.unseen import unseen_notes
from videopose.skeleton import H36M17


def _table(*people: int) -> PoseTable:
    return table_of({person: walking(20)["joints"] for person in people})


def _hide(table: PoseTable, person: int, frames: int, *joints: str) -> None:
    rows = (table.track == person).nonzero()[0][:frames]
    for joint in joints:
        table.confidence[rows, H36M17.index(joint)] = 0


def test_whole_people_have_no_note() -> None:
    table = _table(1, 2)
    _hide(table, 1, 20, "lwrist")  # an arm behind the body
    _hide(table, 2, 10, "lfoot", "rfoot")  # half of the frames
    assert unseen_notes(table) == []


def test_parts_that_are_out_of_sight_are_named() -> None:
    table = _table(0, 3, 4)
    _hide(table, 0, 11, "lfoot", "rfoot")
    for person in (3, 4):
        _hide(table, person, 20, "lhip", "rhip", "lknee", "rknee", "lfoot", "rfoot", "lwrist")
    assert unseen_notes(table) == [
        "feet of person 0 are out of sight on most frames; their motion is a guess",
        "hips, knees and feet of people 3 and 4 are out of sight on most frames; their motion is a guess",
    ]


def test_a_floor_that_no_foot_shows_is_told() -> None:
    table = _table(0)
    _hide(table, 0, 11, "lfoot", "rfoot")
    for floor, told in (
        ("the lowest joints: no foot is seen at rest", True),
        ("feet at rest on 3 spots", False),
    ):
        notes = unseen_notes(replace(table, meta={**table.meta, "world": {"floor": floor}}))
        guess = (
            "no foot is seen at rest, so the height of the floor is a guess; `infer` and `lift` take "
            "--camera-height"
        )
        assert (guess in notes) == told
    lying = replace(_table(0), meta={"world": {"floor": "the lowest joints: no foot is seen at rest"}})
    assert unseen_notes(lying) == []
