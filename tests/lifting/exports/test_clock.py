import numpy as np
import pytest

from videopose.lifting.exports.clock import make_clock


@pytest.mark.parametrize("rate", [24000 / 1001, 25, 30000 / 1001, 30, 50, 59.94005994, 120, 12.5, 240])
@pytest.mark.parametrize("digits", [3, 6])
def test_an_even_video_keeps_its_frames_and_its_rate(rate: float, digits: int) -> None:
    time = 1.7 + np.round(np.arange(2000) / rate, digits)
    clock = make_clock(time, rate * 1.0001, None)
    assert (clock.resampled, clock.uneven) == (False, False)
    assert clock.rate == pytest.approx(rate, rel=1e-6)
    assert clock.span(np.array([5, 9])).tolist() == [5, 6, 7, 8, 9]


def test_a_rate_that_is_wanted_begins_at_the_videos_first_frame() -> None:
    clock = make_clock(2.0 + np.arange(31) / 30, 30.0, 10.0)
    assert clock.resampled
    assert clock.span(np.array([0, 30])).tolist() == list(range(11))
    assert clock.span(np.array([4, 29])).tolist() == list(range(2, 10))


def test_the_videos_own_rate_changes_nothing() -> None:
    assert not make_clock(np.arange(300) / 30, 30.0, 30.0).resampled


def test_a_short_track_between_two_ticks_has_one_frame() -> None:
    clock = make_clock(np.arange(31) / 30, 30.0, 1.0)
    assert clock.span(np.array([7, 9])).tolist() == [1]


def test_a_video_of_one_frame() -> None:
    clock = make_clock(np.array([0.0]), 25.0, None)
    assert (clock.rate, clock.span(np.array([0])).tolist()) == (25.0, [0])


def test_a_pause_makes_a_video_uneven() -> None:
    time = np.arange(100) / 25 + np.where(np.arange(100) > 60, 1.0, 0.0)
    clock = make_clock(time, 25.0, None)
    assert (clock.uneven, clock.resampled, clock.rate) == (True, True, 25.0)
    assert len(clock.span(np.array([0, 99]))) == 125


@pytest.mark.parametrize(("pause", "seconds"), [(3.0, 3.0), (36_000.0, 10.0)])
def test_long_pauses_are_shortened(pause: float, seconds: float) -> None:
    time = np.arange(60) / 30
    time[30:] += pause - 1 / 30
    clock = make_clock(time, 30.0, None)
    assert clock.resampled
    assert len(clock.span(np.array([0, 59]))) == pytest.approx(30 * seconds + 59, abs=2)
    assert clock.times[30] - clock.times[29] == pytest.approx(seconds)


def test_a_time_lapse_has_no_pauses() -> None:
    clock = make_clock(60.0 * np.arange(20), 1 / 60, None)
    assert not clock.resampled
    assert clock.times[-1] == 19 * 60
