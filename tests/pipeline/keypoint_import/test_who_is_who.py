import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.detectors.people import FEET
from videopose.pipeline.keypoint_import.layouts import LAYOUTS
from videopose.pipeline.keypoint_import.sightings import Sightings
from videopose.pipeline.keypoint_import.who_is_who import follow


def _person() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform([0, 0, 0.9], [500, 300, 0.9], (1, 17, 3)).astype(np.float32)


def _sightings(frame: list[int], person: list[int]) -> Sightings:
    """Two people's rows: person 7 stands on the left, others on the right."""
    keypoints = np.repeat(_person(), len(frame), 0)
    keypoints[..., 0] += np.where(np.array(person) % 10 == 7, 0, 2000)[:, None]
    return Sightings("", LAYOUTS["coco17"], np.array(frame), keypoints, np.array(person))


def test_the_file_s_own_numbers() -> None:
    frames, times = np.arange(10, 20, dtype=np.int32), np.arange(10) / 30
    found = _sightings([12, 10, 11, 30, 10, 13], [7, 7, 7, 7, 9, 9])
    first, second = follow(found, frames, times)
    assert (first.frames.tolist(), second.frames.tolist()) == ([10, 11, 12], [10, 13])
    assert first.keypoints[:, :, 0].max() < 2000 <= second.keypoints[:, :, 0].min()


@pytest.mark.parametrize("person", [[7, 7, 8] * 5, [-1, -7, -1] * 5])
def test_people_are_linked_where_numbers_do_not_tell(person: list[int]) -> None:
    """One number for two people of a frame, or none at all."""
    frames, times = np.arange(5, dtype=np.int32), np.arange(5) / 30
    found = _sightings([n for n in range(5) for _ in range(3)], person)
    found.keypoints[1::3, :, 0] += 4000
    tracks = follow(found, frames, times)
    assert [track.frames.tolist() for track in tracks] == [[0, 1, 2, 3, 4]] * 3
    assert all(np.ptp(track.keypoints[..., 0], axis=0).max() == 0 for track in tracks)


@pytest.mark.parametrize("layout", ["halpe26", "halpe136", "body25", "wholebody133"])
@pytest.mark.parametrize("person", [7, -1])
def test_heels_and_toes_are_kept(layout: str, person: int) -> None:
    skeleton = LAYOUTS[layout]
    keypoints = np.random.default_rng(0).uniform([0, 0, 0.9], [500, 300, 0.9], (5, len(skeleton), 3))
    keypoints[:] = keypoints[0]  # who stands still
    found = Sightings("", skeleton, np.arange(5), keypoints.astype(np.float32), np.full(5, person))
    (track,) = follow(found, np.arange(5, dtype=np.int32), np.arange(5) / 30)
    assert track.extra_names == FEET
    assert track.extra is not None
    np.testing.assert_allclose(track.extra, keypoints[:, list(skeleton.indices(*FEET))], rtol=1e-6)


def test_no_heels_and_toes_if_none_was_found() -> None:
    layout = LAYOUTS["body25"]  # as of BODY_25 cut to 18
    keypoints = np.full((5, 25, 3), 0.5, np.float32)
    keypoints[:, 19:] = 0
    found = Sightings("", layout, np.arange(5), keypoints, np.full(5, 7))
    (track,) = follow(found, np.arange(5, dtype=np.int32), np.arange(5) / 30)
    assert track.extra is None
