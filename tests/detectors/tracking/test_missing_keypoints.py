import numpy as np
import pytest

from videopose.detectors.tracking import Track, place_missing

NOSE, LEYE, LEAR = 0, 1, 3
LSHOULDER, LELBOW, LWRIST, LHIP, RHIP, LKNEE, LANKLE = 5, 7, 9, 11, 12, 13, 15
TIMES = np.array([0.0, 0.1, 0.2, 0.4, 0.5, 0.6])


def _walker() -> Track:
    """A person who is carried to the right at 100 pixels a second, all keypoints seen."""
    body = np.random.default_rng(0).uniform(0, 200, (17, 2))
    xy = body + TIMES[:, None, None] * [100, 0]
    keypoints = np.concatenate([xy, np.full((6, 17, 1), 0.8)], -1).astype(np.float32)
    return Track(0, np.arange(6, dtype=np.int32), keypoints, np.zeros(6, np.bool_))


def _without(track: Track, *missing: tuple[slice, int]) -> Track:
    keypoints = track.keypoints.copy()
    for frames, joint in missing:
        keypoints[frames, joint] = [999, -999, 0]
    return Track(track.id, track.frames, keypoints, track.filled)


def test_nothing_is_missing() -> None:
    track = _walker()
    assert place_missing(track, TIMES) is track


@pytest.mark.parametrize("joint", range(17))
@pytest.mark.parametrize("frames", [slice(0, 2), slice(2, 4), slice(4, 6)])
def test_a_limb_moves_with_its_neighbour_and_the_trunk_evenly(joint: int, frames: slice) -> None:
    whole = _walker()
    found = place_missing(_without(whole, (frames, joint)), TIMES)
    others = [i for i in range(17) if i != joint]
    np.testing.assert_array_equal(found.keypoints[:, others], whole.keypoints[:, others])
    assert (found.keypoints[frames, joint, 2] == 0).all()
    trunk_at_an_end = joint in (5, 6, 11, 12) and frames != slice(2, 4)
    if trunk_at_an_end:  # stays where it was seen last
        seen = found.keypoints[2 if frames.start == 0 else 3, joint, :2]
        np.testing.assert_array_equal(found.keypoints[frames, joint, :2], [seen, seen])
    else:
        np.testing.assert_allclose(
            found.keypoints[frames, joint, :2], whole.keypoints[frames, joint, :2], atol=1e-3
        )


def test_what_is_never_seen_is_put_on_its_neighbour() -> None:
    always = slice(None)
    found = place_missing(_without(_walker(), (always, LWRIST), (always, LEAR), (always, LANKLE)), TIMES)
    for joint, neighbour in ((LWRIST, LELBOW), (LEAR, LEYE), (LANKLE, LKNEE)):
        np.testing.assert_array_equal(found.keypoints[:, joint, :2], found.keypoints[:, neighbour, :2])


def test_a_whole_arm_hangs_on_the_shoulder() -> None:
    missing = [(slice(2, 4), LELBOW), (slice(1, 5), LWRIST)]
    found = place_missing(_without(_walker(), *missing), TIMES)
    np.testing.assert_allclose(found.keypoints[..., :2], _walker().keypoints[..., :2], atol=1e-3)


def test_legs_and_hips_out_of_the_picture() -> None:
    whole = _walker()
    legs = [(slice(None), joint) for joint in range(LHIP, 17)]
    found = place_missing(_without(whole, *legs), TIMES)
    middle = whole.keypoints[:, :LHIP, :2].mean(1)
    for joint in (LHIP, RHIP, LANKLE):
        np.testing.assert_allclose(found.keypoints[:, joint, :2], middle, atol=1e-3)
    assert np.isfinite(found.keypoints).all()


def test_frames_without_keypoints_stay_as_they_are() -> None:
    track = _without(_walker(), *[(slice(0, 1), joint) for joint in range(17)])
    assert place_missing(track, TIMES) is track
