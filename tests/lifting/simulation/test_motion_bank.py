from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.simulation.config import BodyConfig
from videopose.lifting.simulation.motion_bank import (
    COCO_POINTS,
    MIRROR,
    NUM_POINTS,
    PARENTS,
    MotionBank,
    random_bodies,
)
from videopose.skeleton import COCO17, H36M17

SAME: dict[str, Any] = {"stature": 0.0, "stature_mean": 1.0, "bone": 0.0, "hip_width": (1.0, 1.0)}


def _capture(lengths: list[int], seed: int = 0, rate: float = 50.0) -> MotionCapture:
    """Clips of random points that drift; the head is rigid enough to have a face."""
    random = np.random.default_rng(seed)
    positions = random.normal(0, 0.4, (19, 3)) + np.array([0, 0, 1.0])
    positions = positions + 0.01 * random.normal(0, 1, (sum(lengths), 19, 3)).cumsum(0)
    clips = len(lengths)
    texts = tuple(str(i) for i in range(clips))
    return MotionCapture(
        positions.astype(np.float32), np.array(lengths), rate, texts, texts, texts, ("made",) * clips
    )


def _points() -> Tensor:
    return torch.randn(NUM_POINTS, 3, generator=torch.Generator().manual_seed(2)) + 2


def _bodies(count: int = 500, seed: int = 0, **changes: Any) -> Tensor:
    return random_bodies(count, BodyConfig(**SAME | changes), torch.Generator().manual_seed(seed))


def _bones(points: Tensor) -> Tensor:
    """(…, 22, 3) → (…, 21): bone lengths."""
    children = list(range(1, NUM_POINTS))
    return (points[..., children, :] - points[..., [PARENTS[i] for i in children], :]).norm(dim=-1)


def _stretch(**changes: Any) -> Tensor:
    """(500, 21): how much each bone is stretched."""
    return _bones(_bodies(**changes) @ _points()) / _bones(_points())


def test_the_same_body_leaves_points_where_they_are() -> None:
    torch.testing.assert_close(_bodies(3) @ _points(), _points().expand(3, -1, -1), atol=1e-5, rtol=0)


def test_bones_stretch_alike_left_and_right() -> None:
    factor = _stretch(bone=0.08, stature=0.05, hip_width=(1.0, 1.6))
    for joint in range(1, NUM_POINTS):
        torch.testing.assert_close(factor[:, joint - 1], factor[:, MIRROR[joint] - 1], atol=1e-4, rtol=1e-4)


def test_bones_stretch_as_much_as_asked_for() -> None:
    factor = _stretch(bone=0.08)
    assert factor[:, 0].sub(1).abs().max() < 1e-4  # hips have a range of their own
    thigh = factor[:, 1].log()
    assert float(thigh.std()) == pytest.approx(0.08, rel=0.12)
    assert float(thigh.abs().max()) <= 2.5 * 0.08 + 1e-3
    assert abs(float(torch.corrcoef(torch.stack([factor[:, 1], factor[:, 2]]))[0, 1])) < 0.15


def test_heads_stay_rigid() -> None:
    factor = _stretch(bone=0.08)
    head = [i - 1 for i in (10, 17, 18, 19, 20, 21)]
    torch.testing.assert_close(factor[:, head], factor[:, head[:1]].expand(-1, 6), atol=1e-3, rtol=1e-3)


def test_hips_widen_within_their_range() -> None:
    factor = _stretch(hip_width=(1.1, 1.5))
    hips = factor[:, 0]
    assert 1.1 - 1e-4 < float(hips.min()) < 1.13
    assert 1.47 < float(hips.max()) < 1.5 + 1e-4
    torch.testing.assert_close(factor[:, 1:3], torch.ones(500, 2), atol=1e-4, rtol=0)


def test_stature_scales_everything() -> None:
    moved = _bodies(stature=0.1, stature_mean=1.05) @ _points()
    scale = moved[:, :1, :1] / _points()[0, 0]
    torch.testing.assert_close(moved, scale * _points(), atol=1e-4, rtol=1e-4)
    assert float(scale.log().mean()) == pytest.approx(np.log(1.05), abs=0.015)
    assert float(scale.log().std()) == pytest.approx(0.1, rel=0.12)


def test_the_path_stretches_with_the_legs() -> None:
    bodies = _bodies(bone=0.08)
    step = torch.zeros(NUM_POINTS, 3)
    step[:, 0] = 1  # the whole person moves by a metre
    moved = (bodies @ (_points() + step) - bodies @ _points())[..., 0]
    legs = _stretch(bone=0.08)[:, 1:3].mean(1)
    torch.testing.assert_close(moved, legs[:, None].expand(-1, NUM_POINTS), atol=1e-3, rtol=1e-3)


def test_the_generator_decides() -> None:
    changes: dict[str, Any] = {"stature": 0.1, "bone": 0.1}
    assert torch.equal(_bodies(seed=1, **changes), _bodies(seed=1, **changes))
    assert not torch.equal(_bodies(seed=1, **changes), _bodies(seed=2, **changes))


def test_coco_points_are_the_same_parts() -> None:
    for keypoint, point in zip(COCO17.names, COCO_POINTS, strict=True):
        if point < 17:
            assert H36M17.names[point] == keypoint.replace("ankle", "foot")
    assert [COCO_POINTS[COCO17.index(n)] for n in ("lear", "rear", "nose", "leye", "reye")] == [
        17,
        18,
        19,
        20,
        21,
    ]
    assert [COCO_POINTS[i] for i in COCO17.mirror] == [MIRROR[p] for p in COCO_POINTS]


def _build(*tables: tuple[MotionCapture, float]) -> MotionBank:
    return MotionBank.build(list(tables))


def _whole(capture: MotionCapture) -> NDArray[np.float32]:
    return np.concatenate([capture.positions, coco_face(capture.positions)], 1)


def test_a_bank_holds_every_frame_on_the_floor() -> None:
    one, other = _capture([100, 50]), _capture([80], seed=1)
    bank = _build((one, 1.0), (other, 2.0))
    assert bank.rate == 50
    assert bank.points.shape == (230, 66)
    assert bank.first.tolist() == [0] * 100 + [100] * 50 + [150] * 80
    assert bank.last.tolist() == [99] * 100 + [149] * 50 + [229] * 80
    points = bank.points.reshape(230, 22, 3).numpy()
    np.testing.assert_allclose(points[:150, :, :2], _whole(one)[..., :2], atol=1e-6)
    for start, end, source in ((0, 100, _whole(one)[:100]), (150, 230, _whole(other))):
        lift = points[start:end, :, 2] - source[..., 2]
        np.testing.assert_allclose(lift, lift[0, 0], atol=1e-5)  # a clip is lifted as a whole
        assert np.percentile(points[start:end, :, 2].min(1), 2) == pytest.approx(0.07, abs=1e-5)
    assert one.positions is not None
    np.testing.assert_array_equal(one.positions, _capture([100, 50]).positions)  # left alone


def test_a_clip_s_chance_grows_with_the_root_of_its_length() -> None:
    bank = _build((_capture([400, 100]), 1.0), (_capture([100], seed=1), 3.0))
    chance = np.diff(bank.cumulative.numpy(), prepend=0)
    assert bank.cumulative[-1] == 1
    clips = [chance[:400].sum(), chance[400:500].sum(), chance[500:].sum()]
    np.testing.assert_allclose(np.array(clips) / clips[1], [2, 1, 3])
    drawn = bank.draw(20_000, torch.Generator().manual_seed(0))
    assert float((drawn < 400).float().mean()) == pytest.approx(2 / 6, abs=0.02)
    assert float((drawn >= 500).float().mean()) == pytest.approx(3 / 6, abs=0.02)
    np.testing.assert_allclose(np.bincount(drawn.numpy() // 100, minlength=6)[:4], 20_000 / 12, rtol=0.15)


def test_frames_of_no_weight_are_never_drawn() -> None:
    bank = _build((_capture([50]), 1.0), (_capture([50], seed=1), 0.0))
    assert int(bank.draw(5000, torch.Generator().manual_seed(0)).max()) < 50


def test_windows_interpolate_and_hold_still_at_the_ends() -> None:
    bank = _build((_capture([20, 30]), 1.0))
    windows = bank.windows(torch.tensor([10, 19, 20]), torch.tensor([[-2.0, 0.0, 0.25, 3.5]] * 3))
    points = bank.points

    def between(low: int, share: float) -> Tensor:
        return (1 - share) * points[low] + share * points[low + 1]

    assert windows.shape == (3, 4, 66)
    torch.testing.assert_close(
        windows[0], torch.stack([points[8], points[10], between(10, 0.25), between(13, 0.5)])
    )
    torch.testing.assert_close(windows[1], torch.stack([points[17], points[19], points[19], points[19]]))
    torch.testing.assert_close(
        windows[2], torch.stack([points[20], points[20], between(20, 0.25), between(23, 0.5)])
    )


def test_a_clip_of_one_frame_stands_still() -> None:
    bank = _build((_capture([1]), 1.0))
    windows = bank.windows(torch.tensor([0]), torch.tensor([[-5.0, 0.0, 5.0]]))
    torch.testing.assert_close(windows[0], bank.points.expand(3, -1))


def test_rates_must_be_the_same() -> None:
    with pytest.raises(ValueError, match=r"different frame rates: \[50.0, 60.0\]"):
        _build((_capture([10]), 1.0), (_capture([10], rate=60.0), 1.0))
