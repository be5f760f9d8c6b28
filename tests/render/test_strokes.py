import numpy as np
import pytest

from videopose.render.strokes import Font, capsules, discs, fill, lines, rounded, stencil

RED = (255, 0, 0)


def _black() -> np.ndarray:
    return np.zeros((40, 60, 3), np.uint8)


def _ink(image: np.ndarray) -> float:
    return float(image[..., 0].sum()) / 255


def test_a_capsule_covers_its_area_wherever_it_lies_between_pixels() -> None:
    length, radius = 20.0, 3.0
    want = length * 2 * radius + np.pi * radius**2
    for shift in (0.0, 0.3, 0.7):
        image = _black()
        start = np.array([[15 + shift, 18 + shift]])
        fill(image, capsules(start, start + np.array([length, 0]), np.full((1, 2), radius))[0], RED)
        assert _ink(image) == pytest.approx(want, rel=0.12)
        rows = image[..., 0].sum(1, dtype=float)
        assert (rows * np.arange(40)).sum() / rows.sum() == pytest.approx(18 + shift, abs=0.1)


def test_a_capsule_tapers() -> None:
    image = _black()
    fill(image, capsules(np.array([[10.0, 20]]), np.array([[50.0, 20]]), np.array([[2.0, 6.0]]))[0], RED)
    assert image[:, 12, 0].sum() < image[:, 48, 0].sum()


def test_what_cannot_be_shown_is_left_out() -> None:
    image = _black()
    ends = np.array([[np.nan, 5], [np.inf, 5], [1e30, -1e30], [-300.0, 20]])
    for outline in [
        *capsules(ends, ends + 1, np.full((4, 2), 3.0)),
        *discs(ends, np.full(4, 3.0)),
    ]:
        fill(image, outline, RED)
    lines(image, np.array([[[np.nan, 0], [9, 9]], [[1e30, 0], [9, 9]]]), RED)
    assert not image.any()


def test_shapes_are_cut_at_the_edge_of_a_panel() -> None:
    canvas = np.zeros((40, 100, 3), np.uint8)
    panel = canvas[10:30, 20:60]
    fill(panel, discs(np.array([[0.0, 10]]), np.array([8.0]))[0], RED)
    assert panel.any()
    panel[:] = 0
    assert not canvas.any()


def test_stencil_is_cut_at_every_edge() -> None:
    mask = np.full((10, 10), 255, np.uint8)
    for at, covered in [((-4, -4), 36), ((55, 35), 25), ((-20, 0), 0), ((0, 400), 0), ((5, 5), 100)]:
        image = _black()
        stencil(image, at, mask, RED)
        assert _ink(image) == covered


def test_stencil_mixes_by_coverage() -> None:
    image = np.full((4, 4, 3), 100, np.uint8)
    stencil(image, (0, 0), np.full((4, 4), 51, np.uint8), (200, 0, 100))
    assert image[2, 2].tolist() == [120, 80, 100]


def test_rounded_corners() -> None:
    mask = rounded(30, 20, 6)
    assert mask.shape == (20, 30)
    assert mask[0, 0] == 0
    assert mask[10, 15] == 255
    assert int(mask.sum()) / 255 == pytest.approx(600 - (4 - np.pi) * 36, rel=0.02)


def test_text_is_as_wide_as_it_says() -> None:
    font = Font(20)
    mask = font.mask("00:12.345")
    assert mask.shape == (font.height, font.width("00:12.345"))
    assert mask.max() == 255
    assert mask[:, 2:-2].any(0).mean() > 0.5
    assert Font(20, bold=True).mask("8").sum() > font.mask("8").sum()
    assert font.width("0000") == font.width("1111")  # numbers must not wobble
