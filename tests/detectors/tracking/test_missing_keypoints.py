from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from videopose.detectors.people import FEET
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


def _standing() -> Track:
    """A person of 1.7 m who stands, at 100 pixels a metre, seen from the front."""
    body = np.zeros((17, 2))
    body[:5] = [[0, 15], [3, 12], [-3, 12], [7, 13], [-7, 13]]
    body[5:11] = [[17, 42], [-17, 42], [20, 70], [-20, 70], [22, 95], [-22, 95]]
    body[11:] = [[10, 92], [-10, 92], [10, 135], [-10, 135], [10, 177], [-10, 177]]
    keypoints = np.concatenate([body + np.array([200, 50]), np.full((17, 1), 0.8)], -1).astype(np.float32)
    return Track(0, np.arange(6, dtype=np.int32), np.tile(keypoints, (6, 1, 1)), np.zeros(6, np.bool_))


@pytest.mark.parametrize(
    "missing",
    [range(11, 17), range(13, 17), range(7, 17), (7, 8, 9, 10), (5, 6, 7, 8, 9, 10), (9, 10, 15, 16)],
)
def test_what_neither_side_shows_is_where_a_standing_person_has_it(missing: Sequence[int]) -> None:
    whole = _standing()
    found = place_missing(_without(whole, *((slice(None), joint) for joint in missing)), TIMES)
    away = np.linalg.norm(found.keypoints[..., :2] - whole.keypoints[..., :2], axis=-1)
    assert away.max() < 25  # pixels, of 165 from head to feet
    assert (found.keypoints[:, list(missing), 2] == 0).all()


def test_a_hip_that_is_never_seen_is_put_on_the_other() -> None:
    found = place_missing(_without(_standing(), (slice(None), LHIP)), TIMES)
    np.testing.assert_array_equal(found.keypoints[:, LHIP, :2], found.keypoints[:, RHIP, :2])


def test_frames_without_keypoints_stay_as_they_are() -> None:
    track = _without(_walker(), *[(slice(0, 1), joint) for joint in range(17)])
    assert place_missing(track, TIMES) is track


def test_heels_and_toes_move_with_their_ankles() -> None:
    whole = _walker()
    ankles = whole.keypoints[:, [LANKLE, LANKLE + 1]]
    extra = np.stack([ankles[:, number % 2] + [10 * number, 5, 0] for number in range(6)], 1)
    seen = replace(whole, extra=extra.astype(np.float32), extra_names=FEET)
    np.testing.assert_array_equal(place_missing(seen, TIMES).extra, seen.extra)
    without = extra.astype(np.float32)
    without[2:4, FEET.index("lheel")] = 0
    without[:, FEET.index("rheel")] = 0
    found = place_missing(replace(seen, extra=without), TIMES).extra
    assert found is not None
    np.testing.assert_allclose(
        found[:, FEET.index("lheel"), :2], extra[:, FEET.index("lheel"), :2], rtol=1e-5
    )
    np.testing.assert_allclose(found[:, FEET.index("rheel"), :2], ankles[:, 1, :2], rtol=1e-5)
    assert (found[2:4, FEET.index("lheel"), 2] == 0).all()
