import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.cameras.level import ANKLE_HEIGHT
from videopose.lifting.pose_table import PoseTable
from videopose.render.scene import Scene
from videopose.skeleton import H36M17

STANDING = np.zeros((17, 3), np.float32)
for _name, _at in {
    "knee": (0.12, 0.45, 0), "foot": (0.12, 0.9, 0), "hip": (0.12, 0, 0), "shoulder": (0.2, -0.5, 0),
    "elbow": (0.3, -0.25, 0), "wrist": (0.35, 0, 0),
}.items():  # fmt: skip
    for _side, _sign in (("l", 1), ("r", -1)):
        STANDING[H36M17.index(_side + _name)] = np.array(_at) * (_sign, 1, 1)
for _name, _height in {"spine": -0.25, "thorax": -0.5, "nose": -0.6, "head": -0.75}.items():
    STANDING[H36M17.index(_name)] = (0, _height, 0)


def _table(
    *tracks: tuple[NDArray[np.floating], int], seen_at: tuple[float, ...] = (), count: int = 100
) -> PoseTable:
    """Standing people: each one's roots (n, 3) and first frame; `seen_at`: their x in the video."""
    rows = [
        (number, first + step, root, seen_at[number] if seen_at else 0.0)
        for number, (roots, first) in enumerate(tracks)
        for step, root in enumerate(roots)
    ]
    keypoints = np.zeros((len(rows), 17, 3), np.float32)
    keypoints[:, :, 0] = np.array([row[3] for row in rows])[:, None]
    return PoseTable(
        track=np.array([row[0] for row in rows], np.int32),
        frame=np.array([row[1] for row in rows], np.int32),
        keypoints=keypoints,
        pose=np.tile(STANDING, (len(rows), 1, 1)),
        root=np.array([row[2] for row in rows], np.float32).reshape(-1, 3),
        filled=np.zeros(len(rows), np.bool_),
        time=np.arange(count) / 25,
        size=(640, 360),
        intrinsics=Intrinsics.centred(500, (640, 360)),
    )


def _line(start: tuple[float, ...], end: tuple[float, ...], count: int = 100) -> NDArray[np.float64]:
    return np.linspace(start, end, count)


NOWHERE = np.full((100, 3), np.nan)


def _joints(scene: Scene, frame: int) -> list[NDArray[np.float32]]:
    return [person.joints for person in scene.people(frame) if person.joints is not None]


def test_people_stand_where_their_roots_say() -> None:
    scene = Scene(_table((_line((-1, 0.1, 4), (1, 0.1, 4)), 0), (_line((2, 0.1, 6), (2, 0.1, 6)), 0)))
    first, second = _joints(scene, 0)
    assert second[0, ::2] - first[0, ::2] == pytest.approx([3, 2])
    assert _joints(scene, 99)[0][0, 0] - first[0, 0] == pytest.approx(2)


def test_everyone_stands_on_the_floor() -> None:
    scene = Scene(_table((_line((0, 0.3, 4), (0, 0.3, 4)), 0), (_line((1, -0.2, 4), (1, -0.2, 4)), 0)))
    for joints in _joints(scene, 50):
        assert joints[:, 1].max() == pytest.approx(-ANKLE_HEIGHT, abs=1e-5)


def test_a_jump_leaves_the_floor() -> None:
    roots = _line((0, 0.3, 4), (0, 0.3, 4))
    roots[40:50, 1] -= 0.5
    scene = Scene(_table((roots, 0)))
    assert _joints(scene, 45)[0][:, 1].max() == pytest.approx(-ANKLE_HEIGHT - 0.5, abs=1e-5)
    assert _joints(scene, 20)[0][:, 1].max() == pytest.approx(-ANKLE_HEIGHT, abs=1e-5)


def test_without_roots_people_stand_side_by_side_as_in_the_video() -> None:
    scene = Scene(_table((NOWHERE, 0), (NOWHERE, 0), (NOWHERE, 0), seen_at=(300, 100, 200)))
    x = [float(joints[0, 0]) for joints in _joints(scene, 10)]
    assert np.argsort(x).tolist() == [1, 2, 0]
    assert np.diff(sorted(x)) == pytest.approx([1.2, 1.2])


def test_without_roots_those_who_never_meet_share_a_place() -> None:
    scene = Scene(_table((NOWHERE[:30], 0), (NOWHERE[:30], 40), seen_at=(300, 100)))
    assert _joints(scene, 10)[0] == pytest.approx(_joints(scene, 50)[0])


def test_a_person_without_root_stands_right_of_the_others() -> None:
    scene = Scene(_table((_line((-1, 0, 4), (2, 0, 5)), 0), (NOWHERE, 0)))
    placed, beside = _joints(scene, 99)
    assert beside[0, 0] > placed[0, 0] + 1
    assert 4 < beside[0, 2] < 5


def test_gaps_in_the_root_are_bridged() -> None:
    roots = _line((0, 0, 4), (9.9, 0, 4))
    roots[20:30] = np.nan
    roots[50] = np.inf
    roots[60] = 1e30
    scene = Scene(_table((roots, 0)))
    x = [float(_joints(scene, frame)[0][0, 0]) for frame in range(100)]
    assert np.diff(x) == pytest.approx(0.1, abs=1e-4)


def test_tracks_begin_end_and_have_gaps() -> None:
    table = _table((NOWHERE[:10], 5), (NOWHERE[:10], 12))
    keep = table.frame != 7
    table = PoseTable(
        track=table.track[keep], frame=table.frame[keep], keypoints=table.keypoints[keep],
        pose=table.pose[keep], root=table.root[keep], filled=table.filled[keep], time=table.time,
        size=table.size, intrinsics=table.intrinsics,
    )  # fmt: skip
    scene = Scene(table)
    there = {frame: [person.track for person in scene.people(frame)] for frame in range(100)}
    assert [there[frame] for frame in (4, 5, 7, 8, 12, 14, 15, 21, 22)] == [
        [], [0], [], [0], [0, 1], [0, 1], [1], [1], []
    ]  # fmt: skip
    assert scene.spans() == [(5, 14), (12, 21)]


def test_poses_that_were_not_lifted_have_no_joints() -> None:
    table = _table((_line((0, 0, 4), (0, 0, 4)), 0))
    table.pose[10] = np.nan
    scene = Scene(table)
    assert scene.people(10)[0].joints is None
    assert scene.people(11)[0].joints is not None


def test_one_bad_root_shrinks_nobody() -> None:
    good, bad = (_line((-2, 0, 4), (2, 0, 5)) for _ in range(2))
    bad[33] = (300, -80, 900)
    extents = [Scene(_table((roots, 0))) for roots in (good, bad)]
    spans = [np.ptp(scene.extent(scene.middle()), axis=0) for scene in extents]
    assert spans[1] == pytest.approx(spans[0], abs=0.1)
    assert spans[0][0] == pytest.approx(4 + 0.7, abs=0.01)
    paths = [scene.path() for scene in extents]
    assert paths[1] == pytest.approx(paths[0], abs=0.05)


def test_the_path_is_calm_and_stays_with_the_people() -> None:
    roots = _line((-10, 0, 4), (10, 0, 4)) + np.random.default_rng(0).normal(0, 0.2, (100, 3)) * (1, 0, 0)
    path = Scene(_table((roots, 0))).path()
    assert path.shape == (100, 3)
    assert (path[:, 1] == 0).all()
    middle = slice(40, 60)
    assert np.abs(path[middle, 0] - np.linspace(-10, 10, 100)[middle]).max() < 0.2
    assert np.abs(np.diff(path[:, 0], 2)).max() < 0.1 * np.abs(np.diff(roots[:, 0], 2)).max()


def test_an_empty_table_has_room_for_one_person() -> None:
    scene = Scene(_table())
    assert scene.people(0) == []
    assert np.ptp(scene.extent(scene.middle()), axis=0) == pytest.approx([2, 1.8, 2])
    assert scene.path() == pytest.approx(np.zeros((100, 3)))
