"""Measure the errors of the world: gravity, floor, paths, distances, feet, filters, and turning cameras.

    python benchmarks/world.py --data FOLDER [--stills FOLDER] [--severity 0.5] [--clips 40]

FOLDER holds motion-capture tables (.npz). People whom the lifter was not trained on are filmed by simulated
cameras and a simulated detector, lifted, and placed in the world as `videopose lift` does. The truth is
known. Each clip is filmed alone and together with another. With --stills, a folder of photographs with
COCO's person annotations, views of a turning camera are cut from them and its orientation is measured.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from panning import Panorama, measure, paths
from rich.console import Console
from rich.progress import track
from rich.table import Table
from simulated_footage import Footage, film

from videopose.errors import VideoposeError
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.held_out import select_held_out
from videopose.lifting.evaluation.metrics import mpjpe, mpjve
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.world.filters import FILTERS, Filter, filter_motion
from videopose.lifting.world.foot_lock import lock_feet
from videopose.lifting.world.place import ANKLES, place_in_world

_WALKS = 1.5  # metres from the start that a person gets, whose path is measured
_STANDS = (0.3, 0.14)  # m/s and metres: a true ankle below both belongs to a foot that stands
_START = 5  # frames whose mean is the start of a path

Values = dict[str, list[float]]
"""By name: one number a scene, a person, or a frame."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Motion-capture tables (.npz).")
@click.option("--stills", type=click.Path(path_type=Path), help="Photographs with COCO's annotations.")
@click.option("--lifter", default="default", show_default=True)
@click.option("--clips", default=40, show_default=True, help="At most so many of each table, evenly chosen.")
@click.option(
    "--severity", default=[0.5, 1.0], multiple=True, show_default=True, help="Of the detector; 1 is harsh."
)
@click.option("--only", default="", help="Only tables whose name contains this.")
def main(
    data: Path, stills: Path | None, lifter: str, clips: int, severity: tuple[float, ...], only: str
) -> None:
    loaded = load_lifter(lifter)
    for path in sorted(data.glob(f"*{only}*.npz")):
        motion = MotionCapture.load(path)
        try:
            chosen = select_held_out(motion, loaded.about, file=path.name).clips
        except VideoposeError as error:  # the lifter was trained on all people in it
            click.echo(f"left out: {error}")
            continue
        spread = np.unique(np.linspace(0, len(chosen) - 1, min(clips, len(chosen))).astype(int))
        part = motion.select([chosen[i] for i in spread])
        for harshness in severity:
            title = f"{path.name}, {len(part)} clips, severity {harshness:g}"
            values: Values = defaultdict(list)
            for footage in track(list(range(2 * len(part))), title):
                score(_scene(part, footage, loaded, harshness), values)
            _show(title, values)
    if stills is not None:
        _turning(stills)


def _scene(motion: MotionCapture, number: int, lifter: Lifter, severity: float) -> Footage:
    """Even numbers: one clip; odd ones: together with the one a third of the table further on."""
    clip = number // 2
    other = (clip + max(1, len(motion) // 3)) % len(motion)
    clips = [clip, other] if number % 2 and other != clip else [clip]
    return film(motion, clips, lifter, severity=severity, seed=number)


def score(footage: Footage, values: Values) -> None:
    """Place one scene in the world, and note its errors."""
    table = place_in_world(footage.table)
    up = table.camera_rotation[0, 2].astype(np.float64)
    values["up, °"].append(float(np.degrees(np.arccos(np.clip(up @ footage.up, -1, 1)))))
    values["camera's height, cm"].append(100 * abs(table.camera_position[0, 2] - footage.height))
    joints, truth = turned(table.world(), footage.joints), footage.joints
    known = np.asarray(np.isfinite(joints).all((1, 2)))
    # How far the found floor is off the true one, where people are: by ankles of feet that stand.
    values["floor below the people, cm"].append(100 * abs(_floor_error(joints[known], truth[known])))
    tracks = [rows for _, rows in table.tracks() if known[rows].all()]
    for rows in tracks:
        path, true = joints[rows, 0], truth[rows, 0]
        if np.linalg.norm(true - true[0], axis=1).max() > _WALKS:
            way = np.linalg.norm(np.diff(true, axis=0), axis=1).sum()
            off = (path - path[:_START].mean(0)) - (true - true[:_START].mean(0))
            values["RTE, % of the way"].append(float(100 * np.linalg.norm(off, axis=1).mean() / way))
    if len(tracks) == 2:
        both = min(rows.stop - rows.start for rows in tracks)
        one, two = (slice(rows.start, rows.start + both) for rows in tracks)
        apart, true_apart = (np.linalg.norm(j[one, 0] - j[two, 0], axis=1) for j in (joints, truth))
        values["distance between people, %"].append(float(100 * np.median(np.abs(apart / true_apart - 1))))
    changed = {
        "plain": table,
        "feet locked": lock_feet(table),
        **{name: filter_motion(table, [Filter(name)]) for name in FILTERS},
    }
    for name, each in changed.items():
        for key, numbers in _motion_errors(each, footage, tracks).items():
            values[f"{key}, {name}"].extend(numbers)


def _motion_errors(table: PoseTable, footage: Footage, tracks: list[slice]) -> dict[str, list[float]]:
    joints = turned(table.world(), footage.joints)
    errors: dict[str, list[float]] = {"MPJPE, mm": [], "MPJVE, mm a frame": [], "slide, mm a frame": []}
    rate = footage.table.rate
    for rows in tracks:
        found, true = joints[rows], footage.joints[rows]
        if len(found) < 2:
            continue
        poses, true_poses = found - found[:, :1], true - true[:, :1]
        errors["MPJPE, mm"].extend(1000 * mpjpe(poses, true_poses))
        errors["MPJVE, mm a frame"].extend(1000 * mpjve(poses, true_poses))
        ankles = true[:, ANKLES]
        speed = np.linalg.norm(np.diff(ankles, axis=0), axis=-1) * rate
        stands = (speed < _STANDS[0]) & (ankles[1:, :, 2] < _STANDS[1])
        slide = np.linalg.norm(np.diff(found[:, ANKLES], axis=0), axis=-1)
        errors["slide, mm a frame"].extend(1000 * slide[stands])
    return errors


def turned(joints: NDArray[np.floating], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the found world about its z axis, so that it looks the way of the true one (by all poses)."""
    found, true = (np.asarray(each - each[:, :1], np.float64)[..., :2] for each in (joints, truth))
    known = np.isfinite(found).all((1, 2))
    cross = found[known, :, 0] * true[known, :, 1] - found[known, :, 1] * true[known, :, 0]
    angle = np.arctan2(cross.sum(), (found[known] * true[known]).sum())
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return np.asarray(joints @ turn.T, np.float64)


def _floor_error(joints: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Metres: median height of found ankles over true ones, on frames on which the true foot is low."""
    low = truth[:, ANKLES, 2] < _STANDS[1]
    return float(np.median((joints[:, ANKLES, 2] - truth[:, ANKLES, 2])[low])) if low.any() else 0.0


def _show(title: str, values: Values) -> None:
    lines = Table("", "median", "mean", "90 %", "n", title=title)
    for name, numbers in values.items():
        if numbers:
            median, ninety = np.percentile(numbers, [50, 90])
            row = (f"{number:.2f}" for number in (median, float(np.mean(numbers)), ninety))
            lines.add_row(name, *row, str(len(numbers)))
    Console().print(lines)


def _turning(stills: Path) -> None:
    lines = Table("10 s", "at the end, °", "largest, °", "found", title=f"turning cameras, {stills.name}")
    for seed in range(2):
        panorama = Panorama.load(stills, seed)
        for name, turns in track(list(paths(10.0, seed).items()), "turning cameras"):
            off, motion = measure(panorama, turns)
            lines.add_row(name, f"{off[-1]:.3f}", f"{off.max():.3f}", motion.warning or motion.how)
    Console().print(lines)


if __name__ == "__main__":
    main()
