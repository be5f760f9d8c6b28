"""Linking, gaps and presence, on people who walk by a formula and on the demo clip."""

from itertools import islice

import av
import numpy as np
import pytest

from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.people import People
from videopose.detectors.tracking import Track, fill_gaps, keypoint_boxes, link, most_present
from videopose.pipeline.downloads.assets import fetch

# nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles of a person 100 px tall, hips at 0, 0
BODY = np.array(
    [
        *([0, -48], [2, -50], [-2, -50], [5, -49], [-5, -49]),
        *([11, -35], [-11, -35], [14, -18], [-14, -18], [15, -2], [-15, -2]),
        *([7, 0], [-7, 0], [7, 24], [-7, 24], [7, 46], [-7, 46]),
    ],
    np.float32,
)


def body(x: float, y: float = 200, scale: float = 1, score: float = 0.8) -> np.ndarray:
    """(17, 3) keypoints of a person whose hips are at x, y."""
    return np.column_stack([BODY * scale + [x, y], np.full(17, score)]).astype(np.float32)


def people(*bodies: np.ndarray) -> People:
    if not bodies:
        return People.none()
    keypoints = np.stack(bodies)
    return People(keypoint_boxes(keypoints), keypoints[..., 2].mean(1), keypoints)


def clock(count: int, rate: float = 30) -> dict[str, np.ndarray]:
    return {"frames": np.arange(count, dtype=np.int32), "times": np.arange(count) / rate}


def walk(speed: float, start: float, count: int, **options: float) -> list[np.ndarray]:
    return [body(start + speed * t, **options) for t in range(count)]


def hips(track: Track) -> np.ndarray:
    return track.keypoints[:, 11:13, 0].mean(1)


def test_two_people_who_cross_keep_their_ids():
    left, right = walk(4, 100, 60), walk(-4, 340, 60)
    # the order within a frame means nothing: turn it about now and then
    frames = [
        people(a, b) if t % 3 else people(b, a) for t, (a, b) in enumerate(zip(left, right, strict=True))
    ]
    tracks = link(frames, **clock(60))
    assert [len(track) for track in tracks] == [60, 60]
    rightward = next(track for track in tracks if hips(track)[0] < 200)
    assert (np.diff(hips(rightward)) > 0).all()


def test_one_is_hidden_while_they_cross():
    left, right = walk(4, 100, 60), walk(-4, 340, 60)
    frames = [
        people(a, b) if not 24 <= t < 37 else people(a)
        for t, (a, b) in enumerate(zip(left, right, strict=True))
    ]
    tracks = link(frames, **clock(60))
    assert sorted(len(track) for track in tracks) == [47, 60]
    hidden = min(tracks, key=len)
    assert (np.diff(hips(hidden)) < 0).all()


def test_short_absence_is_the_same_person_and_a_long_one_is_not():
    frames = [people(body(100)) if t < 20 or t >= 50 else people() for t in range(80)]
    assert len(link(frames, **clock(80), max_absence=1.1)) == 1
    assert len(link(frames, **clock(80), max_absence=0.9)) == 2
    # the same frames filmed at three frames a second: ten seconds are long
    assert len(link(frames, **clock(80, rate=3), max_absence=1.1)) == 2


def test_someone_else_elsewhere_is_not_the_one_who_left():
    frames = [people(body(100)) if t < 20 else people(body(900)) for t in range(40)]
    tracks = link(frames, **clock(40))
    assert [track.frames.tolist() for track in tracks] == [[*range(20)], [*range(20, 40)]]
    assert [track.id for track in tracks] == [0, 1]


def test_size_sets_the_reach():
    # forty pixels within a frame are little for a person 400 px tall, and far for one 30 px tall
    assert len(link([people(body(100 + 40 * t, scale=4)) for t in range(10)], **clock(10))) == 1
    frames = [people(body(100, scale=0.3) if t < 10 else body(140, scale=0.3)) for t in range(20)]
    assert len(link(frames, **clock(20))) == 2


def test_flicker_is_dropped_unless_the_clip_is_short():
    frames = [people(body(100), body(500)) if 10 <= t < 13 else people(body(100)) for t in range(30)]
    assert len(link(frames, **clock(30))) == 1
    assert len(link(frames, **clock(30), min_seen=3)) == 2
    assert [len(t) for t in link([people(body(100))], **clock(1))] == [1]


def test_frame_numbers_are_kept_and_no_people_are_no_track():
    numbers = np.arange(90, 110, dtype=np.int32)
    (track,) = link([people(body(100))] * 20, frames=numbers, times=np.arange(20) / 30)
    assert track.frames.tolist() == numbers.tolist()
    assert link([people()] * 5, **clock(5)) == []
    assert link([], **clock(0)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"frames": np.arange(4, dtype=np.int32), "times": np.arange(3.0)},
        {"frames": np.arange(4, dtype=np.int32), "times": np.arange(4.0)},
        {"frames": np.array([0, 2, 2], np.int32), "times": np.arange(3.0)},
        {"frames": np.arange(3, dtype=np.int32), "times": np.array([0, 0.2, 0.1])},
    ],
)
def test_clocks_that_disagree(options):
    with pytest.raises(ValueError, match=r"shapes disagree|expected people of|must rise"):
        link([people()] * 3, **options)


def seen_at(places, times, number=0, score=0.8):
    """A person who moves 100 px a second, seen at some of the times."""
    keypoints = np.stack([body(100 * times[i], score=score) for i in places])
    return Track(number, np.array(places, np.int32), keypoints, np.zeros(len(places), bool))


def test_short_gap_is_filled_in_real_time():
    # frames come late now and then, as phones deliver them
    times = np.cumsum(np.tile([0.02, 0.05, 0.03], 12))
    places = [i for i in range(36) if not 14 <= i < 20]
    (filled,) = fill_gaps([seen_at(places, times)], frames=np.arange(36, dtype=np.int32), times=times)
    assert filled.frames.tolist() == [*range(36)]
    assert np.flatnonzero(filled.filled).tolist() == [*range(14, 20)]
    np.testing.assert_allclose(hips(filled), 100 * times, atol=0.01)  # steady motion stays steady
    np.testing.assert_allclose(filled.keypoints[14:20, :, 2], 0.4)
    np.testing.assert_allclose(filled.keypoints[~filled.filled, :, 2], 0.8)


def test_filling_never_overshoots():
    places = [*range(10), *range(20, 30)]
    x = np.array([3.0 * i for i in range(10)] + [30.0] * 10)  # walks, then stands
    track = Track(0, np.array(places, np.int32), np.stack([body(v) for v in x]), np.zeros(20, bool))
    (filled,) = fill_gaps([track], **clock(30))
    assert (np.diff(hips(filled)) >= -1e-4).all()
    assert hips(filled).max() <= 30.001


def test_a_long_gap_stays_empty_and_the_person_keeps_the_id():
    places = [*range(10), *range(13, 20), *range(40, 60)]
    (track,) = fill_gaps([seen_at(places, np.arange(60) / 30)], **clock(60))
    assert track.id == 0
    assert track.frames.tolist() == [*range(20), *range(40, 60)]
    assert np.flatnonzero(track.filled).tolist() == [10, 11, 12]


def test_the_gap_is_measured_in_seconds_between_sightings():
    places = [*range(10), *range(24, 40)]  # 15 steps from 9 to 24
    track = seen_at(places, np.arange(40) / 30)
    for rate, max_gap, rows in ((30, 0.51, 40), (30, 0.49, 26), (60, 0.26, 40)):
        (filled,) = fill_gaps([track], **clock(40, rate=rate), max_gap=max_gap)
        assert len(filled) == rows


def test_one_slow_frame_is_no_gap():
    times = np.arange(20) / 30
    times[10:] += 5  # the camera paused; no frame lacks the person
    (track,) = fill_gaps([seen_at(range(20), times)], frames=np.arange(20, dtype=np.int32), times=times)
    assert len(track) == 20


def test_numbering_after_small_pieces_are_dropped():
    times = np.arange(90) / 30
    first = seen_at([0, 1, *range(40, 60), *range(80, 90)], times, number=0)
    second = seen_at([*range(30, 55), 75, 76], times, number=1)
    third = seen_at([3, 4], times, number=2)
    filled = fill_gaps([second, first, third], **clock(90))
    assert [(t.id, int(t.frames[0]), len(t)) for t in filled] == [(0, 30, 25), (1, 40, 30)]


def test_track_of_other_frames():
    with pytest.raises(ValueError, match="not among the given"):
        fill_gaps([seen_at([0, 1, 50], np.arange(60) / 30)], **clock(40))


def keypoints_of(*tracks: Track) -> dict[int, np.ndarray]:
    return {track.id: track.keypoints for track in tracks}


def test_most_present():
    def track(number, count, **options):
        keypoints = np.stack([body(300, **options)] * count)
        return Track(number, np.arange(count, dtype=np.int32), keypoints, np.zeros(count, bool))

    brief, small = track(0, 30), track(1, 100, scale=0.3)
    unsure, main = track(2, 100, score=0.2), track(3, 100)
    everybody = keypoints_of(brief, small, unsure, main)
    assert most_present(everybody, 1, (640, 480)) == [3]
    assert most_present(everybody, 2, (640, 480)) == [0, 3]  # in the order of ids
    assert most_present(everybody, None, (640, 480)) == [0, 1, 2, 3]
    assert most_present(everybody, 9, (640, 480)) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="at least 1"):
        most_present(everybody, 0, (640, 480))


def test_what_lies_outside_the_frame_is_not_present():
    outside = Track(0, np.arange(50, dtype=np.int32), np.stack([body(700, scale=3)] * 50), np.zeros(50, bool))
    inside = Track(1, np.arange(50, dtype=np.int32), np.stack([body(300)] * 50), np.zeros(50, bool))
    assert most_present(keypoints_of(outside, inside), 1, (640, 480)) == [1]


@pytest.mark.parametrize(
    "change",
    [
        {"id": -1},
        {"frames": np.array([0, 0], np.int32)},
        {"frames": np.zeros(0, np.int32)},
        {"keypoints": np.zeros((2, 16, 3), np.float32)},
        {"keypoints": np.full((2, 17, 3), np.nan, np.float32)},
        {"filled": np.zeros(3, bool)},
    ],
)
def test_tracks_check_themselves(change):
    whole = {
        "id": 0,
        "frames": np.array([4, 7], np.int32),
        "keypoints": np.zeros((2, 17, 3), np.float32),
        "filled": np.zeros(2, bool),
    }
    assert len(Track(**whole)) == 2
    with pytest.raises(ValueError, match=r"expected an id|shapes disagree|must rise"):
        Track(**{**whole, **change})


def test_demo_clip_is_two_people_throughout(demo_clip):
    # every third frame: the man jumps off the wall, turns over in the air and runs away, the woman walks by
    with av.open(str(demo_clip)) as container:
        images = [f.to_ndarray(format="rgb24") for f in islice(container.decode(video=0), 0, 200, 3)]
    detector = MoveNet(
        multipose=(fetch("movenet-multipose.json"), fetch("movenet-multipose.bin")),
        thunder=(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")),
        look_interval=5,
        search_interval=1,
        threads=1,
    )
    numbers = np.arange(0, 200, 3, dtype=np.int32)
    tracks = link(list(detector.detect(images)), frames=numbers, times=numbers / 30)
    assert [track.id for track in tracks] == [0, 1]
    man, woman = tracks
    assert man.frames[0] == 0
    assert man.frames[-1] > 190
    assert len(man) > 40
    assert woman.frames[0] < 64
    assert len(woman) > 30
    # the man is on the wall until he jumps, and goes right; the woman walks left below
    assert (man.keypoints[man.frames < 150, :, 1].mean(1) < 400).all()
    assert (woman.keypoints[..., 1].mean(1) > 550).all()
    assert (np.diff(hips(woman)) < 10).all()
    assert most_present(keypoints_of(*tracks), 1, (1768, 994)) == [man.id]


@pytest.mark.parametrize("pause", [3.0, 60.0, 7200.0])
def test_time_without_frames_is_no_absence(pause: float):
    frames = [people(body(100 + t)) for t in range(60)]
    ticks = clock(60)
    ticks["times"][30:] += pause
    (track,) = fill_gaps(link(frames, **ticks), **ticks)
    assert len(track) == 60
    # a person missed on the frame beside the pause is interpolated, as on any other frame
    frames[30] = people()
    (track,) = fill_gaps(link(frames, **ticks), **ticks)
    assert track.filled.nonzero()[0].tolist() == [30]


@pytest.mark.parametrize("rate", [2.0, 0.4, 0.01])
def test_a_time_lapse_is_one_track(rate: float):
    frames = [people(body(100 + 10 * (t % 7))) for t in range(40)]
    frames[20] = people()
    (track,) = fill_gaps(link(frames, **clock(40, rate)), **clock(40, rate))
    assert len(track) == 40
    # who is missing on ten frames was out of sight
    frames[20:30] = [people()] * 10
    assert len(link(frames, **clock(40, rate))) == 2


def test_people_who_appear_after_hours_are_assigned_by_place():
    left, right = body(100), body(400)
    ticks = clock(20)
    ticks["times"][10:] += 36_000
    tracks = link([people(left, right)] * 10 + [people(right, left)] * 10, **ticks)
    assert [len(track) for track in tracks] == [20, 20]
    assert np.ptp(hips(tracks[0])) == 0
