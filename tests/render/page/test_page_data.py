import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import InputError
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.exports.tracks import tracks_in_world
from videopose.lifting.pose_table import PoseTable
from videopose.render.page import PageVideo, Part, Shown, page_data, shown_part
from videopose.skeleton import H36M17


def walkers(frames: int, people: int = 2, first: int = 0) -> PoseTable:
    """People who stand still and slide along x, 30 frames a second."""
    from standing import STILL

    pose = np.tile(
        (STILL[:17] - STILL[0]) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]), (people * frames, 1, 1)
    )
    root = np.zeros((people * frames, 3))
    root[:, 0] = np.tile(np.arange(frames) / 30, people)
    root[:, 2] = 4 + np.repeat(np.arange(people), frames)
    return PoseTable(
        track=np.repeat(np.arange(people), frames).astype(np.int32),
        frame=np.tile(np.arange(first, first + frames), people).astype(np.int32),
        keypoints=np.full((people * frames, 17, 3), 0.5, np.float32),
        pose=pose.astype(np.float32),
        root=root.astype(np.float32),
        filled=np.zeros(people * frames, np.bool_),
        time=np.arange(first + frames + 3) / 30,
        size=(1280, 720),
        intrinsics=Intrinsics.centred(1000, (1280, 720)),
    )


def unpack(packed: dict[str, str]) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(packed["data"]), np.dtype(packed["type"]).newbyteorder("<"))


def test_joints_are_stored_to_half_a_millimetre() -> None:
    table = walkers(40)
    data = json.loads(json.dumps(page_data([Shown(Part(table))]), allow_nan=False))
    track = data["sources"][0]["tracks"][1]
    stored = unpack(track["joints"]).reshape(40, 17, 3) * track["scale"] + track["offset"]
    expected = table.world()[table.track == 1]
    expected = expected - expected[..., 2].min() + stored[..., 2].min()  # each track stands on the floor
    np.testing.assert_allclose(stored[..., :2], table.world()[table.track == 1][..., :2], atol=5.1e-4)
    assert np.ptp(stored[..., 2] - expected[..., 2]) < 3
    np.testing.assert_allclose(
        np.diff(stored[..., 2], axis=1), np.diff(expected[..., 2], axis=1), atol=1.1e-3
    )
    assert data["skeleton"]["names"] == list(H36M17.names)
    assert data["duration"] == pytest.approx(table.time[-1])


def test_a_camera_that_stands_still_is_stored_once() -> None:
    table = walkers(10, 1)
    [source] = page_data([Shown(Part(table))])["sources"]
    assert unpack(source["positions"]).shape == (3,)
    table.camera_position[5:, 0] = 1
    [source] = page_data([Shown(Part(table))])["sources"]
    assert unpack(source["positions"]).shape == (13 * 3,)
    [source] = page_data([Shown(Part(table), has_camera=False, keypoints=False)])["sources"]
    assert source["intrinsics"] is None
    assert source["tracks"][0]["keypoints"] is None


def test_the_part_that_is_shown_begins_with_the_first_person() -> None:
    shown = shown_part(walkers(20, 1, first=7))
    part = shown.table
    assert (shown.first, shown.every, shown.pauses, len(part.time)) == (7, 1, (), 20)
    assert part.frame.tolist() == list(range(20))
    assert part.time[0] == 0
    assert part.time[-1] == pytest.approx(19 / 30)


def test_a_long_motion_is_thinned() -> None:
    table = walkers(1000, 2, first=3)
    shown = shown_part(table, most_rows=300)
    part = shown.table
    assert (shown.first, shown.every) == (3, 7)
    assert len(part) <= 300
    np.testing.assert_allclose(part.time, table.time[3:1003:7] - table.time[3])
    np.testing.assert_array_equal(part.root[part.track == 1], table.root[table.track == 1][::7])
    data = page_data([Shown(shown)], note="thinned")
    assert (data["firstFrame"], data["every"], data["note"]) == (3, 7, "thinned")
    assert data["begins"] == pytest.approx(table.time[3])


def test_angles_that_are_not_known_have_a_number_of_their_own() -> None:
    [track] = page_data([Shown(Part(walkers(5, 1)))])["sources"][0]["tracks"]
    turn = unpack(track["angles"]["hip_rotation_left"])  # a straight leg does not show its turn
    assert (turn == -32768).all()
    assert np.abs(unpack(track["angles"]["knee_flexion_left"])).max() < 200
    assert track["angleJoints"].keys() == track["angles"].keys()
    legs = [H36M17.index(name) for name in ("lhip", "lknee", "lfoot")]
    assert track["angleJoints"]["knee_flexion_left"] == legs


def test_a_table_without_poses() -> None:
    table = walkers(5, 1)
    table.pose[:] = np.nan
    with pytest.raises(InputError, match="no poses"):
        page_data([Shown(Part(table))])
    with pytest.raises(InputError, match="no people"):
        page_data([Shown(shown_part(table[:0]))])


def test_the_video_is_described() -> None:
    data = page_data([Shown(Part(walkers(5, 1)))], video=PageVideo("clip.mp4", "a%20b/clip.mp4", 0.1))
    assert data["video"] == {"name": "clip.mp4", "link": "a%20b/clip.mp4", "offset": 0.1}


def test_damaged_frames_are_those_of_the_part() -> None:
    table = replace(walkers(40, 1, first=5), meta={"damaged": {"frames": [0, 4, 5, 8, 9, 44, 46]}})
    assert page_data([Shown(shown_part(table))])["damaged"] == [0, 3, 4, 39]
    thinned = shown_part(table, most_rows=10)
    assert (thinned.every, thinned.damaged) == (4, (0, 1, 9))
    assert page_data([Shown(shown_part(walkers(5, 1)))])["damaged"] == []


def test_a_long_pause_is_shortened_and_told() -> None:
    table = walkers(40, 1)
    table.time[25:] += 3600
    shown = shown_part(table)
    assert shown.table.time[-1] == pytest.approx(39 / 30 + 1 - 1 / 30)
    [(begins, left_out)] = page_data([Shown(shown)])["pauses"]
    assert begins == pytest.approx(24 / 30)
    assert left_out == pytest.approx(3600 - 1 + 1 / 30)


def test_the_box_holds_whole_bodies_from_the_first_step_to_the_last() -> None:
    table = walkers(60, 1)
    table.root[:, 0] += np.linspace(-2, 2, 60, dtype=np.float32)  # a walk across
    box = page_data([Shown(Part(table))])["box"]
    joints = np.concatenate([track.joints for track in tracks_in_world(table)])
    for frame in (1, -2):
        assert (joints[frame].min(0) >= np.array(box["low"]) - 0.05).all()
        assert (joints[frame].max(0) <= np.array(box["high"]) + 0.05).all()
