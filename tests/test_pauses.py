import numpy as np

from videopose.pauses import shorten_pauses


def test_long_steps_are_shortened_and_others_kept() -> None:
    times = np.array([1.0, 1.5, 8.5, 9.0, 90_000.0])
    np.testing.assert_allclose(shorten_pauses(times, 2.0), [1.0, 1.5, 3.5, 4.0, 6.0])


def test_times_without_pauses_stay_as_they_are() -> None:
    for times in (np.arange(5.0), np.array([3.0]), np.empty(0)):
        assert shorten_pauses(times, 1.0) is times
