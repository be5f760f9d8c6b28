"""Measure how exactly the direction of feet is found from heels and toes in the picture.

    python benchmarks/feet.py --data FOLDER [--clips 40]

Motion capture of people on whom the default lifter was not trained has no feet, so each person gets feet of
random size, rigid and of known direction: level while the ankle is low and slow, otherwise nearly at a right
angle to the shin, and turned out by a random angle that drifts. A simulated camera films each clip from a
random side, 3 to 7 m away and 0.8 to 2 m high. The simulated detector of the trainings gives the keypoints of
the body; heels and toes have errors of 15 mm that last 0.2 s, and 8 mm that last a frame. Printed are the
errors of pitch (up or down) and turn (about the vertical) of heel-to-toe in degrees, by the direction from
which the foot is seen, with true and with lifted legs. "As the shin" is a foot at a right angle to it.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation
from simulated_footage import CAMERA, SIZE, person_of

from videopose.detectors.people import FEET
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.held_out import select_held_out
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.inference.root_trajectory import fit_root
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.simulation.config import DetectionConfig
from videopose.lifting.simulation.detector_noise import simulate_clip
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.lifting.world.feet import PARTS, find_feet, usual_axes
from videopose.lifting.world.place import contact_of, place_in_world
from videopose.skeleton import H36M17

LONGEST = 8.0  # seconds of a clip
SCORE = 0.9
SLOW, FAST = (0.015, 0.2), (0.008, 0.0)  # metres and seconds of a foot keypoint's errors
VIEWS = {"front": (0, 40), "oblique": (40, 65), "side": (65, 115), "from behind": (115, 180)}
Array = NDArray[np.float64]
Errors = dict[tuple[str, str], list[Array]]


def true_feet(joints: Array, rate: float, chance: np.random.Generator) -> Array:
    """(T, 2, 3, 3): heel, big toe and small toe of feet whose direction follows from rules, in the world."""
    feet = np.empty((len(joints), 2, 3, 3))
    size = chance.normal(1, 0.06)
    for side, name in enumerate("lr"):
        ankle, knee = joints[:, H36M17.index(name + "foot")], joints[:, H36M17.index(name + "knee")]
        hips = joints[:, H36M17.index("lhip")] - joints[:, H36M17.index("rhip")]
        ahead = np.cross(hips, (0, 0, 1))
        heading = np.arctan2(ahead[:, 1], ahead[:, 0])
        wander = gaussian_filter1d(chance.normal(0, 1, len(joints)), rate) * np.sqrt(3.5 * rate) * 4
        out = chance.normal(8, 7) + wander
        heading = np.unwrap(heading) + np.radians(out) * (1 if name == "l" else -1)
        shin = knee - ankle
        forward = shin[:, 0] * np.cos(heading) + shin[:, 1] * np.sin(heading)
        bend = gaussian_filter1d(chance.normal(0, 1, len(joints)), 0.2 * rate) * np.sqrt(0.7 * rate) * 9 - 6
        free = -np.arctan2(forward, shin[:, 2]) + np.radians(bend)
        speed = np.linalg.norm(
            np.gradient(gaussian_filter1d(ankle, 0.04 * rate, axis=0), 1 / rate, axis=0), axis=-1
        )
        stands = ((speed < 0.5) & (ankle[:, 2] < np.percentile(ankle[:, 2], 10) + 0.06)).astype(float)
        free = np.where(np.abs(free) < np.radians(75), free, np.radians(75) * np.sign(free))
        pitch = free * (1 - gaussian_filter1d(stands, 0.05 * rate))
        turn = Rotation.from_euler("ZY", np.stack([heading, -pitch], 1))
        y = 1 if name == "l" else -1
        points = size * np.array([[-0.055, 0, -0.05], [0.195, -0.025 * y, -0.06], [0.15, 0.05 * y, -0.06]])
        points += chance.normal(0, 0.006, points.shape)
        feet[:, side] = ankle[:, None] + np.einsum("tij,kj->tki", turn.as_matrix(), points)
    return feet


def film(
    motion: MotionCapture, clip: int, lifter: Lifter, seed: int
) -> tuple[PoseTable, Array, Array, Array]:
    """Return the lifted table, the true joints in camera space, the feet in the world, and world ← camera."""
    rate, chance = lifter.rate or motion.rate, np.random.default_rng(seed)
    person = person_of(motion, clip, rate)[: round(LONGEST * rate)]
    feet = true_feet(person[:, :17], rate, chance)
    middle = person[:, 0].mean(0)
    bearing, away, high = chance.uniform(0, 2 * np.pi), chance.uniform(3, 7), chance.uniform(0.8, 2)
    place = np.array([*(middle[:2] + away * np.array([np.cos(bearing), np.sin(bearing)])), high])
    forward = middle - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1))
    right /= np.linalg.norm(right)
    world = np.stack([right, np.cross(forward, right), forward], 1)
    seen = (person - place) @ world
    seen_feet = ((feet - place) @ world).reshape(len(feet), 6, 3)
    generator = torch.Generator().manual_seed(seed)
    coco = torch.from_numpy(seen[:, list(COCO_POINTS)]).float()
    spots, depth, scale = coco[..., :2] / coco[..., 2:], coco[..., 2], coco[:, 11:13, 2].mean(1)
    noise = DetectionConfig(severity=(0.6, 0.6), episodes=0.0)
    found = simulate_clip(spots.transpose(1, 2), depth, scale, noise, generator, window=round(3 * rate))
    rays = found.transpose(1, 2).numpy()
    slow = gaussian_filter1d(chance.normal(0, 1, (len(feet), 6, 2)), SLOW[1] * rate / 2, axis=0)
    slow *= SLOW[0] / max(float(slow.std()), 1e-9)
    errors = (slow + chance.normal(0, FAST[0], slow.shape)) / seen_feet[..., 2:]
    foot_rays = seen_feet[..., :2] / seen_feet[..., 2:] + errors
    keypoints, extra = (_pixels(each) for each in (rays, foot_rays))
    times = np.arange(len(person)) / rate
    pose = lifter.lift_track(keypoints, times, lens=Lens(CAMERA), size=SIZE).pose
    names = [side + part for side in "lr" for part in PARTS]
    count = len(person)
    table = PoseTable(
        track=np.zeros(count, np.int32),
        frame=np.arange(count, dtype=np.int32),
        keypoints=keypoints,
        pose=pose,
        root=fit_root(pose, keypoints, times, CAMERA),
        filled=np.zeros(count, np.bool_),
        time=times,
        size=SIZE,
        intrinsics=CAMERA,
        extra=extra[:, [names.index(name) for name in FEET]],
        extra_names=FEET,
    )
    return table, seen[:, :17], feet, world


def _pixels(rays: Array) -> NDArray[np.float32]:
    xy = rays * [CAMERA.fx, CAMERA.fy] + [CAMERA.cx, CAMERA.cy]
    return np.concatenate([xy, np.full((*xy.shape[:2], 1), SCORE)], -1).astype(np.float32)


def score(table: PoseTable, seen: Array, feet: Array, world: Array, errors: Errors) -> None:
    """Note the errors of one clip, with lifted and with true legs."""
    truth = replace(
        table,
        pose=(seen - seen[:, :1]).astype(np.float32),
        root=seen[:, 0].astype(np.float32),
        camera_rotation=np.tile(world.astype(np.float32), (len(table), 1, 1)),
    )
    tables = {"true": replace(truth, contact=contact_of(truth)), "lifted": place_in_world(table)}
    for legs, each in tables.items():
        found_joints = each.world().astype(np.float64)
        back = np.einsum("ij,jk->ik", world, each.camera_rotation[0].astype(np.float64).T)
        found = find_feet(each, slice(0, len(each)), found_joints)
        assert found is not None
        plain = np.stack([usual_axes(found_joints, side)[0].as_matrix()[..., 2] for side in "lr"], 1)
        ways = {"heels and toes": _direction(found.positions), "as the shin": plain}
        true = _direction(feet)
        sight = world[:, 2]
        across = (
            -true[..., :2] @ sight[:2] / np.linalg.norm(true[..., :2], axis=-1) / np.linalg.norm(sight[:2])
        )
        seen_from = np.degrees(np.arccos(np.clip(across, -1, 1)))
        for way, direction in ways.items():
            # In the true world's axes: the world that was found may be turned about the vertical.
            direction = direction @ back.T
            off = _pitch(direction) - _pitch(true), _wrapped(_turn(direction) - _turn(true))
            level = np.abs(_pitch(true)) < 60  # a foot that points up or down has no turn
            for view, (low, high) in VIEWS.items():
                here = (seen_from >= low) & (seen_from < high) & np.isfinite(off[0])
                errors[f"{legs} legs, {way}", f"{view}, pitch"].append(np.abs(off[0][here]))
                errors[f"{legs} legs, {way}", f"{view}, turn"].append(np.abs(off[1][here & level]))


def _direction(feet: Array) -> Array:
    ahead = feet[:, :, 1:].mean(2) - feet[:, :, 0]
    return np.asarray(ahead / np.linalg.norm(ahead, axis=-1, keepdims=True))


def _pitch(direction: Array) -> Array:
    return np.asarray(np.degrees(np.arcsin(np.clip(direction[..., 2], -1, 1))))


def _turn(direction: Array) -> Array:
    return np.asarray(np.degrees(np.arctan2(direction[..., 1], direction[..., 0])))


def _wrapped(degrees: Array) -> Array:
    return (degrees + 180) % 360 - 180


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with cmu_h36m17_50hz.npz")
    parser.add_argument("--clips", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lifter = load_lifter("default")
    motion = MotionCapture.load(options.data / "cmu_h36m17_50hz.npz")
    chosen = select_held_out(motion, lifter.about, file="cmu_h36m17_50hz.npz").clips
    long_enough = [clip for clip in chosen if motion.lengths[clip] >= 3 * motion.rate]
    spread = np.unique(np.linspace(0, len(long_enough) - 1, options.clips).astype(int))
    errors: Errors = defaultdict(list)
    for seed, place in enumerate(spread):
        score(*film(motion, long_enough[place], lifter, seed), errors)
    lines = Table(
        "median (90 %), degrees", *(f"{view}, {what}" for view in VIEWS for what in ("pitch", "turn"))
    )
    for row in dict.fromkeys(row for row, _ in errors):
        cells = []
        for view in VIEWS:
            for what in ("pitch", "turn"):
                values = np.concatenate(errors[row, f"{view}, {what}"])
                cells.append("{:.0f} ({:.0f})".format(*np.percentile(values, [50, 90])))
        lines.add_row(row, *cells)
    Console(width=150).print(lines)
    first = next(row for row, _ in errors)
    print({view: sum(len(v) for v in errors[first, f"{view}, pitch"]) for view in VIEWS}, "feet on frames")


if __name__ == "__main__":
    main()
