import numpy as np
import pytest

from videopose.lifting.world.contact import find_contact
from videopose.skeleton import H36M17

ANKLES = [H36M17.index("lfoot"), H36M17.index("rfoot")]


@pytest.mark.parametrize("noise", [0, 0.01])
def test_steps_of_a_walk(noise: float, walk) -> None:
    walked = walk(6.0)
    trembling = np.random.default_rng(0).normal(0, noise, (len(walked.times), 2, 3))
    contact = find_contact(walked.joints[:, ANKLES] + trembling, walked.times)
    assert contact.dtype == np.float32
    assert ((contact > 0.5) == walked.standing).mean() > 0.93
    assert 0 <= contact.min() <= contact.max() <= 1


def test_a_person_who_stands_still(walk) -> None:
    walked = walk(step=0)
    assert (find_contact(walked.joints[:, ANKLES], walked.times) > 0.5).all()


def test_the_floor_need_not_be_at_zero(walk) -> None:
    walked = walk()
    ankles = walked.joints[:, ANKLES]
    np.testing.assert_allclose(
        find_contact(ankles + np.array([0, 0, 0.4]), walked.times),
        find_contact(ankles, walked.times),
        atol=1e-5,
    )


def test_a_jump_and_a_run_through_the_air(walk) -> None:
    walked = walk(step=0)
    ankles = walked.joints[:, ANKLES].copy()
    ankles[60:75, :, 2] += 0.4 * np.sin(np.linspace(0, np.pi, 15))[:, None]
    contact = find_contact(ankles, walked.times) > 0.5
    assert not contact[63:72].any()
    assert contact[:55].all()
    assert contact[80:].all()


def test_hysteresis_bridges_trembling_around_the_limit() -> None:
    times = np.arange(60) / 30
    ankles = np.zeros((60, 2, 3))
    ankles[:, :, 0] = 0.25 * times[:, None]  # slow creeping, as roots do
    changes = np.diff((find_contact(ankles, times) > 0.5).astype(int), axis=0)
    assert not changes.any()


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_short_tracks(frames: int) -> None:
    contact = find_contact(np.zeros((frames, 2, 3)), np.arange(frames) / 30)
    assert contact.shape == (frames, 2)


def test_unknown_ankles_and_gaps(walk) -> None:
    walked = walk()
    ankles = walked.joints[:, ANKLES].copy()
    ankles[20:30] = np.nan
    contact = find_contact(ankles, walked.times)
    assert np.isnan(contact[20:30]).all()
    assert np.isfinite(contact[:20]).all()
    assert np.isfinite(contact[30:]).all()
