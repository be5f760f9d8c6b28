import numpy as np

from videopose.render.long_pauses import long_pauses, shown_pause


def test_a_pause_is_longer_than_a_second_and_than_usual() -> None:
    time = np.array([0, 0.04, 0.08, 0.12, 0.16, 1.0, 5.0, 5.04, 4000.0])
    assert shown_pause(time) == 1.0
    assert long_pauses(time) == [5, 7]


def test_the_steps_of_a_time_lapse_are_no_pauses() -> None:
    time = np.array([0, 5.0, 10.0, 16.0, 21.0, 90.0])
    assert shown_pause(time) == 15.0
    assert long_pauses(time) == [4]


def test_one_frame_and_none() -> None:
    assert long_pauses(np.zeros(1)) == long_pauses(np.zeros(0)) == []
