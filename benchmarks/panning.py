"""Make views of a turning camera from a panorama of real photographs placed side by side around it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.inference.watch_background import BackgroundWatch, CameraMotion

SIZE = (1280, 720)
LENS = Lens(Intrinsics.centred(1100, SIZE))
RATE = 30.0
_HEIGHT = 900  # pixels of the panorama
_COARSE = 8  # pixels: how exactly the boxes of people are known


@dataclass(frozen=True)
class Panorama:
    """A panorama of photographs.

    Attributes:
        image: (H, W, 3) RGB.
        boxes: (P, 4) boxes of people, in pixels of the panorama.
    """

    image: NDArray[np.uint8]
    people: NDArray[np.float64]

    @classmethod
    def load(cls, folder: Path, seed: int) -> Panorama:
        """Set the stills of a folder, with COCO's person_keypoints*.json, side by side in random order."""
        people = json.loads(next(folder.glob("person_keypoints*.json")).read_text())
        files = {entry["id"]: entry["file_name"] for entry in people["images"]}
        order = np.random.default_rng(seed).permutation(sorted(files))
        strips, boxes, left = [], [], 0
        for number in order.tolist():
            still = cv2.imread(str(folder / Path(files[number]).name))
            assert still is not None, files[number]
            scale = _HEIGHT / still.shape[0]
            strip = cv2.resize(still, (round(still.shape[1] * scale), _HEIGHT))[..., ::-1]
            for person in people["annotations"]:
                if person["image_id"] == number:
                    x, y, width, height = np.array(person["bbox"]) * scale
                    boxes.append((left + x, y, left + x + width, y + height))
            strips.append(strip)
            left += strip.shape[1]
        return cls(np.concatenate(strips, 1), np.array(boxes, np.float64).reshape(-1, 4))

    def view(self, rotation: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the picture of a camera with this rotation (world ← camera), and the boxes (P, 4) in it."""
        camera, per_radian = LENS.intrinsics, self.image.shape[1] / (2 * np.pi)
        x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
        rays = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones(x.shape)], -1)
        rays = rays @ rotation.T
        across = np.arctan2(rays[..., 0], rays[..., 2]) % (2 * np.pi) * per_radian
        down = 0.6 * per_radian * rays[..., 1] / np.hypot(rays[..., 0], rays[..., 2]) + _HEIGHT / 2
        image = cv2.remap(
            self.image, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        inside = []
        coarse_across, coarse_down = across[::_COARSE, ::_COARSE], down[::_COARSE, ::_COARSE]
        for x0, y0, x1, y1 in self.people:
            seen = (coarse_across >= x0) & (coarse_across <= x1) & (coarse_down >= y0) & (coarse_down <= y1)
            if seen.any():
                rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
                inside.append((columns[0] - 1, rows[0] - 1, columns[-1] + 1, rows[-1] + 1))
        return np.asarray(image, np.uint8), _COARSE * np.array(inside, np.float64).reshape(-1, 4)


def shaken(count: int, degrees: float, seed: int) -> Rotation:
    """Sample the shaking of a hand-held camera, with a standard deviation in degrees."""
    noise = np.random.default_rng(seed).normal(0, 3 * degrees, (count + 8, 3))
    smooth = np.stack([np.convolve(column, np.ones(9) / 9, "valid") for column in noise.T], 1)
    return Rotation.from_euler("xyz", smooth, degrees=True)


def paths(seconds: float, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return rotations of a turning camera by name, (T, 3, 3) world ← camera."""
    times = np.arange(round(seconds * RATE) + 1) / RATE

    def pan(degrees: NDArray[np.float64]) -> Rotation:
        return Rotation.from_euler("y", degrees[:, None], degrees=True)

    hand = shaken(len(times), 0.5, seed)
    there_and_back = 40 * np.abs(((30 * times / 40) + 1) % 2 - 1)
    return {
        "pan on, 30°/s": pan(30 * times).as_matrix(),
        "pan on, 30°/s, shaken": (pan(30 * times) * hand).as_matrix(),
        "pan there and back, 30°/s, shaken": (pan(there_and_back) * hand).as_matrix(),
        "shaken": hand.as_matrix(),
        "still": np.tile(np.eye(3), (len(times), 1, 1)),
    }


def measure(panorama: Panorama, turns: NDArray[np.float64]) -> tuple[NDArray[np.float64], CameraMotion]:
    """The error of every frame's orientation in degrees, (T,), and what was found."""
    watch = BackgroundWatch(LENS, SIZE)
    for index, rotation in enumerate(turns):
        watch.see(index, *panorama.view(rotation))
    motion = watch.result(len(turns))
    off = np.swapaxes(motion.rotations, 1, 2) @ turns[0].T @ turns
    return np.degrees(Rotation.from_matrix(off).magnitude()), motion
