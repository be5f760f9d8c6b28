"""Measure the errors of exported files, and of OpenSim's results from them.

python benchmarks/exports.py --data FOLDER [--clips 40] [TABLE…]

Held-out people's motion capture, and the pose tables named, are exported as BVH and read back by this
project's own reader; that Blender reads the same to 1 mm is tested
(tests/lifting/exports/test_read_back.py). Printed: the distance of the file's joints from the table's, and
how fast joints turn.

With VIDEOPOSE_OPENSIM (a Python that has opensim) and VIDEOPOSE_POSE2SIM (the folder Pose2Sim of the wheel
pose2sim 0.10.49) set, walking clips go to OpenSim as TRC: it scales Pose2Sim's model to the markers and
solves inverse kinematics. Printed: the markers' error, and the difference of joint angles from ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.spatial.transform import Rotation

from videopose.errors import VideoposeError
from videopose.lifting.datasets.bvh import load_bvh
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.held_out import select_held_out
from videopose.lifting.exports import FORMATS, Style
from videopose.lifting.exports.angles import joint_angles
from videopose.lifting.exports.clock import make_clock
from videopose.lifting.exports.motion import Motion, make_motion
from videopose.lifting.exports.rig import NAMES
from videopose.lifting.exports.tracks import Track
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.exports.motions import MotionOptions, make_motions, prepare
from videopose.skeleton import H36M17

READER = Path(__file__).parents[1] / "tests" / "lifting" / "exports" / "readers" / "read_in_opensim.py"
LONGEST = 500  # frames of a walking clip
COMPARED = {"Hips": "hip", "Chest": "spine", "Neck": "thorax"} | {
    side + ours: letter + theirs
    for side, letter in (("Left", "l"), ("Right", "r"))
    for ours, theirs in {
        **{"UpperLeg": "hip", "LowerLeg": "knee", "Foot": "foot"},
        **{"UpperArm": "shoulder", "LowerArm": "elbow", "Hand": "wrist"},
    }.items()
}


@click.command()
@click.argument("tables", nargs=-1, type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Motion-capture tables (.npz).")
@click.option("--clips", default=40, show_default=True, help="At most so many of each table, evenly chosen.")
def main(tables: tuple[Path, ...], data: Path, clips: int) -> None:
    """Measure exports."""
    groups: dict[str, list[Motion]] = {}
    walks: list[Motion] = []
    lifter = load_lifter("default")
    for path in sorted(data.glob("*_50hz.npz")):
        capture = MotionCapture.load(path)
        try:
            held_out = capture.select(select_held_out(capture, lifter.about, file=path.name).clips)
        except VideoposeError as error:  # the lifter was trained on all people in it
            click.echo(f"left out: {error}")
            continue
        chosen = np.unique(np.linspace(0, len(held_out) - 1, clips).round().astype(int))
        groups[path.stem] = [_motion(held_out.clip(index), held_out.rate) for index in chosen]
        walking = [index for index, action in enumerate(held_out.actions) if action.startswith("walk")]
        walks += [_motion(held_out.clip(index)[:LONGEST], held_out.rate) for index in walking[:clips]]
    for source in tables:
        options = MotionOptions()
        for motion in make_motions(prepare(PoseTable.load(source), options), options):
            groups[f"{source.stem}, track {motion.id}"] = [motion]
    console = Console()
    console.print(_bvh_table(groups))
    if os.environ.get("VIDEOPOSE_OPENSIM") and os.environ.get("VIDEOPOSE_POSE2SIM"):
        console.print(_opensim_table(walks))


def _motion(joints: NDArray[np.float32], rate: float) -> Motion:
    world = joints[:, :17].astype(np.float64)
    frames = np.arange(len(world))
    track = Track(id=1, frames=frames, joints=world, confidence=np.ones((len(world), 17)))
    return make_motion(track, make_clock(frames / rate, rate, None))


def _bvh_table(groups: dict[str, list[Motion]]) -> Table:
    table = Table(title="BVH against the table, mm", title_justify="left")
    for column in ("motion", "people or clips", "median", "95 %", "largest", "turn a frame, 99.9 %, degrees"):
        table.add_column(column)
    for name, motions in groups.items():
        errors, turns = zip(*(_bvh_errors(motion) for motion in motions), strict=True)
        distances = np.concatenate(errors) * 1000
        table.add_row(
            name,
            str(len(motions)),
            *(f"{value:.1f}" for value in (*np.percentile(distances, [50, 95]), distances.max())),
            f"{np.percentile(np.concatenate(turns), 99.9):.0f}",
        )
    return table


def _bvh_errors(motion: Motion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances from the table's joints in metres, and how far each joint turns a frame, in degrees."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "motion.bvh")
        path.write_bytes(FORMATS["bvh"].encode([motion], Style(units="cm")))
        read = load_bvh(path, unit=0.01)
    y_up = motion.joints[..., [0, 2, 1]] * (1, 1, -1)
    errors = [
        np.linalg.norm(read.positions[:, read.names.index(ours)] - y_up[:, H36M17.index(theirs)], axis=-1)
        for ours, theirs in COMPARED.items()
    ]
    local = motion.rig.rotations
    turns = [
        np.degrees((Rotation.from_quat(local[:-1, j]).inv() * Rotation.from_quat(local[1:, j])).magnitude())
        for j in range(len(NAMES["plain"]))
    ]
    found = np.concatenate(errors)
    return found[np.isfinite(found)], np.concatenate(turns) if len(local) > 1 else np.zeros(1)


def _opensim_table(motions: Sequence[Motion]) -> Table:
    table = Table(title=f"OpenSim on {len(motions)} walking clips", title_justify="left")
    for column in ("", "mean over clips", "worst clip"):
        table.add_column(column)
    rows: dict[str, list[float]] = {}
    for motion in motions:
        found = _solve(motion)
        rows.setdefault("marker error, RMS, mm", []).append(1000 * _rms(np.array(found["rms"])))
        angles = joint_angles(motion.joints)
        for ours, theirs in (
            ("hip_flexion", "hip_flexion"),
            ("knee_flexion", "knee_angle"),
            ("hip_adduction", "hip_adduction"),
            ("elbow_flexion", "elbow_flex"),
        ):
            differences = [
                angles[f"{ours}_{side}"] - np.array(found["coordinates"][f"{theirs}_{side[0]}"])
                for side in ("right", "left")
            ]
            row = f"{ours}, RMS difference, degrees"
            rows.setdefault(row, []).append(_rms(np.concatenate(differences)))
    for name, values in rows.items():
        table.add_row(name, f"{np.mean(values):.1f}", f"{np.max(values):.1f}")
    return table


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def _solve(motion: Motion) -> dict[str, Any]:
    """Return OpenSim's result for a TRC file; see tests/lifting/exports/readers/read_in_opensim.py."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, "walk.trc"), Path(folder, "walk.mot")]
        for path in files:
            found = FORMATS[path.suffix[1:]]
            path.write_bytes(found.encode([motion], Style(units=found.units[0], up=found.up[0])))
        setup = Path(os.environ["VIDEOPOSE_POSE2SIM"], "OpenSim_Setup")
        command = [os.environ["VIDEOPOSE_OPENSIM"], *map(str, (READER, setup, *files, folder))]
        done = subprocess.run(command, capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not lines:
            raise SystemExit(done.stderr[-1000:])
        result: dict[str, Any] = json.loads(lines[0].removeprefix("RESULT "))
        return result


if __name__ == "__main__":
    main()
