"""When MoveNet looks for people."""

from videopose.detectors.movenet.schedule import Look, Schedule


def looks(counts, *, lost=(), full=False, look=20, search=3) -> list[Look]:
    schedule = Schedule(look, search)
    return [
        schedule.next(followed=followed, lost=int(index in lost), full=full)
        for index, followed in enumerate(counts)
    ]


def test_first_frame_is_searched_with_all_glances():
    assert looks([0])[0] is Look.ALL


def test_followed_people_cost_one_look_an_interval_and_a_further_glance_every_other():
    found = looks([0] + [1] * 100)
    assert [index for index, look in enumerate(found) if look is not Look.NONE] == [0, 20, 40, 60, 80, 100]
    assert [found[index] for index in (20, 40, 60, 80)] == [Look.ONE_MORE, Look.WHOLE] * 2


def test_one_further_glance_at_a_time_while_no_one_is_found():
    found = looks([0] * 31)
    assert [look for look in found if look is not Look.NONE] == [Look.ALL] + [Look.ONE_MORE] * 10
    assert [index for index, look in enumerate(found) if look is not Look.NONE] == list(range(0, 31, 3))


def test_all_glances_when_the_last_person_is_lost_but_not_again_at_once():
    found = looks([0] + [1] * 29 + [0] * 10, lost={30, 33})
    assert found[30] is Look.ALL
    assert found[33] is Look.ONE_MORE


def test_one_of_two_lost():
    found = looks([0] + [2] * 29 + [1] * 30, lost={30})
    assert [found[index] for index in (30, 33, 36, 39, 42, 45, 48)] == [Look.ONE_MORE] * 7
    assert found[31] is Look.NONE
    assert Look.ALL not in found[1:]


def test_no_further_glance_if_no_one_may_be_added():
    found = looks([0] + [1] * 60, full=True)
    assert set(found) == {Look.WHOLE, Look.NONE}


def test_goes_on_from_its_state():
    counts = [0, 0, 1, 1, 1, 0, 0, 0] * 4
    whole, parts = Schedule(6, 2), Schedule(6, 2)
    for index, followed in enumerate(counts):
        lost = int(index > 0 and counts[index - 1] > followed)
        state, parts = parts.state(), Schedule(6, 2)
        parts.resume(state)
        expected = whole.next(followed=followed, lost=lost, full=False)
        assert parts.next(followed=followed, lost=lost, full=False) is expected
        assert parts.in_turn("abcde") == whole.in_turn("abcde")


def test_glances_take_turns():
    schedule = Schedule(20, 3)
    taken = [schedule.in_turn("abc") for _ in range(6)]
    assert sorted(map("".join, taken[:3])) == ["a", "b", "c"]
    assert taken[:3] == taken[3:]
    assert schedule.in_turn(()) == ()
