from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from walking import motions_of, table_of, walking

from videopose.lifting.datasets.bvh import load_bvh
from videopose.lifting.exports.bvh import encode
from videopose.lifting.exports.motion import Motion
from videopose.lifting.exports.rig import NAMES
from videopose.lifting.exports.style import Style


@pytest.fixture(scope="module")
def motion() -> Motion:
    return motions_of(table_of({1: walking(40, heading=120)["joints"]}))[0]


@pytest.mark.parametrize("channels", ["ZXY", "ZYX"])
@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("units", ["m", "cm", "mm"])
def test_a_reader_finds_the_joints_where_the_rig_has_them(
    motion: Motion, tmp_path: Path, channels: str, up: str, units: str
) -> None:
    style = Style(units=units, up=up, channels=channels)
    (tmp_path / "walk.bvh").write_bytes(encode([motion], style))
    read = load_bvh(tmp_path / "walk.bvh", unit=1 / style.per_metre)
    assert read.rate == pytest.approx(30)
    ours = [read.names.index(name) for name in NAMES["plain"]]
    expected = style.from_rig(motion.rig.positions()) / style.per_metre
    assert read.positions[:, ours] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("names", list(NAMES))
def test_joints_have_the_names_of_the_convention(motion: Motion, names: str) -> None:
    text = encode([motion], Style(units="cm", names=names)).decode()
    found = [line.split()[1] for line in text.splitlines() if line.split()[0] in ("ROOT", "JOINT")]
    assert sorted(found) == sorted(NAMES[names])
    assert len(set(found)) == 20


def test_a_file_with_a_t_pose_begins_with_it(motion: Motion) -> None:
    plain = encode([motion], Style(units="cm")).decode().split("MOTION\n")
    tpose = encode([motion], Style(units="cm", tpose_frame=True)).decode().split("MOTION\n")
    assert tpose[0] == plain[0]
    frames = tpose[1].splitlines()
    assert frames[0] == "Frames: 41"
    values = [float(word) for word in frames[2].split()]
    assert values[1] == pytest.approx(100 * motion.rig.lengths.rest()[0, 1], abs=0.01)
    assert values[3:] == [0.0] * 60
    assert frames[3:] == plain[1].splitlines()[2:]


def test_angles_do_not_jump() -> None:
    """A person who turns round twice: no channel changes by more than the person turns."""
    joints = walking(120)["joints"]
    joints = joints - joints[:, :1] * (1, 1, 0)
    for frame, degrees in enumerate(np.linspace(0, 720, len(joints))):
        joints[frame] = Rotation.from_euler("z", degrees, degrees=True).apply(joints[frame])
    text = encode(motions_of(table_of({1: joints})), Style(units="cm")).decode()
    values = np.array([line.split() for line in text.split("Frame Time")[1].splitlines()[1:]], float)
    assert np.abs(np.diff(values[:, 3:], axis=0)).max() < 20
    assert np.ptp(values[:, 5]) == pytest.approx(720, abs=5)
