from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import InputError
from videopose.lifting.datasets.bvh import load_bvh

HIERARCHY = """\
HIERARCHY
ROOT Hips
{
\tOFFSET 1 2 3
\tCHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
\tJOINT Left Up Leg
\t{
\t\tOFFSET 1.5 -2 0.25
\t\tCHANNELS 3 Xrotation Zrotation Yrotation
\t\tEnd Site
\t\t{
\t\t\tOFFSET 0 -4e0 0.5
\t\t}
\t}
\tJOINT Slider
\t{
\t\tOFFSET 9 9 9
\t\tCHANNELS 4 Zposition Xposition Yposition Yrotation
\t}
}
"""
VALUES = np.random.default_rng(0).uniform(-170, 170, (5, 13))


def _text(values: np.ndarray = VALUES, frames: int | None = None, step: str = "0.0083333") -> str:
    lines = "\n".join(" ".join(f"{v:.10g}" for v in row) for row in values)
    count = len(values) if frames is None else frames
    return f"{HIERARCHY}MOTION\nFrames: {count}\nFrame Time: {step}\n{lines}\n"


def _write(folder: Path, text: str) -> Path:
    (folder / "walk.bvh").write_text(text)
    return folder / "walk.bvh"


def test_positions_are_those_that_scipy_computes(tmp_path: Path) -> None:
    motion = load_bvh(_write(tmp_path, _text()), unit=0.01)
    assert motion.names == ("Hips", "Left Up Leg", "Left Up Leg_end", "Slider")
    assert motion.parents == (-1, 0, 1, 0)
    assert motion.rate == 120
    assert len(motion) == 5
    for t, v in enumerate(VALUES):
        hips = v[:3]  # the channels, not the offset
        root = Rotation.from_euler("ZYX", v[3:6], degrees=True)
        leg = root * Rotation.from_euler("XZY", v[6:9], degrees=True)
        hip = hips + root.apply([1.5, -2, 0.25])
        np.testing.assert_allclose(motion.position("Hips")[t], hips / 100, atol=1e-9)
        np.testing.assert_allclose(motion.position("Left Up Leg")[t], hip / 100, atol=1e-9)
        foot = hip + leg.apply([0, -4, 0.5])
        np.testing.assert_allclose(motion.position("Left Up Leg_end")[t], foot / 100, atol=1e-9)
        slider = hips + root.apply([v[10], v[11], v[9]])
        np.testing.assert_allclose(motion.position("Slider")[t], slider / 100, atol=1e-9)
        np.testing.assert_allclose(motion.rotation("Left Up Leg")[t], leg.as_matrix(), atol=1e-9)


def test_windows_line_ends_and_odd_spacing(tmp_path: Path) -> None:
    text = _text().replace("\t", "  ").replace("Frames:", "Frames:   ")
    (tmp_path / "walk.bvh").write_bytes(text.replace("\n", "\r\n").encode())
    motion = load_bvh(tmp_path / "walk.bvh")
    np.testing.assert_array_equal(motion.positions, load_bvh(_write(tmp_path, _text())).positions)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (_text(VALUES[:4], frames=5), "5 frames of 13 channels, but 52 values"),
        (_text()[:-30], "values"),
        (_text().replace("Frames: 5", "Frames: 0"), "0 frames"),
        (_text(step="0"), "5 frames of 0.0 s"),
        (_text().split("MOTION")[0], "does not give its frames"),
        (HIERARCHY[:120], "cut off"),
        (_text().replace("OFFSET 1.5 -2", "OFFSET 1.5 left"), "could not convert"),
        (_text().replace("Yrotation", "Wrotation", 1), "a channel 'Wrotation'"),
        (_text().replace("JOINT Slider", "LINK Slider"), "'LINK' in its hierarchy"),
        (_text().replace("JOINT Slider", "JOINT Hips"), "name of its own"),
        (_text().replace("JOINT Slider", "ROOT Slider"), "ROOT in the wrong place"),
        (_text(VALUES * np.nan), "not finite"),
        ("", "cut off"),
        ("a\x00b", "does not begin with HIERARCHY"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        load_bvh(_write(tmp_path, text))


def test_frame_rates(tmp_path: Path) -> None:
    for step, rate in ((".033333", 30), ("0.0166667", 60), ("0.04", 25), ("0.0333667", 29.97)):
        assert load_bvh(_write(tmp_path, _text(step=step))).rate == pytest.approx(rate, abs=1e-4)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_bvh(tmp_path / "none.bvh")


@pytest.mark.parametrize("seconds", ["1e9", "1e-9", "nan", "inf", "-1"])
def test_impossible_frame_times(seconds: str, tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    path.write_text(
        "HIERARCHY ROOT Hips { OFFSET 0 0 0 CHANNELS 3 Zrotation Yrotation Xrotation "
        "End Site { OFFSET 0 1 0 } }\n"
        f"MOTION\nFrames: 1\nFrame Time: {seconds}\n0 0 0\n"
    )
    with pytest.raises(InputError, match=r"walk\.bvh is not a BVH file \(1 frames of "):
        load_bvh(path)


@pytest.mark.parametrize(
    ("hierarchy", "numbers", "words"),
    [
        ("CHANNELS 1000000000 Zrotation", "0", "a joint of 1000000000 channels"),
        ("CHANNELS 1 Zrotation " + "JOINT a { OFFSET 0 0 0 " * 600 + "} " * 600, "0", "more than 500 joints"),
        ("CHANNELS 1 Zrotation " + "JOINT a { OFFSET 0 0 0 } " * 9, "0", "most of its joints do not move"),
        ("CHANNELS 1 Zrotation End a { End b { } }", "0", "End in the wrong place"),
        ("CHANNELS 1 Zrotation", "nan", "not finite, or far too large"),
        ("CHANNELS 1 Zrotation", "1e300", "not finite, or far too large"),
    ],
)
def test_skeletons_and_values_that_grow(hierarchy: str, numbers: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    path.write_text(
        f"HIERARCHY ROOT Hips {{ OFFSET 0 0 0 {hierarchy} }}\n"
        f"MOTION\nFrames: 1\nFrame Time: 0.01\n{numbers}\n"
    )
    with pytest.raises(InputError, match=words):
        load_bvh(path)
