import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.lifting.inference.live_clock import MOST_STREAMS, LiveClock, Turn, between


def turns(times: NDArray[np.float64], rate: float = 30, camera: float | None = None) -> list[Turn]:
    clock = LiveClock(rate, camera)
    return [clock.turn(float(time)) for time in times]


@pytest.mark.parametrize("camera", [22.6, 24, 25, 29.97, 30, 33, 40])
@pytest.mark.parametrize("known", [True, False])
def test_near_the_lifter_s_rate_each_frame_is_one_step(camera: float, known: bool) -> None:
    times = np.arange(100) / camera
    assert set(turns(times, camera=camera if known else None)) == {Turn(0, 0, 1)}


def test_time_stamps_in_milliseconds_are_even_enough() -> None:
    assert set(turns(np.round(np.arange(200) / 22.6, 3), camera=22.6)) == {Turn(0, 0, 1)}


@pytest.mark.parametrize(("camera", "steps"), [(20, 2), (15, 2), (10, 3), (7.5, 3)])
def test_frames_are_inserted_behind_a_slow_camera(camera: float, steps: int) -> None:
    found = turns(np.arange(40) / camera, camera=camera)
    assert found[0] == Turn(0, 0, 1)
    assert set(found[1:]) == {Turn(0, 0, steps)}
    assert 0.75 <= camera * steps / 30 <= 1.36


@pytest.mark.parametrize(("camera", "networks"), [(45, 2), (48, 2), (50, 2), (60, 2), (90, 3), (120, 4)])
def test_networks_take_turns_behind_a_fast_camera(camera: float, networks: int) -> None:
    found = turns(np.arange(60) / camera, camera=camera)
    assert [turn.stream for turn in found] == [i % networks for i in range(60)]
    assert {turn.steps for turn in found} == {1}
    assert [turn.averaged for turn in found] == [min(i + 1, networks) for i in range(60)]
    assert all(turn.source == turn.stream for turn in found[networks:])
    assert [turn.source for turn in found[1:networks]] == [0] * (networks - 1)


def test_a_very_fast_camera_has_a_limit() -> None:
    assert LiveClock(30).turn(0.0).averaged == 1
    assert max(turn.stream for turn in turns(np.arange(2000) / 1000, camera=1000)) == MOST_STREAMS - 1


def test_the_rate_is_measured() -> None:
    found = turns(np.arange(60) / 60)
    assert {turn.stream for turn in found[20:]} == {0, 1}
    slower = turns(np.concatenate([np.arange(60) / 60, 1 + np.arange(60) / 30]))
    assert len({turn.stream for turn in slower[80:]}) == 1


@pytest.mark.parametrize(("left_out", "steps"), [(1, 2), (2, 3), (5, 6)])
def test_dropped_frames_are_replaced(left_out: int, steps: int) -> None:
    times = np.delete(np.arange(60) / 30, range(30, 30 + left_out))
    found = turns(times)
    assert found[30] == Turn(0, 0, steps)
    assert {turn.steps for turn in found[:30] + found[31:]} == {1}


def test_a_long_pause_costs_no_long_wait() -> None:
    found = turns(np.concatenate([np.arange(30) / 30, 3600 + np.arange(30) / 30]))
    assert found[30].steps <= 15


def test_times_that_do_not_rise() -> None:
    assert [turn.steps for turn in turns(np.array([0, 0, 0.1, 0.05, 0.2]))] != []
    assert LiveClock(None).turn(1.0) == LiveClock(30).turn(None) == Turn(0, 0, 1)


def test_inserted_frames_are_even() -> None:
    frames = between(np.zeros(2, np.float32), np.ones(2, np.float32), 4)
    np.testing.assert_allclose(np.stack(frames)[:, 0], [0.25, 0.5, 0.75, 1])
