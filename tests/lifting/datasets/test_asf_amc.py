from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from videopose.errors import InputError
from videopose.lifting.datasets.asf_amc import load_amc, load_asf

ASF = """\
# AST/ASF file
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  made by hand
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 1 2 3
   orientation 10 20 30
:bonedata
  begin
     id 1
     name thigh
     direction 0.6 -0.8 0
     length 7.5
     axis 5 -15 40  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
     id 2
     name shank
     direction 0 -1 0
     length 8
     axis 0 0 20 ZYX
    dof rz rx
    limits (-10.0 170.0)
           (-1.0 1.0)
  end
  begin
     id 3
     name hipbone
     direction 1 0 0
     length 2
     axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root hipbone
    hipbone thigh
    thigh shank
  end
"""
VALUES = np.random.default_rng(0).uniform(-80, 80, (4, 11))  # root 6, thigh 3, shank 2
UNIT = 0.0254 / 0.45


def _amc(values: np.ndarray = VALUES) -> str:
    def words(v: np.ndarray) -> str:
        return " ".join(f"{x:.10g}" for x in v)

    frames = [
        f"{i}\nroot {words(v[:6])}\nthigh {words(v[6:9])}\nshank {words(v[9:])}\n"
        for i, v in enumerate(values, 1)
    ]
    return "#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n" + "".join(frames)


def _write(folder: Path, asf: str = ASF, amc: str = "") -> tuple[Path, Path]:
    (folder / "07.asf").write_text(asf)
    (folder / "07_01.amc").write_text(amc or _amc())
    return folder / "07.asf", folder / "07_01.amc"


def test_positions_are_those_that_scipy_computes(tmp_path: Path) -> None:
    asf, amc = _write(tmp_path)
    skeleton = load_asf(asf)
    assert [b.name for b in skeleton.bones] == ["root", "hipbone", "thigh", "shank"]
    motion = load_amc(amc, skeleton, rate=120)
    assert motion.rate == 120
    assert motion.parents == (-1, 0, 1, 2)
    # Acclaim: angles about fixed axes, in order (scipy's small letters), given in the bone's own axes.
    root_axes = Rotation.from_euler("xyz", [10, 20, 30], degrees=True)
    thigh_axes = Rotation.from_euler("xyz", [5, -15, 40], degrees=True)
    shank_axes = Rotation.from_euler("zyx", [0, 0, 20], degrees=True)
    for t, v in enumerate(VALUES):
        root = root_axes * Rotation.from_euler("xyz", v[3:6], degrees=True) * root_axes.inv()
        thigh = root * thigh_axes * Rotation.from_euler("xyz", v[6:9], degrees=True) * thigh_axes.inv()
        shank = thigh * shank_axes * Rotation.from_euler("zx", v[9:11], degrees=True) * shank_axes.inv()
        at = v[:3] + np.array([1, 2, 3])
        hip = at + root.apply([2, 0, 0])
        knee = hip + thigh.apply([0.6 * 7.5, -0.8 * 7.5, 0])
        foot = knee + shank.apply([0, -8, 0])
        for name, expected in (("root", at), ("hipbone", hip), ("thigh", knee), ("shank", foot)):
            np.testing.assert_allclose(motion.position(name)[t], expected * UNIT, atol=1e-9)
        np.testing.assert_allclose(motion.rotation("shank")[t], shank.as_matrix(), atol=1e-9)


def test_radians_and_plain_inches(tmp_path: Path) -> None:
    asf, amc = _write(tmp_path)
    degrees = load_amc(amc, load_asf(asf), rate=120)
    turned = ASF.replace("angle deg", "angle rad").replace("length 0.45", "length 1")
    for angles in ("10 20 30", "5 -15 40", "0 0 20"):
        radians = " ".join(f"{np.deg2rad(float(a)):.12g}" for a in angles.split())
        turned = turned.replace(f"orientation {angles}", f"orientation {radians}")
        turned = turned.replace(f"axis {angles}", f"axis {radians}")
    values = VALUES.copy()
    values[:, 3:] = np.deg2rad(values[:, 3:])
    asf, amc = _write(tmp_path, turned, _amc(values))
    radians = load_amc(amc, load_asf(asf), rate=120)
    np.testing.assert_allclose(radians.positions * 1 / 0.45, degrees.positions, atol=1e-7)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("dof rz rx", "dof rz tx", "expected rotations only"),
        ("order TX TY TZ RX RY RZ", "order TX TY TZ RX RY", "a root moved by"),
        ("axis 0 0 20 ZYX", "axis 0 0 20 ZYZ", "an axis 0 0 20 ZYZ"),
        ("hipbone thigh", "pelvis thigh", "no pelvis"),
        ("root hipbone", "root hipbone toe", "no toe"),
        ("thigh shank", "thigh hipbone", "two parents of hipbone"),
        ("direction 0 -1 0", "direction 0 -1", "the direction of shank"),
        ("length 8", "length long", "could not convert"),
        ("length 8", "length 1e400", "values that are not finite"),
        (":bonedata", ":bones", "no bonedata"),
    ],
)
def test_broken_skeletons_are_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    assert old in ASF
    asf, _ = _write(tmp_path, ASF.replace(old, new))
    with pytest.raises(InputError, match=what):
        load_asf(asf)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (_amc().rsplit("shank", 1)[0], "4 frames, but 3 of shank"),
        (_amc().rsplit(" ", 1)[0], "does not fit the skeleton"),
        (_amc().replace("thigh", "femur"), "'femur "),
        (_amc().replace("\n3\n", "\n"), "frame 2: 'root"),
        ("#!OML:ASF\n", "0 frames"),
        (_amc().replace("root ", "root x"), "could not convert"),
    ],
)
def test_broken_clips_are_refused(tmp_path: Path, text: str, what: str) -> None:
    asf, amc = _write(tmp_path, amc=text)
    with pytest.raises(InputError, match=what):
        load_amc(amc, load_asf(asf), rate=120)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_asf(tmp_path / "none.asf")
