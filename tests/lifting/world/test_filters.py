from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import UsageError
from videopose.lifting.world.filters import FILTERS, Filter, butterworth, filter_motion, one_euro
from videopose.skeleton import H36M17


def _wave(times, hz):
    return np.sin(2 * np.pi * hz * times)[:, None, None] * np.ones((1, 2, 3))


def test_butterworth_halves_power_at_its_cutoff_without_delay() -> None:
    times = np.arange(600) / 60
    for hz, gain in ((0.5, 1.0), (3, 2**-0.5), (20, 0)):
        wave = _wave(times, hz)
        smooth = butterworth(wave, times, 3)
        inner = slice(120, 480)
        assert (smooth[inner] * wave[inner]).sum() / (wave[inner] ** 2).sum() == pytest.approx(gain, abs=0.02)
    shift = _wave(times - 1 / 60, 0.5)
    assert np.abs(butterworth(_wave(times, 0.5), times, 3) - shift).max() > 0.05  # one frame would be seen


@pytest.mark.parametrize("rate", [24000 / 1001, 30, 59.94])
def test_the_cutoff_is_in_hz_at_any_rate_and_with_uneven_times(rate: float) -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.7, 1.3, 400)) / rate
    slow, fast = _wave(times, 0.5), _wave(times, 8)
    assert np.abs(butterworth(slow + fast, times, 2) - slow)[20:-20].max() < 0.15


def test_a_cutoff_above_half_of_the_frame_rate_changes_nothing() -> None:
    times = np.arange(50) / 10
    wave = _wave(times, 1)
    np.testing.assert_array_equal(butterworth(wave, times, 6), wave)


def test_one_euro_calms_rest_and_keeps_up_with_speed() -> None:
    times = np.arange(300) / 30
    noise = np.random.default_rng(0).normal(0, 0.01, (300, 2, 3))
    still = one_euro(noise, times, 0.5)
    assert np.diff(still, axis=0).std() < 0.1 * np.diff(noise, axis=0).std()
    moving = 3 * times[:, None, None] * np.ones((1, 2, 3))
    error = one_euro(moving + noise, times, 0.5) - moving
    assert np.abs(error[30:-30]).mean() < 0.02  # a lag of one frame is 0.1 m


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 5])
def test_short_tracks_stay_finite(name: str, frames: int, film, walk) -> None:
    table = film([walk()], np.eye(3), (0, 0, 0))[:frames]
    filtered = filter_motion(table, [Filter(name)])
    assert np.isfinite(filtered.pose).all()
    assert len(filtered) == frames


def test_tracks_and_gaps_do_not_mix(film, walk) -> None:
    table = film([walk(), walk(start=(50, 0))], np.eye(3), (0, 0, 0))
    far = table.pose.copy()
    far[table.track == 1] += 100
    filtered = filter_motion(replace(table, pose=far), [Filter("butterworth")])
    alone = filter_motion(table[table.track == 0], [Filter("butterworth")])
    np.testing.assert_allclose(filtered.pose[table.track == 0], alone.pose, atol=1e-5)
    gap = (table.track == 0) & ~((table.frame >= 50) & (table.frame < 80))
    halves = filter_motion(table[gap], [Filter("butterworth")])
    first = filter_motion(table[(table.track == 0) & (table.frame < 50)], [Filter("butterworth")])
    np.testing.assert_allclose(halves.pose[:50], first.pose, atol=1e-5)
    pose = table.pose.copy()
    pose[10:12] = np.nan
    unlifted = filter_motion(replace(table, pose=pose), [Filter("one-euro"), Filter("bones")])
    assert np.isnan(unlifted.pose[10:12]).all()
    assert np.isfinite(unlifted.pose[12:]).all()


def test_filters_work_in_the_world_under_a_turning_camera(film, walk) -> None:
    turn = Rotation.from_euler("z", np.arange(120)[:, None] * 3, degrees=True).as_matrix()
    walked = walk()
    moving = film([walked], turn, (0, 0, 0), camera_rotation=turn.astype(np.float32))
    still = film(
        [walked], np.eye(3), (0, 0, 0), camera_rotation=np.tile(np.eye(3, dtype=np.float32), (120, 1, 1))
    )
    chosen = [Filter("butterworth", 1.0)]
    np.testing.assert_allclose(
        filter_motion(moving, chosen).world(), filter_motion(still, chosen).world(), atol=1e-4
    )


def test_bones_keep_one_length(film, walk) -> None:
    table = film([walk()], np.eye(3), (0, 0, 0))
    noisy = replace(
        table, pose=table.pose * np.random.default_rng(0).normal(1, 0.1, (120, 1, 1)).astype(np.float32)
    )
    steady = filter_motion(noisy, [Filter("bones")])
    for child, parent in H36M17.bones:
        lengths = np.linalg.norm(steady.pose[:, child] - steady.pose[:, parent], axis=-1)
        assert np.ptp(lengths) < 1e-5
    np.testing.assert_array_equal(steady.root, noisy.root)
    assert steady.meta["filters"] == ["bones"]


def test_names_and_cutoffs() -> None:
    assert Filter.parse("butterworth:4.5") == Filter("butterworth", 4.5)
    assert str(Filter.parse("butterworth")) == "butterworth:1.7"
    assert str(Filter.parse("bones")) == "bones"
    for text, message in {
        "kalman": "there is no filter 'kalman'; there are butterworth, one-euro, bones",
        "butterworth:x": "expected NAME or NAME:HZ, found 'butterworth:x'",
        "butterworth:0": "expected a cut-off of more than 0 Hz, found 0",
        "butterworth:nan": "expected a cut-off of more than 0 Hz",
        "bones:3": "bones has no cut-off frequency; leave :3 out",
    }.items():
        with pytest.raises(UsageError, match=message):
            Filter.parse(text)
