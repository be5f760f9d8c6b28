import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import InputError, OutputError
from videopose.lifting.datasets.motion_capture import STORED_JOINTS, MotionCapture, coco_face

LENGTHS = (4, 1, 6)


def _positions() -> NDArray[np.float32]:
    """Eleven frames in whole millimetres."""
    millimetres = np.random.default_rng(0).integers(-3000, 3000, (sum(LENGTHS), 19, 3))
    return (millimetres / 1000).astype(np.float32)


def _capture(**changes: Any) -> MotionCapture:
    values: dict[str, Any] = {
        "positions": _positions(), "lengths": np.array(LENGTHS), "rate": 50.0,
        "names": ("02_01", "02_02", "x"), "subjects": ("02", "02", "?"),
        "actions": ("walk", "run", "walk"), "sources": ("cmu", "cmu", "other"),
    }  # fmt: skip
    return MotionCapture(**values | changes)


def _arrays() -> dict[str, Any]:
    """The capture above as the file holds it."""
    flat = np.round(_positions().astype(np.float64) * 1000).reshape(-1, 57)
    starts = np.cumsum(LENGTHS) - LENGTHS
    delta = np.concatenate([np.diff(part, axis=0, prepend=0) for part in np.split(flat, starts[1:])])
    capture = _capture()
    return {
        "delta": delta.T.astype(np.int16), "length": np.array(LENGTHS, np.int32), "fps": np.float32(50),
        "name": np.array(capture.names), "subject": np.array(capture.subjects),
        "action": np.array(capture.actions), "source": np.array(capture.sources),
    }  # fmt: skip


def test_a_table_reads_back_exactly(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "m.npz", **_arrays())
    capture = MotionCapture.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(capture.positions, _positions())
    assert capture.positions.dtype == np.float32
    assert capture.lengths.tolist() == list(LENGTHS)
    assert capture.rate == 50
    expected = _capture()
    for name in ("names", "subjects", "actions", "sources"):
        assert getattr(capture, name) == getattr(expected, name)


def test_long_walks_go_beyond_sixteen_bits(tmp_path: Path) -> None:
    arrays = _arrays()
    arrays["delta"] = np.full((57, sum(LENGTHS)), 30_000, np.int16)
    np.savez(tmp_path / "m.npz", **arrays)
    positions = MotionCapture.load(tmp_path / "m.npz").positions
    assert positions[:, 0, 0].tolist() == [30, 60, 90, 120, 30, 30, 60, 90, 120, 150, 180]


def test_clips() -> None:
    capture = _capture()
    assert len(capture) == 3
    assert capture.starts.tolist() == [0, 4, 5]
    assert capture.minutes == pytest.approx(11 / 50 / 60)
    for index, (start, end) in enumerate(((0, 4), (4, 5), (5, 11))):
        np.testing.assert_array_equal(capture.clip(index), _positions()[start:end])


def test_selecting_clips_in_an_order() -> None:
    chosen = _capture().select([2, 0])
    assert chosen.lengths.tolist() == [6, 4]
    assert (chosen.names, chosen.subjects) == (("x", "02_01"), ("?", "02"))
    assert (chosen.actions, chosen.sources) == (("walk", "walk"), ("other", "cmu"))
    np.testing.assert_array_equal(chosen.clip(0), _capture().clip(2))
    np.testing.assert_array_equal(chosen.clip(1), _capture().clip(0))
    with pytest.raises(ValueError, match="no clip"):
        _capture().select([])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"positions": np.zeros((11, 17, 3), np.float32)}, "positions"),
        ({"positions": np.zeros((11, 57), np.float32)}, "positions"),
        ({"lengths": np.array([4, 1, 7])}, "add up"),
        ({"lengths": np.array([11, 1, -1])}, "positive"),
        ({"lengths": np.array([5, 0, 6])}, "positive"),
        ({"names": ("a", "b")}, "every clip"),
        ({"sources": ()}, "every clip"),
        ({"rate": 0.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
    ],
)
def test_captures_check_themselves(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        _capture(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in ("delta", "length", "fps", "name", "subject", "action", "source")),
        {"delta": np.zeros((51, 11), np.int16)},
        {"delta": np.zeros((57, 10), np.int16)},
        {"delta": np.zeros(57, np.int16)},
        {"length": np.array([11, 1, -1])},
        {"length": np.array(["four", "one", "six"])},
        {"length": np.int64(11)},
        {"fps": np.zeros(3)},
        {"fps": np.float32(0)},
        {"name": np.array("one")},
        {"name": np.array(["a", "b"])},
    ],
    ids=str,
)
def test_damaged_tables_are_input_errors(tmp_path: Path, changes: dict[str, Any]) -> None:
    arrays = {k: v for k, v in (_arrays() | changes).items() if v is not None}
    np.savez(tmp_path / "m.npz", **arrays)
    with pytest.raises(InputError, match=r"m\.npz is not a motion-capture table"):
        MotionCapture.load(tmp_path / "m.npz")


class _MakesFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_in_a_table_is_executed(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **_arrays() | {"name": np.array([_MakesFolder(tmp_path / "executed")] * 3)})
    with pytest.raises(InputError, match="is not a motion-capture table"):
        MotionCapture.load(tmp_path / "m.npz")
    assert not (tmp_path / "executed").exists()


def test_other_files_are_input_errors(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with pytest.raises(InputError, match="no such file"):
        MotionCapture.load(path)
    np.savez_compressed(path, **_arrays())
    whole = path.read_bytes()
    for content in (b"", b"garbage", whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not a motion-capture table"):
            MotionCapture.load(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="is not a motion-capture table"):
        MotionCapture.load(path)


def _head(scale: float = 1.0) -> NDArray[np.float32]:
    """A head that looks along x, with y to its left and z up; ears 15 cm apart at height 1.6 m."""
    positions = np.zeros((19, 3), np.float32)
    positions[9] = (0.065 * scale, 0, 1.6 - 0.035 * scale)
    positions[17] = (0, 0.075 * scale, 1.6)
    positions[18] = (0, -0.075 * scale, 1.6)
    return positions


@pytest.mark.parametrize("scale", [1.0, 0.8])
def test_the_face_of_a_level_head(scale: float) -> None:
    face = coco_face(_head(scale))
    assert face.dtype == np.float32
    expected = np.array([[0.1, 0, -0.02], [0.083, 0.032, 0.015], [0.083, -0.032, 0.015]]) * scale
    np.testing.assert_allclose(face, expected + np.array([0, 0, 1.6]), atol=1e-6)


def test_the_face_turns_with_the_head() -> None:
    angle = 0.7
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )[[1, 0, 2]] * np.array([[-1], [1], [1]])  # fmt: skip
    assert np.linalg.det(turn) == pytest.approx(1)
    heads = np.stack([_head(), _head() @ turn.T.astype(np.float32)])[None]
    faces = coco_face(heads)
    assert faces.shape == (1, 2, 3, 3)
    np.testing.assert_allclose(faces[0, 1], faces[0, 0] @ turn.T, atol=1e-6)


def test_what_is_saved_reads_back_exactly(tmp_path: Path) -> None:
    capture = _capture()
    capture.save(tmp_path / "m.npz", notice="made by hand")
    back = MotionCapture.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(back.positions, capture.positions)
    assert (back.rate, back.names, back.subjects) == (capture.rate, capture.names, capture.subjects)
    assert (back.actions, back.sources) == (capture.actions, capture.sources)
    with np.load(tmp_path / "m.npz", allow_pickle=False) as archive:
        expected = _arrays()
        for key in ("delta", "length"):
            np.testing.assert_array_equal(archive[key], expected[key])
            assert archive[key].dtype == expected[key].dtype
        assert str(archive["meta"]) == "made by hand"
        assert archive["joints"].tolist() == list(STORED_JOINTS)


def test_clips_that_begin_far_away_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="32 m from the origin"):
        _capture(positions=_positions() + np.float32(40)).save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())
