import cv2
import numpy as np
import pytest
import torch

from videopose.detectors.cpn.crops import MEAN_COLOUR, Window, decode, to_input

SIZE = (384, 288)


def test_a_box_gets_its_margins_and_the_crops_proportions():
    tall = Window.around([100, 100, 150, 300], SIZE)  # height decides: 200 · 1.3
    assert (tall.x, tall.y) == (125, 200)
    assert (tall.width, tall.height) == pytest.approx((260 * 288 / 384, 260))
    wide = Window.around([100, 100, 300, 150], SIZE, scale=1.5)  # width decides: 200 · 1.2 · 1.5
    assert (wide.width, wide.height) == pytest.approx((360, 360 * 384 / 288))


@pytest.mark.parametrize("angle", [0, 30, -75])
def test_pixels_and_points_go_the_same_way(angle):
    """A disc drawn on the frame lies in the crop where `to_crop` says; and back."""
    image = np.zeros((400, 500, 3), np.uint8)
    centre = np.array([260.25, 180.75])
    cv2.circle(
        image, tuple(np.round((centre - 0.5) * 256).astype(int).tolist()), 9 * 256, (255,) * 3, -1, 16, 8
    )
    window = Window(250, 200, 150, 200, angle)
    crop = window.cut(image, SIZE)[..., 0].astype(float)
    rows, columns = np.indices(crop.shape)
    found = np.array([(columns + 0.5).ravel(), (rows + 0.5).ravel()]) @ crop.ravel() / crop.sum()
    expected = window.to_crop(centre, SIZE)
    assert np.abs(found - expected).max() < 0.1
    assert np.abs(window.to_frame(expected, SIZE) - centre).max() < 1e-3


def test_rotation_is_clockwise():
    """What lies right of the centre in the frame lies above it in the crop of a window turned clockwise."""
    right = Window(100, 100, 288, 384, 90).to_crop(np.array([150.0, 100.0]), SIZE)
    assert right == pytest.approx([144, 192 - 50])


def test_beyond_the_frame_is_the_mean_colour():
    crop = Window(0, 0, 100, 100 * 384 / 288).cut(np.full((50, 50, 3), 200, np.uint8), SIZE)
    assert (crop[200:330, 150:280] == 200).all()
    assert (crop[:100, :100] == np.round(MEAN_COLOUR)).all()
    assert to_input(torch.from_numpy(crop[None]))[0, :, :100, :100].abs().max() < 0.5 / 255


def test_large_windows_are_averaged_not_skipped_through():
    image = np.zeros((1600, 1200, 3), np.uint8)
    image[:, ::2] = 200  # lines one pixel wide
    crop = Window(600, 800, 1200, 1600).cut(image, SIZE)
    assert np.abs(crop[20:-20, 20:-20].astype(int) - 100).max() <= 1


@pytest.fixture(scope="module")
def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    """Heatmaps of Gaussians at random places between cells, and those in pixels of the crop."""
    cells = torch.tensor(np.random.default_rng(0).uniform([6, 6], [65, 89], (300, 2)))
    x, y = torch.arange(72.0), torch.arange(96.0)
    across, down = x - cells[:, :1], y - cells[:, 1:]  # (300, 72), (300, 96)
    squared = across[:, None].square() + down[:, :, None].square()
    return (255 * torch.exp(-squared / (2 * 1.7**2))).float(), (cells + 0.5) * 4


def _errors(heatmaps, places, decoding):
    found, confidence = decode(heatmaps, decoding)
    return (found - places).norm(dim=-1), confidence


def test_soft_argmax_finds_what_lies_between_cells(drawn):
    heatmaps, places = drawn
    soft, confidence = _errors(heatmaps, places, "soft-argmax")
    hard, same = _errors(heatmaps, places, "argmax")
    assert soft.max() < 0.06  # pixels of the crop; a cell is 4
    assert soft.mean() < hard.mean() / 4
    assert torch.equal(confidence, same)
    assert confidence.min() > 0.9


def test_height_is_the_confidence_and_does_not_move_the_answer(drawn):
    heatmaps, places = drawn
    for part in (0.5, 0.1):
        soft, confidence = _errors(part * heatmaps, places, "soft-argmax")
        assert soft.max() < 0.06
        assert confidence == pytest.approx(part * decode(heatmaps, "argmax")[1], rel=1e-3)
    position, confidence = decode(torch.zeros(1, 96, 72), "soft-argmax")
    assert confidence.item() == 0
    assert torch.isfinite(position).all()


def test_argmax_against_the_published_steps(drawn):
    """Blurred by OpenCV in a frame of ten empty cells; highest cell, a quarter towards the second highest."""
    generator = np.random.default_rng(1)
    maps = drawn[0][:60].numpy() + generator.uniform(0, 40, (60, 96, 72)).astype(np.float32)
    expected = []
    for single in maps:
        framed = np.zeros((116, 92))
        framed[10:-10, 10:-10] = single
        framed = cv2.GaussianBlur(framed, (21, 21), 0)
        first = np.array(np.unravel_index(framed.argmax(), framed.shape))
        framed[tuple(first)] = 0
        second = np.array(np.unravel_index(framed.argmax(), framed.shape))
        y, x = first - 10 + 0.25 * (second - first) / np.linalg.norm(second - first)
        expected.append((4 * x + 2, 4 * y + 2))
    found, _ = decode(torch.from_numpy(maps), "argmax")
    assert np.abs(found.numpy() - expected).max() < 1e-3


def test_batches_of_any_shape():
    maps = torch.rand(2, 3, 96, 72) * 255
    for decoding in ("soft-argmax", "argmax"):
        positions, confidence = decode(maps, decoding)
        assert positions.shape == (2, 3, 2)
        assert torch.allclose(decode(maps[1, 2], decoding)[0], positions[1, 2])
        assert torch.equal(decode(maps[1, 2], decoding)[1], confidence[1, 2])
