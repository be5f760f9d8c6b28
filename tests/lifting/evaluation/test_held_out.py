from typing import Any

import numpy as np
import pytest

from videopose.errors import UsageError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.held_out import roles, select_held_out

CLIPS = [
    ("01", "walk"),
    ("02", "walk"),
    ("?", "walk"),
    ("?", "sit"),
    ("02", "sit"),
    ("06", "walk, veer left"),
]
ABOUT: dict[str, Any] = {
    "training_data": ["cmu.npz", "more/idle.npz"],
    "held_out_subjects": ["02", "06"],
    "config": {
        "motions": [
            {"path": "cmu.npz", "held_out": ["02", "06"], "exclude": ["?/walk"]},
            {"path": "more/idle.npz", "held_out": [], "exclude": []},
        ]
    },
}


def _table(clips: list[tuple[str, str]] = CLIPS) -> MotionCapture:
    count = len(clips)
    names = tuple(str(i) for i in range(count))
    subjects, actions = (tuple(v) for v in zip(*clips, strict=True))
    zeros = np.zeros((count, 19, 3), np.float32)
    return MotionCapture(zeros, np.ones(count, np.int64), 50.0, names, subjects, actions, names)


def test_the_training_configuration_tells_every_clip_s_role() -> None:
    assert roles(_table(), ABOUT, file="cmu.npz") == [
        "trained", "held out", "excluded", "trained", "held out", "held out",
    ]  # fmt: skip


def test_held_out_names_alone_will_do() -> None:
    about = {"training_data": ["cmu.npz"], "held_out_subjects": ["02"]}
    assert roles(_table(), about, file="cmu.npz")[:2] == ["trained", "held out"]


def test_a_renamed_table_is_known_by_its_held_out_people() -> None:
    assert roles(_table(), ABOUT, file="renamed.npz")[:2] == ["trained", "held out"]


def test_a_table_in_another_folder_is_the_same_table() -> None:
    strangers = _table([("100", "idle")])
    assert roles(strangers, ABOUT, file="idle.npz") == ["trained"]
    assert roles(strangers, {"training_data": "idle.npz"}, file="idle.npz") == ["trained"]


def test_a_table_that_training_does_not_name_is_other_data() -> None:
    assert roles(_table([("100", "idle")]), ABOUT, file="hdm05.npz") == ["other data"]


@pytest.mark.parametrize("about", [{}, {"source": "checkpoint"}, {"config": None, "training_data": None}])
def test_a_lifter_that_tells_nothing(about: dict[str, Any]) -> None:
    assert roles(_table(), about, file="cmu.npz") == ["unknown"] * 6
    selection = select_held_out(_table(), about, file="cmu.npz")
    assert selection.clips == (0, 1, 2, 3, 4, 5)
    assert "may be training people" in selection.people


def test_by_default_the_held_out_people() -> None:
    selection = select_held_out(_table(), ABOUT, file="cmu.npz")
    assert selection.clips == (1, 4, 5)
    assert "held out of" in selection.people


def test_actions_narrow_it_down() -> None:
    assert select_held_out(_table(), ABOUT, file="cmu.npz", actions={"walk"}).clips == (1,)
    assert select_held_out(_table(), ABOUT, file="cmu.npz", actions={"walk", "sit"}).clips == (1, 4)
    assert select_held_out(
        _table(), ABOUT, file="cmu.npz", actions={"walk"}, subjects={"02", "06"}
    ).clips == (1,)


def test_tables_of_other_data_are_measured_whole() -> None:
    selection = select_held_out(_table([("100", "idle"), ("101", "idle")]), ABOUT, file="hdm05.npz")
    assert selection.clips == (0, 1)
    assert "names no such file" in selection.people


def test_training_people_are_refused_by_name() -> None:
    with pytest.raises(UsageError) as caught:
        select_held_out(_table(), ABOUT, file="cmu.npz", subjects={"01", "02"})
    for part in ("cmu.npz", "trained on 01", "held out are 02, 06", "--all-subjects"):
        assert part in str(caught.value)


def test_clips_that_trained_nobody_may_be_asked_for() -> None:
    assert select_held_out(_table(), ABOUT, file="cmu.npz", subjects={"?"}, actions={"walk"}).clips == (2,)
    with pytest.raises(UsageError, match="trained on \\?"):
        select_held_out(_table(), ABOUT, file="cmu.npz", subjects={"?"})


def test_a_table_of_training_people_only_is_refused() -> None:
    with pytest.raises(UsageError, match=r"idle\.npz.*--all-subjects"):
        select_held_out(_table([("100", "idle")]), ABOUT, file="idle.npz")
    with pytest.raises(UsageError, match="not trained on"):  # those that sat are not held out
        select_held_out(_table([("01", "sit"), ("02", "walk")]), ABOUT, file="cmu.npz", actions={"sit"})


def test_whoever_insists_gets_training_people_and_is_told() -> None:
    selection = select_held_out(_table(), ABOUT, file="cmu.npz", all_subjects=True)
    assert selection.clips == (0, 1, 2, 3, 4, 5)
    assert "no measure of its accuracy" in selection.people
    assert select_held_out(_table(), ABOUT, file="cmu.npz", all_subjects=True, subjects={"01"}).clips == (0,)
    held = select_held_out(_table(), ABOUT, file="cmu.npz", all_subjects=True, subjects={"02"})
    assert "held out of" in held.people


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"cmu\.npz: no clip of these"):
        select_held_out(_table(), ABOUT, file="cmu.npz", subjects={"06"}, actions={"sit"})
