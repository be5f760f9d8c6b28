"""Where MoveNet looks for people: the parts cover the frame, and there are never many of them."""

import numpy as np
import pytest

from videopose.detectors.crop import Crop
from videopose.detectors.movenet.glances import (
    Glance,
    close_ups,
    further_glances,
    margins,
    quarters,
    tiles,
    whole_frame,
)

SIZES = [
    (994, 1768),
    (1080, 1920),
    (720, 1280),
    (1920, 1088),
    (4320, 7680),
    (360, 4000),
    (2400, 640),
    (5, 2000),
    (900, 3),
]


@pytest.mark.parametrize("shape", SIZES)
def test_tiles_cover_the_frame_and_are_few(shape):
    height, width = shape
    parts = tiles(height, width, 512)
    seen = np.zeros(shape, bool)
    for part in parts:
        assert part.kind == "tile"
        assert 0 <= part.left < part.right <= width
        assert 0 <= part.top < part.bottom <= height
        assert part.size <= 640
        seen[part.top : part.bottom, part.left : part.right] = True
    assert len(parts) <= 8
    assert seen.all() or not parts


@pytest.mark.parametrize("shape", SIZES[:7])
def test_tiles_overlap_by_a_small_person(shape):
    height, width = shape
    parts = tiles(height, width, 512)
    assert len(parts) > 1
    scale = parts[0].size / max(parts[0].right - parts[0].left, parts[0].bottom - parts[0].top)
    for (
        part
    ) in parts:  # a person of 8 % of the shorter side, anywhere at the tile's edge, is whole on another
        for x, y in ((part.right, part.top + 1), (part.left + 1, part.bottom)):
            reach = 0.08 * min(height, width)
            box = np.clip(
                [x - reach / 2, y - reach / 2, x + reach / 2, y + reach / 2], 0, [width, height] * 2
            )
            holders = [
                p
                for p in parts
                if p.left <= box[0] and p.top <= box[1] and p.right >= box[2] and p.bottom >= box[3]
            ]
            assert holders
    assert scale <= 1.25


@pytest.mark.parametrize("shape", [(512, 512), (32, 32), (240, 400)])
def test_a_small_frame_needs_no_tiles(shape):
    assert tiles(*shape, 512) == ()


def test_quarters_cover_a_tile_and_end():
    tile = tiles(1080, 1920, 512)[1]
    seen = np.zeros((1080, 1920), int)
    for part in quarters(tile):
        seen[part.top : part.bottom, part.left : part.right] += 1
    assert (seen[tile.top : tile.bottom, tile.left : tile.right] > 0).all()
    assert (seen > 1).any()
    depth = 0
    while parts := quarters(tile):
        tile, depth = parts[0], depth + 1
    assert depth <= 3


def test_margins_are_centred():
    for part in margins(480, 640):
        assert (part.left + part.right, part.top + part.bottom) == (640, 480)
    assert margins(480, 640)[0] == Glance("margin", -320, -240, 960, 720, 320)


def test_close_ups_contain_the_frame():
    for square in close_ups(480, 640):
        assert square.side >= 640
        assert square.x - square.side / 2 <= 0
        assert square.y - square.side / 2 <= 0


def test_glances_at_near_people_come_between_the_tiles():
    near = further_glances(1080, 1920, 512, near=True)
    far = further_glances(1080, 1920, 512, near=False)
    assert isinstance(near[0], Crop)
    assert [each for each in near if isinstance(each, Glance) and each.kind == "tile"] == list(far)
    assert len(near) == len(far) + 5
    assert len({near.index(each) for each in margins(1080, 1920)}) == 2


def test_the_whole_frame():
    assert whole_frame(480, 640, 512) == Glance("whole", 0, 0, 640, 480, 512)
