import itertools

import pytest

from videopose.errors import UsageError
from videopose.render.layout import Rect, layouts

SIZES = [(1200, 600), (1920, 1080), (600, 1200), (801, 799), (320, 160), (333, 167), (4000, 160), (320, 3000)]
VIDEOS = [None, (1768, 994), (1080, 1920), (640, 640), (4000, 100), (100, 4000)]


def _overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("video", VIDEOS)
def test_everything_has_its_own_place(size: tuple[int, int], video: tuple[int, int] | None) -> None:
    for views in (1, 2, 3, 4):
        found = list(layouts(size, video, views))
        assert found
        for layout in found:
            assert len(layout.views) == views
            rects = [*layout.views, layout.info] + ([layout.video] if layout.video else [])
            for rect in rects:
                assert min(rect.width, rect.height) > 0
                assert 0 <= rect.x <= rect.x + rect.width <= size[0]
                assert 0 <= rect.y <= rect.y + rect.height <= size[1]
            assert not any(_overlap(a, b) for a, b in itertools.combinations(rects, 2))


@pytest.mark.parametrize("video", [(1768, 994), (1080, 1920), (640, 640)])
def test_the_video_keeps_its_aspect(video: tuple[int, int]) -> None:
    for layout in layouts((1200, 600), video, 2):
        assert layout.video is not None
        assert layout.video.width / layout.video.height == pytest.approx(video[0] / video[1], rel=0.01)


def test_a_tall_video_leaves_more_room_to_the_panels() -> None:
    wide, tall = (next(layouts((1200, 600), size, 1)) for size in ((1768, 994), (1080, 1920)))
    assert tall.views[0].width > 1.4 * wide.views[0].width
    assert tall.info.x == tall.views[0].x  # below the panels, because below the video there is no room
    assert wide.info.x == wide.video.x if wide.video else False


def test_panels_side_by_side_and_stacked() -> None:
    shapes = {
        tuple((rect.x > layout.views[0].x, rect.y > layout.views[0].y) for rect in layout.views[1:])
        for layout in layouts((1200, 600), (1768, 994), 2)
    }
    assert shapes == {((True, False),), ((False, True),)}


@pytest.mark.parametrize("size", [(319, 160), (320, 159), (0, 0), (-1200, 600)])
def test_refuses_what_nobody_could_read(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="at least 320x160"):
        list(layouts(size, None, 1))
