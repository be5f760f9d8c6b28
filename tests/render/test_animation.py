import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import UsageError
from videopose.lifting.cameras.intrinsics import Intrinsics, project
from videopose.lifting.pose_table import PoseTable
from videopose.render.animation import Animation, shrink
from videopose.render.labels import Headings, Tags
from videopose.render.theme import (
    CARD,
    DAMAGED,
    EMPTY,
    LEFT,
    MUTED,
    RIGHT,
    UNSEEN,
    Colour,
    Picture,
    mix,
    track_colour,
)
from videopose.render.views import DEFAULT_VIEWS, NAMED_VIEWS, View
from videopose.skeleton import COCO17, H36M17

SIZE = (1280, 720)
CAMERA = Intrinsics.centred(1100, SIZE)
L_WRIST, R_WRIST = H36M17.index("lwrist"), H36M17.index("rwrist")
# Where each COCO keypoint is taken from; eyes and ears are set about the head.
_FROM_H36M = [
    H36M17.index("head" if name[1:] in ("eye", "ear") else name.replace("ankle", "foot"))
    for name in COCO17.names
]


def _walker(count: int) -> NDArray[np.float32]:
    """(count, 17, 3): somebody who faces the camera and walks on the spot, arms spread; root at 0."""
    pose = np.zeros((count, 17, 3))
    stride = 0.35 * np.sin(np.arange(count) * 2 * np.pi / 25)
    for side, sign in (("l", 1), ("r", -1)):
        for name, at in {
            "hip": (0.12, 0.0, 0.0), "knee": (0.13, 0.44, 0.0), "foot": (0.14, 0.88, 0.0),
            "shoulder": (0.19, -0.5, 0.0), "elbow": (0.42, -0.55, 0.0), "wrist": (0.66, -0.7, 0.0),
        }.items():  # fmt: skip
            joint = H36M17.index(side + name)
            pose[:, joint] = np.array(at) * (sign, 1, 1)
            if name in ("knee", "foot"):
                pose[:, joint, 2] = sign * stride * (0.5 if name == "knee" else 1)
            if name == "wrist":
                pose[:, joint, 1] += 0.3 * sign * stride
    for name, at in {"spine": (0, -0.25, 0.0), "thorax": (0, -0.5, 0.0), "nose": (0, -0.62, -0.1),
                     "head": (0, -0.75, 0)}.items():  # fmt: skip
        pose[:, H36M17.index(name)] = at
    return pose.astype(np.float32)


def _table(*roots: NDArray[np.floating], first: tuple[int, ...] = (), count: int = 60) -> PoseTable:
    """One walker for each (n, 3) array of roots, entering on frame `first`."""
    starts = first or (0,) * len(roots)
    pose = np.concatenate([_walker(len(root)) for root in roots] or [np.zeros((0, 17, 3), np.float32)])
    root = np.concatenate([*roots, np.zeros((0, 3))]).astype(np.float32)
    seen = pose[:, _FROM_H36M].copy()
    for name, at in {"leye": 0.03, "reye": -0.03, "lear": 0.08, "rear": -0.08}.items():
        seen[:, COCO17.index(name), 0] += at
    pixels = project(seen + np.where(np.isfinite(root), root, (0, 0, 4))[:, None], CAMERA)
    return PoseTable(
        track=np.repeat(np.arange(1, len(roots) + 1), [len(r) for r in roots]).astype(np.int32),
        frame=np.concatenate(
            [np.arange(s, s + len(r)) for s, r in zip(starts, roots, strict=True)] or [np.zeros(0, np.int64)]
        ).astype(np.int32),
        keypoints=np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 0.9)], -1).astype(np.float32),
        pose=pose,
        root=root,
        filled=np.zeros(len(root), np.bool_),
        time=np.arange(count) / 25,
        size=SIZE,
        intrinsics=CAMERA,
    )


def _roots(start: tuple[float, ...], end: tuple[float, ...], count: int = 60) -> NDArray[np.float64]:
    return np.linspace(start, end, count)


ONE = _roots((-0.5, 0, 4), (0.5, 0, 4))
TWO = (_roots((-1.5, 0, 5), (-0.5, 0, 5)), _roots((1, 0, 4.5), (1, 0, 4.5)))


def _with(table: PoseTable, **changes: object) -> PoseTable:
    values = {name: getattr(table, name) for name in PoseTable.__dataclass_fields__}
    return PoseTable(**{**values, **changes})  # type: ignore[arg-type]


def _has(image: Picture, colour: Colour, at: NDArray[np.floating] | None = None) -> bool:
    """Whether `colour` occurs, within 2 pixels of `at` (x, y) if given."""
    if at is not None:
        x, y = np.rint(at).astype(int)
        image = image[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
    return bool((np.abs(image.astype(int) - colour).max(-1) <= 2).any())


def _panels(animation: Animation, picture: Picture) -> list[Picture]:
    return [rect.of(picture) for rect in animation.layout.views]


def _video(animation: Animation, picture: Picture) -> Picture:
    assert animation.layout.video is not None
    return animation.layout.video.of(picture)


def _in_panel(
    animation: Animation, frame: int, joint: int, panel: int = 0, person: int = 0
) -> NDArray[np.float64]:
    joints = animation.scene.people(frame)[person].joints
    assert joints is not None
    return animation.panels[panel].locate(joints[joint], frame)


@pytest.mark.parametrize("frame", [0, 6, 33, 59])
def test_left_and_right_wrists_have_their_colours_in_every_panel(frame: int) -> None:
    views = [View(0, 8), View(40, 10), View(180, 20)]
    animation = Animation(_table(ONE), views=views)
    picture = animation.draw(frame)
    for index, panel in enumerate(_panels(animation, picture)):
        for joint, colour in ((L_WRIST, LEFT), (R_WRIST, RIGHT)):
            assert _has(panel, colour, _in_panel(animation, frame, joint, index))


def test_keypoints_are_drawn_over_the_video_in_their_colours() -> None:
    table = _table(ONE)
    animation = Animation(table)
    video = _video(animation, animation.draw(10, np.zeros((720, 1280, 3), np.uint8)))
    scale = video.shape[1] / SIZE[0]
    for name, colour in (("lwrist", LEFT), ("rwrist", RIGHT), ("lankle", LEFT), ("rankle", RIGHT)):
        assert _has(video, colour, table.keypoints[10, COCO17.index(name), :2] * scale)


def test_a_mirrored_pose_swaps_the_colours() -> None:
    table = _table(ONE)
    mirrored = _with(
        table,
        pose=table.pose[:, list(H36M17.mirror)],
        keypoints=table.keypoints[:, list(COCO17.mirror)],
    )
    before, after = Animation(table), Animation(mirrored)
    at = _in_panel(before, 20, L_WRIST)
    assert _in_panel(after, 20, R_WRIST) == pytest.approx(at, abs=0.1)
    first, second = (_panels(a, a.draw(20))[0] for a in (before, after))
    assert _has(first, LEFT, at)
    assert not _has(first, RIGHT, at)
    assert _has(second, RIGHT, at)
    assert not _has(second, LEFT, at)


def test_the_camera_view_has_the_persons_left_on_the_right() -> None:
    animation = Animation(_table(ONE), views=[NAMED_VIEWS["camera"], NAMED_VIEWS["back"]])
    front, back = (
        [_in_panel(animation, 5, joint, panel)[0] for joint in (L_WRIST, R_WRIST)] for panel in (0, 1)
    )
    assert front[0] > front[1] + 20
    assert back[0] < back[1] - 20


@pytest.mark.parametrize(
    "size", [(1200, 600), (1201, 601), (600, 1200), (1920, 1080), (320, 160), (500, 499)]
)
@pytest.mark.parametrize("video", [True, False])
def test_every_size_shows_everybody(size: tuple[int, int], video: bool) -> None:
    animation = Animation(_table(*TWO), size=size, video=video)
    picture = animation.draw(30)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert (animation.layout.video is not None) == video
    for index, panel in enumerate(_panels(animation, picture)):
        height, width = panel.shape[:2]
        for person in (0, 1):
            for joint in range(17):
                x, y = _in_panel(animation, 30, joint, index, person)
                assert 0 <= x < width
                assert 0 <= y < height
        assert _has(panel, track_colour(0))
        assert _has(panel, track_colour(1))


@pytest.mark.parametrize("size", [(1200, 600), (600, 600), (640, 1280)])
def test_no_label_covers_a_heading(size: tuple[int, int]) -> None:
    table = _table(_roots((0, 0, 5), (0.2, 0, 5)))
    crown = table.pose[:, [H36M17.index("head")]] = table.pose[:, [H36M17.index("nose")]]
    table.pose[..., 1] = np.maximum(table.pose[..., 1], crown[..., 1])  # the head's disc is above all joints
    animation = Animation(table, size=size, views=DEFAULT_VIEWS, video=False)
    unit = animation.layout.unit
    for rect, panel in zip(animation.layout.views, animation.panels, strict=True):
        part = np.zeros((rect.height, rect.width, 3), np.uint8)
        for frame in range(0, len(animation), 10):
            for _, y in panel.draw(part, animation.scene.people(frame), frame):
                assert y - Tags(unit).height >= Headings(unit).height


def test_frames_differ_and_do_not_depend_on_each_other() -> None:
    animation, image = Animation(_table(*TWO)), np.full((720, 1280, 3), 90, np.uint8)
    forth = [animation.draw(frame, image) for frame in range(0, 60, 10)]
    back = [animation.draw(frame, image) for frame in reversed(range(0, 60, 10))][::-1]
    assert all((a == b).all() for a, b in zip(forth, back, strict=True))
    again = Animation(_table(*TWO)).draw(20, image)
    assert (again == forth[2]).all()
    for a, b in pairwise(forth):
        changed = (a != b).any(-1)
        assert all(panel.any() for panel in _panels(animation, changed[..., None]))
        assert animation.layout.info.of(changed).any()


def test_what_stands_still_stays_as_it_is() -> None:
    animation = Animation(_table(ONE))
    first, second = animation.draw(3), animation.draw(40)
    changed = (first != second).any(-1)
    for rect in (animation.layout.video, *animation.layout.views, animation.layout.info):
        assert rect is not None
        rect.of(changed)[:] = False
    assert not changed.any()


def test_the_video_fills_its_place() -> None:
    animation = Animation(_table(ONE))
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, :640], image[:, 640:] = (200, 40, 90), (20, 180, 60)
    video = _video(animation, animation.draw(0, image))
    assert tuple(video[-20, 10]) == (200, 40, 90)
    assert tuple(video[-20, -10]) == (20, 180, 60)
    half = video[-20, video.shape[1] // 2 - 3 : video.shape[1] // 2 + 3]
    assert tuple(half[0]) == (200, 40, 90)
    assert tuple(half[-1]) == (20, 180, 60)
    assert tuple(_video(animation, animation.draw(0))[-20, 10]) == EMPTY


@pytest.mark.parametrize("size", [(994, 1768), (720, 1280), (100, 150), (201, 302), (2160, 3840)])
def test_shrinking_keeps_place_and_brightness(size: tuple[int, int]) -> None:
    height, width = size
    ramp = np.linspace(0, 250, width)[None, :, None] + np.zeros((height, 1, 3))
    target = np.zeros((200, 301, 3), np.uint8)
    shrink(ramp.astype(np.uint8), target)
    want = (np.arange(301) + 0.5) / 301 * 250
    assert np.abs(target.mean((0, 2)) - want).max() < 2.5


def test_people_come_and_go() -> None:
    animation = Animation(_table(TWO[0][:20], TWO[1][:20], first=(5, 15)))
    colours = {
        frame: [_has(_panels(animation, animation.draw(frame))[0], track_colour(rank)) for rank in (0, 1)]
        for frame in (0, 10, 20, 30, 50)
    }
    assert colours == {
        0: [False, False], 10: [True, False], 20: [True, True], 30: [False, True], 50: [False, False]
    }  # fmt: skip


def test_interpolated_frames_are_paler() -> None:
    table = _table(ONE)
    filled = table.filled.copy()
    filled[20:30] = True
    animation = Animation(_with(table, filled=filled))
    for frame, strong in ((10, True), (25, False)):
        picture = animation.draw(frame)
        for part in (*_panels(animation, picture), _video(animation, picture)):
            assert _has(part, LEFT) == strong
            assert _has(part, RIGHT) == strong


def test_joints_that_the_picture_does_not_show_are_paler() -> None:
    table = _table(ONE)
    confidence = table.confidence.copy()
    confidence[20:, H36M17.left] = 0
    animation = Animation(_with(table, confidence=confidence))
    for frame, strong in ((10, True), (25, False)):
        for part in _panels(animation, animation.draw(frame)):
            assert _has(part, LEFT) == strong
            assert _has(part, RIGHT)


def test_the_legend_explains_pale_joints() -> None:
    table = _table(ONE)
    confidence = table.confidence.copy()
    confidence[20:, H36M17.left] = 0
    ink = []
    for each in (table, _with(table, confidence=confidence)):
        animation = Animation(each)
        info = animation.layout.info.of(animation.draw(10))
        ink.append(int((info == mix(MUTED, CARD, UNSEEN)).all(-1).sum()))
    assert ink[1] > ink[0] + 40  # the dot of the legend


def test_doubtful_keypoints_are_thin_or_left_out() -> None:
    ink = []
    for score in (0.9, 0.2, 0.05):
        table = _table(ONE)
        table.keypoints[..., 2] = score
        animation = Animation(table)
        video = _video(animation, animation.draw(10))
        ink.append(int((np.abs(video.astype(int) - LEFT).max(-1) <= 40).sum()))
    assert ink[0] > 1.5 * ink[1] > 0
    assert ink[2] == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, 500.0])
def test_a_bad_root_does_no_harm_to_the_other_frames(value: float) -> None:
    roots = ONE.copy()
    roots[30] = value
    animation = Animation(_table(roots))
    good = Animation(_table(ONE))
    assert [s.scale for s in animation.panels] == pytest.approx([s.scale for s in good.panels], rel=0.03)
    for frame in (29, 30, 31):
        picture = animation.draw(frame)
        if frame != 30:
            assert _has(_panels(animation, picture)[0], LEFT, _in_panel(animation, frame, L_WRIST))


def test_without_roots_and_without_poses() -> None:
    nowhere = np.full((60, 3), np.nan)
    animation = Animation(_table(nowhere, nowhere))
    picture = animation.draw(10)
    for person in (0, 1):
        assert _has(_panels(animation, picture)[0], LEFT, _in_panel(animation, 10, L_WRIST, 0, person))
    table = _table(ONE)
    table.pose[:] = np.nan
    table.keypoints[5, 3] = np.nan
    animation = Animation(table)
    picture = animation.draw(5)
    assert _has(_video(animation, picture), LEFT)
    assert not _has(_panels(animation, picture)[0], LEFT)


def test_a_long_walk_is_followed_and_a_short_one_is_not() -> None:
    animation = Animation(_table(_roots((-20, 0, 6), (20, 0, 6), 300), count=300))
    assert all(panel.follows for panel in animation.panels)
    for frame in (0, 100, 299):
        panel = _panels(animation, animation.draw(frame))[0]
        wrist = _in_panel(animation, frame, L_WRIST)
        assert (wrist >= 0).all()
        assert wrist[0] < panel.shape[1]
        assert _has(panel, LEFT, wrist)
    grids = [_panels(animation, animation.draw(frame))[0][-15:] for frame in (100, 101)]
    assert (grids[0] != grids[1]).any()
    assert not any(panel.follows for panel in Animation(_table(ONE)).panels)


def test_a_tall_video_gets_a_narrow_place() -> None:
    table = _with(_table(ONE), size=(1080, 1920))
    layout = Animation(table).layout
    assert layout.video is not None
    assert layout.video.height > 1.7 * layout.video.width
    assert sum(rect.width for rect in layout.views) > 2 * layout.video.width


def test_nobody_and_nothing() -> None:
    animation = Animation(_table())
    panel = _panels(animation, animation.draw(0))[0]
    assert tuple(panel[panel.shape[0] // 3, panel.shape[1] // 2]) == CARD
    assert not _has(panel, LEFT)
    none = Animation(_table(count=0))
    assert len(none) == 0
    with pytest.raises(IndexError, match="frame 0 of 0"):
        none.draw(0)


def test_refusals() -> None:
    table = _table(ONE)
    with pytest.raises(UsageError, match="320x160"):
        Animation(table, size=(300, 200))
    for views in ([], [View(0, 0)] * 5):
        with pytest.raises(UsageError, match="one to 4 views"):
            Animation(table, views=views)
    with pytest.raises(IndexError):
        Animation(table).draw(-1)


def test_many_people_and_four_views() -> None:
    roots = [_roots((x, 0, 6), (x, 0, 6), 30) for x in np.linspace(-3, 3, 9)]
    animation = Animation(_table(*roots), views=[NAMED_VIEWS[n] for n in ("camera", "side", "back", "top")])
    panel = _panels(animation, animation.draw(3))[0]
    for person in range(9):
        assert _has(panel, LEFT, _in_panel(animation, 3, L_WRIST, 0, person))


@pytest.mark.slow
def test_memory_does_not_grow() -> None:
    count = 320
    animation = Animation(_table(_roots((-20, 0, 6), (20, 0, 6), count), count=count))
    image = np.full((360, 640, 3), 90, np.uint8)
    tracemalloc.start()
    try:
        for frame in range(20):
            animation.draw(frame, image)
        before, _ = tracemalloc.get_traced_memory()
        for frame in range(20, count):
            animation.draw(frame, image)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 200_000  # less than one small picture, of 300
    assert peak - before < 8 * 1200 * 600 * 3


def test_damaged_frames_are_marked() -> None:
    table = _table(ONE)
    damaged = replace(table, meta={**table.meta, "damaged": {"frames": [2, 3], "warning": "2 frames"}})
    plain, marked = Animation(table), Animation(damaged)
    assert plain.layout.video is not None
    image = np.full((90, 160, 3), 100, np.uint8)
    edge = marked.layout.video.of(marked.draw(2, image))[0, :, :] if marked.layout.video else None
    assert edge is not None
    assert (np.abs(edge[20:-20].astype(int) - DAMAGED).max(-1) == 0).all()
    # a sound frame has no outline, but the timeline and the legend show that others are damaged
    sound = marked.draw(0, image)
    assert not (marked.layout.video.of(sound)[0, 20:-20] == DAMAGED).all(-1).any()
    assert (marked.layout.info.of(sound) == DAMAGED).all(-1).sum() > 10
    assert not (plain.layout.info.of(plain.draw(0, image)) == DAMAGED).all(-1).any()
