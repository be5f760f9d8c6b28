"""Exported files, read back by programs that were not written here. Each runs in a process of its own.

A program need not be in the environment of the tests: an environment variable names a Python that has it.

    VIDEOPOSE_BLENDER     bpy (Blender)
    VIDEOPOSE_OPENSIM     opensim
    VIDEOPOSE_POSE2SIM    the folder Pose2Sim of the wheel pose2sim 0.10.49, with models and set-ups
    VIDEOPOSE_READERS     ezc3d, c3d, pygltflib, pybvh and usd-core

Tests of a program that is missing are skipped.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from feet_in_pictures import with_feet
from numpy.typing import NDArray
from walking import motions_of, table_of, walking

from videopose.lifting.exports import FORMATS, Style
from videopose.lifting.exports.angles import joint_angles
from videopose.lifting.exports.fbx import BLENDER_VARIABLE
from videopose.lifting.exports.markers import MARKERS, marker_positions
from videopose.lifting.exports.motion import Motion
from videopose.lifting.exports.rig import NAMES, PARENTS
from videopose.skeleton import H36M17

pytestmark = pytest.mark.slow

READERS = Path(__file__).with_name("readers")
FRAMES = [0, 3, 8, 15, 21, 29, 34, 40, 52, 59]
TO_BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # y up → z up, as Blender turns files on import
COMPARED = {"Hips": "hip", "Chest": "spine", "Neck": "thorax"} | {
    side + ours: letter + theirs
    for side, letter in (("Left", "l"), ("Right", "r"))
    for ours, theirs in {
        **{"UpperLeg": "hip", "LowerLeg": "knee", "Foot": "foot"},
        **{"UpperArm": "shoulder", "LowerArm": "elbow", "Hand": "wrist"},
    }.items()
}
"""The rig's joints that Human3.6M has, too."""


@cache
def _python(variable: str, module: str) -> str:
    """A Python that can import a module; skips the test if there is none."""
    python = os.environ.get(variable, sys.executable)
    found = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
    if found.returncode:
        pytest.skip(f"{python} has no {module}; {variable} may name a Python that has it")
    return python


def _read(python: str, script: str, *arguments: object) -> dict[str, Any]:
    command = [python, str(READERS / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stdout[-500:] + done.stderr[-1500:]
    result: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT "))
    return result


@pytest.fixture(scope="module")
def motion() -> Motion:
    """A person who walks towards the camera's left, whose joints tremble as lifted ones do."""
    joints = walking(60, heading=200)["joints"]
    noise = np.random.default_rng(0).normal(0, 0.008, joints.shape)
    return motions_of(table_of({3: joints + noise}))[0]


def _write(motion: Motion, path: Path, **changes: Any) -> Path:
    found = FORMATS[path.suffix[1:]]
    style = Style(**({"units": found.units[0], "up": found.up[0]} | changes))
    path.write_bytes(found.encode([motion], style))
    return path


def _in_blender(motion: Motion, path: Path) -> dict[str, Any]:
    python = _python(BLENDER_VARIABLE, "bpy")
    result = _read(python, "read_in_blender.py", path, *FRAMES)
    assert result["fps"] == pytest.approx(motion.rate)
    (armature,) = result["armatures"]
    return dict(armature)


def _heads(armature: dict[str, Any]) -> NDArray[np.float64]:
    return np.array([[frame[name] for name in NAMES["plain"]] for frame in armature["frames"]])


def _rig_in_blender(motion: Motion) -> NDArray[np.float64]:
    return motion.rig.positions()[FRAMES] @ TO_BLENDER.T


@pytest.mark.parametrize("suffix", ["glb", "usd"])
def test_blender_has_every_joint_where_the_rig_has_it(motion: Motion, tmp_path: Path, suffix: str) -> None:
    if suffix == "usd":
        pytest.importorskip("pxr")
    heads = _heads(_in_blender(motion, _write(motion, tmp_path / f"walk.{suffix}")))
    assert np.linalg.norm(heads - _rig_in_blender(motion), axis=-1).max() < 0.001


def test_fbx_by_blender_comes_back_the_same(
    motion: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BLENDER_VARIABLE, _python(BLENDER_VARIABLE, "bpy"))
    heads = _heads(_in_blender(motion, _write(motion, tmp_path / "walk.fbx")))
    assert np.linalg.norm(heads - _rig_in_blender(motion), axis=-1).max() < 0.001


def test_bvh_in_blender_is_close_to_the_table(motion: Motion, tmp_path: Path) -> None:
    armature = _in_blender(motion, _write(motion, tmp_path / "walk.bvh"))
    heads = _heads(armature)
    assert np.linalg.norm(heads - _rig_in_blender(motion), axis=-1).max() < 0.001
    world = motion.joints[FRAMES]
    errors = np.stack(
        [
            np.linalg.norm(heads[:, NAMES["plain"].index(a)] - world[:, H36M17.index(b)], axis=-1)
            for a, b in COMPARED.items()
        ]
    )
    assert np.median(errors) <= 0.010
    assert np.percentile(errors, 95) <= 0.030
    for joint, parent in enumerate(PARENTS[1:], 1):
        lengths = np.linalg.norm(heads[:, joint] - heads[:, parent], axis=-1)
        assert np.ptp(lengths) < 1e-4


def test_feet_in_blender_point_where_heels_and_toes_say(tmp_path: Path) -> None:
    joints = np.repeat(walking(1, heading=-90)["joints"], 60, 0)  # who looks into the camera
    motion = motions_of(with_feet(table_of({1: joints}), -45.0))[0]
    armature = _in_blender(motion, _write(motion, tmp_path / "turned.bvh"))
    for heads, tails in zip(armature["frames"], armature["toes"], strict=True):
        for foot in ("LeftFoot", "RightFoot"):
            x, y, _ = np.subtract(tails[foot], heads[foot])
            assert np.degrees(np.arctan2(y, x)) == pytest.approx(-45, abs=12)


def test_bvh_in_blender_rests_in_a_t_pose_on_the_floor(motion: Motion, tmp_path: Path) -> None:
    armature = _in_blender(motion, _write(motion, tmp_path / "walk.bvh"))
    rest, tails = armature["rest"], armature["tails"]
    for side, sign in (("Left", 1), ("Right", -1)):
        arm = np.array([rest[f"{side}UpperArm"], rest[f"{side}LowerArm"], rest[f"{side}Hand"]])
        assert np.ptp(arm[:, 1:], axis=0) == pytest.approx(0, abs=1e-4)
        assert (sign * np.diff(arm[:, 0]) > 0.2).all()
        leg = np.array([rest[f"{side}UpperLeg"], rest[f"{side}LowerLeg"], rest[f"{side}Foot"]])
        assert np.ptp(leg[:, :2], axis=0) == pytest.approx(0, abs=1e-4)
        assert tails[f"{side}Foot"][2] == pytest.approx(0, abs=1e-4)
        assert tails[f"{side}Foot"][1] < -0.1  # the toes point to where a person looks in Blender: −y
    assert min(point[2] for point in rest.values()) > 0


def test_a_mixamo_file_drives_a_mixamo_armature(motion: Motion, tmp_path: Path) -> None:
    python = _python(BLENDER_VARIABLE, "bpy")
    path = _write(motion, tmp_path / "walk.bvh", names="mixamo")
    driven = _read(python, "drive_mixamo_in_blender.py", path, *FRAMES)
    for frames in driven.values():
        for bones in frames:
            assert set(bones) == set(NAMES["mixamo"])
            assert max(bones.values()) < 0.5


def test_ezc3d_and_c3d_find_the_markers(motion: Motion, tmp_path: Path) -> None:
    python = _python("VIDEOPOSE_READERS", "ezc3d, c3d")
    joints = walking(30)["joints"]
    joints[10:13] = np.nan
    late = motions_of(table_of({1: joints}, first={1: 7}))[0]
    found = _read(python, "read_c3d.py", _write(late, tmp_path / "walk.c3d"))
    for library in found.values():
        assert (library["rate"], library["first"], library["units"]) == (30, 8, "mm")
        assert library["labels"] == list(MARKERS)
        points = np.array(library["points"], np.float64) / 1000  # null becomes NaN
        assert np.allclose(points, marker_positions(late.joints), atol=1e-4, equal_nan=True)


def test_pygltflib_loads_the_glb(motion: Motion, tmp_path: Path) -> None:
    python = _python("VIDEOPOSE_READERS", "pygltflib")
    found = _read(python, "read_scene.py", _write(motion, tmp_path / "walk.glb"))
    assert (found["animations"], found["joints"]) == (["person 3"], [20])


def test_pybvh_finds_the_joints(motion: Motion, tmp_path: Path) -> None:
    python = _python("VIDEOPOSE_READERS", "pybvh")
    found = _read(python, "read_scene.py", _write(motion, tmp_path / "walk.bvh"))
    assert found["names"] == list(NAMES["plain"])
    expected = 100 * motion.rig.positions()
    assert np.array(found["positions"]) == pytest.approx(expected, abs=0.02)


def test_usd_skel_finds_the_joints(motion: Motion, tmp_path: Path) -> None:
    pytest.importorskip("pxr")
    found = _read(sys.executable, "read_scene.py", _write(motion, tmp_path / "walk.usd", units="cm", up="z"))
    assert (found["up"], found["metres"], found["rate"]) == ("Z", pytest.approx(0.01), 30)
    person = found["people"]["person_3"]
    assert [path.split("/")[-1] for path in person["joints"]] == list(NAMES["plain"])
    positions = np.array([person["frames"][str(float(frame))] for frame in FRAMES])
    assert positions / 100 == pytest.approx(_rig_in_blender(motion), abs=1e-4)


def test_opensim_follows_the_markers_and_agrees_on_the_angles(tmp_path: Path) -> None:
    python = _python("VIDEOPOSE_OPENSIM", "opensim")
    folder = os.environ.get("VIDEOPOSE_POSE2SIM")
    if not folder:
        pytest.skip("VIDEOPOSE_POSE2SIM does not name the folder of Pose2Sim's models")
    # A person's shoulders are 5° behind the hips when the pelvis is upright.
    joints = walking(60, heading=30)["joints"]
    upper = [H36M17.index(name) for name in ("thorax", "nose", "head")]
    upper += [H36M17.index(side + name) for side in "lr" for name in ("shoulder", "elbow", "wrist")]
    joints[:, upper] -= np.array([np.cos(np.radians(30)), np.sin(np.radians(30)), 0]) * 0.044
    walker = motions_of(table_of({1: joints}))[0]
    trc, mot = _write(walker, tmp_path / "walk.trc"), _write(walker, tmp_path / "walk.mot")
    found = _read(python, "read_in_opensim.py", Path(folder) / "OpenSim_Setup", trc, mot, tmp_path)
    assert found["trc"] == {"labels": list(MARKERS), "rows": 60, "rate": 30, "units": "mm"}
    assert found["mot"]["rows"] == 60
    assert {"pelvis_tilt", "hip_flexion_r", "knee_angle_l"} <= set(found["mot"]["labels"])
    assert np.sqrt(np.mean(np.square(found["rms"]))) <= 0.040
    angles = joint_angles(walker.joints)
    for side, end in (("right", "r"), ("left", "l")):
        for ours, theirs in (("hip_flexion", "hip_flexion"), ("knee_flexion", "knee_angle")):
            difference = angles[f"{ours}_{side}"] - np.array(found["coordinates"][f"{theirs}_{end}"])
            assert np.sqrt(np.mean(difference**2)) <= 8, ours
