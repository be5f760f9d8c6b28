import math

import numpy as np
import pytest

from videopose.lifting.evaluation.breakdown import break_down, mean_of_seeds, unweighted
from videopose.lifting.evaluation.scores import METRICS, Errors, Scores


def _scores(subject: str, action: str, frames: int, value: float) -> Scores:
    """A sequence whose MPJPE is `value` in every frame, and whose other errors are its multiples."""
    return Scores(subject, action, {
        name: np.full(frames - (name == "mpjve"), (i + 1) * value) for i, name in enumerate(METRICS)
    })  # fmt: skip


def _values(errors: Errors) -> list[float]:
    return [getattr(errors, name) for name in METRICS]


def test_every_action_counts_alike_however_long() -> None:
    broken = break_down([
        _scores("A", "walk", 90, 10), _scores("B", "walk", 10, 20), _scores("B", "sit", 25, 41),
    ])  # fmt: skip
    assert list(broken.actions) == ["sit", "walk"]
    assert broken.actions["walk"].mpjpe == pytest.approx(11)  # frames count alike within an action
    assert broken.mean.mpjpe == pytest.approx((11 + 41) / 2)
    assert broken.frames.mpjpe == pytest.approx((900 + 200 + 1025) / 125)
    frames = [e.frames for e in (*broken.actions.values(), broken.mean, broken.frames)]
    assert frames == [25, 100, 125, 125]


def test_a_person_is_the_mean_of_their_actions() -> None:
    broken = break_down([
        _scores("B", "walk", 10, 20), _scores("A", "walk", 90, 10), _scores("B", "sit", 30, 40),
    ])  # fmt: skip
    assert list(broken.subjects) == ["A", "B"]
    assert broken.subjects["A"].mpjpe == pytest.approx(10)
    assert broken.subjects["B"].mpjpe == pytest.approx(30)
    assert [broken.subjects[s].frames for s in "AB"] == [90, 40]


def test_people_count_alike_and_so_do_their_actions() -> None:
    broken = break_down([
        _scores("A", "walk", 50, 10), _scores("A", "walk", 30, 20), _scores("A", "sit", 10, 30),
        _scores("B", "walk", 5, 40),
    ])  # fmt: skip
    assert list(broken.cells) == [("A", "sit"), ("A", "walk"), ("B", "walk")]
    assert broken.cells["A", "walk"].mpjpe == pytest.approx((500 + 600) / 80)  # trials pooled
    assert broken.cells["A", "walk"].frames == 80
    assert broken.subjects["A"].mpjpe == pytest.approx((13.75 + 30) / 2)
    assert broken.people.mpjpe == pytest.approx((21.875 + 40) / 2)
    assert broken.mean.mpjpe == pytest.approx((1300 / 85 + 30) / 2)  # another thing, where people differ


def test_names_come_in_the_order_asked_for() -> None:
    scores = [_scores(who, what, 2, 1) for who in "CAB" for what in ("sit", "jump", "walk")]
    broken = break_down(scores, subjects=("B", "nobody", "A"), actions=("walk", "fly", "jump"))
    assert list(broken.actions) == ["walk", "jump", "sit"]
    assert list(broken.subjects) == ["B", "A", "C"]
    assert list(broken.cells)[:4] == [("B", "walk"), ("B", "jump"), ("B", "sit"), ("A", "walk")]


def test_draws_are_averaged_line_by_line() -> None:
    draws = [break_down([_scores("A", "walk", 4, v), _scores("B", "sit", 6, 2 * v)]) for v in (1, 3)]
    mean = mean_of_seeds(draws)
    assert mean.actions["walk"].mpjpe == mean.cells["A", "walk"].mpjpe == pytest.approx(2)
    assert mean.subjects["B"].mpjpe == pytest.approx(4)
    assert (mean.mean.mpjpe, mean.people.mpjpe) == (pytest.approx(3), pytest.approx(3))
    assert mean.frames.mpjpe == pytest.approx((8 + 24) / 10)
    assert [e.frames for e in (mean.mean, mean.frames, mean.cells["B", "sit"])] == [10, 10, 6]


def test_every_metric_is_broken_down() -> None:
    broken = break_down([_scores("A", "walk", 5, 1), _scores("A", "sit", 5, 3)])
    assert _values(broken.mean) == pytest.approx([2, 4, 6, 8, 10, 12])
    assert _values(broken.subjects["A"]) == pytest.approx([2, 4, 6, 8, 10, 12])
    assert _values(broken.actions["sit"]) == pytest.approx([3, 6, 9, 12, 15, 18])


def test_an_action_of_single_frames_has_no_velocity_and_spoils_none() -> None:
    broken = break_down([_scores("A", "still", 1, 5), _scores("A", "walk", 5, 1)])
    assert math.isnan(broken.actions["still"].mpjve)
    assert broken.mean.mpjve == broken.frames.mpjve == pytest.approx(4)
    assert broken.mean.mpjpe == pytest.approx(3)
    assert math.isnan(break_down([_scores("A", "still", 1, 5)]).mean.mpjve)


def test_a_mean_may_stand_for_other_frames() -> None:
    one, other = (break_down([_scores("A", "walk", 4, v)]).frames for v in (1, 2))
    assert unweighted([one, other]).frames == 8
    assert unweighted([one, other], frames=4).frames == 4
    assert unweighted([one, other]).mpjpe == pytest.approx(1.5)


def test_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        break_down([])
    with pytest.raises(ValueError, match="nothing"):
        unweighted([])
    with pytest.raises(ValueError, match="nothing"):
        mean_of_seeds([])
