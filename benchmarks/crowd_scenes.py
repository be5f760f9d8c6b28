"""Make scenes of several people from motion capture: who cross, hide each other, leave and return.

People walk on random paths in front of a still camera; their limbs move as in captured walks. They are drawn
as bodies in coloured clothes, the nearer ones over the others, under uneven light and with noise. A simulated
detector sees what is visible: it misses hidden people, loses others now and then, sometimes puts a person's
keypoints on the one in front, and invents people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videopose.detectors.people import People
from videopose.detectors.tracking import keypoint_boxes, with_appearance
from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.skeleton import COCO17, H36M17

SIZE = (640, 360)
RATE = 30.0
_FOCAL, _CAMERA_HEIGHT, _DEPTHS = 533.0, 1.7, (4.0, 9.5)
_OUT = 1.2  # metres beyond the picture's edge, where people wait before they return
_VISIBLE = 0.35  # share of a body's pixels that must be visible
_CLOTHES = (
    *((28, 28, 32), (235, 235, 235), (130, 30, 35), (30, 60, 130), (40, 110, 60), (200, 170, 60)),
    *((120, 120, 125), (90, 60, 40), (190, 90, 120), (60, 130, 150), (220, 110, 40), (70, 50, 110)),
)
_SKIN = ((224, 188, 160), (150, 105, 80), (95, 65, 50))
_H, _C = H36M17.index, COCO17.index


@dataclass(frozen=True)
class Scene:
    """A scene, and what the detector saw of it.

    Attributes:
        people: What the detector gives on each frame, with appearance.
        owners: For each frame, the true person of each of `people`; -1 for an invention.
        visible: (T, P) whether a person can be seen, although the detector may miss them.
        boxes: (T, P, 4) true boxes around keypoints.
        crossings: How often two visible people's boxes began to overlap by half of the smaller one.
        returns: How often a person came back who could not be seen for at least two seconds.
    """

    people: list[People]
    owners: list[NDArray[np.int64]]
    visible: NDArray[np.bool_]
    boxes: NDArray[np.float32]
    crossings: int
    returns: int


def make_scene(motion: MotionCapture, *, people: int, seconds: float, twins: bool, seed: int) -> Scene:
    """Make one scene.

    Args:
        motion: Captured walks.
        people: How many people.
        seconds: How long.
        twins: Whether two people wear the same clothes.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    points = np.stack([_walker(motion, count, random) for _ in range(people)], 1)  # (T, P, 22, 3)
    pixels = _project(points)
    shirts, trousers = (random.permutation(len(_CLOTHES))[:people] for _ in range(2))
    clothes = np.stack([shirts, trousers], 1)
    if twins:
        clothes[1] = clothes[0]
    skins = random.integers(len(_SKIN), size=people)
    left, right = random.uniform(0.6, 1.25, 2).tolist()
    light = np.linspace(left, right, SIZE[0])[None, :, None]
    backdrop = cv2.resize(random.integers(40, 210, (9, 16, 3)).astype(np.uint8), SIZE).astype(np.float32)
    coco = pixels[:, :, list(COCO_POINTS)]
    faults = _Faults(count, people, random)
    found, owners = [], []
    visible = np.zeros((count, people), np.bool_)
    for frame in range(count):
        image, mask = backdrop.copy(), np.full(SIZE[::-1], -1, np.int16)
        whole = np.zeros(people)
        order = np.argsort(-points[frame, :, 0, 1])
        for person in order:
            alone = np.zeros(SIZE[::-1], np.uint8)
            _draw(image, alone, pixels[frame, person], points[frame, person], clothes[person], skins[person])
            whole[person] = _area(pixels[frame, person], alone)
            mask[alone > 0] = person
        share = np.array([(mask == person).sum() for person in range(people)]) / np.maximum(whole, 1)
        inside = ((coco[frame] >= 0) & (coco[frame] < SIZE)).all(-1)
        visible[frame] = (share >= _VISIBLE) & (inside.sum(1) >= 8)
        picture = np.clip(image * light + random.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
        seen, whose = faults.detect(frame, coco[frame], mask, visible[frame], share, inside)
        found.append(with_appearance(seen, picture))
        owners.append(whose)
    boxes = keypoint_boxes(np.concatenate([coco, np.ones((*coco.shape[:3], 1))], -1).astype(np.float32))
    return Scene(found, owners, visible, boxes, _crossings(boxes, visible), _returns(visible))


def _walker(motion: MotionCapture, count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """(T, 22, 3) points of a person on a random path: x right, y away from the camera, z up."""
    clip = motion.clip(int(random.integers(len(motion))))
    body = np.concatenate([clip, coco_face(clip)], 1).astype(np.float64)
    body[..., 2] -= np.percentile(body[..., 2].min(1), 2)
    across = body[:, _H("lhip"), :2] - body[:, _H("rhip"), :2]
    heading = np.unwrap(np.arctan2(-across[:, 0], across[:, 1]))
    body[..., :2] -= body[:, :1, :2]
    path = _path(count, random)
    step = np.gradient(path, axis=0) * RATE
    speed = np.linalg.norm(step, axis=1)
    way = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    way = np.convolve(np.pad(way, 10, mode="edge"), np.ones(21) / 21, "valid")
    # Forwards and backwards through the clip, as fast as the person walks.
    at = np.cumsum(np.clip(speed / 1.3, 0.15, 1.5)) * motion.rate / RATE + random.uniform(0, len(body))
    index = np.abs((at % (2 * len(body) - 2)) - (len(body) - 1)).astype(int)
    turn = way - heading[index]
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    x, y, z = np.moveaxis(body[index], -1, 0)
    tall = random.uniform(0.9, 1.08)
    walked = np.stack([cos * x - sin * y, sin * x + cos * y, z], -1) * tall
    walked[..., :2] += path[:, None]
    return walked


def _path(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """(T, 2) a way to and fro across the picture, at times out of it."""
    points, times = [], [0.0]
    side = random.choice([-1, 1])
    while times[-1] < count / RATE:
        depth = random.uniform(*_DEPTHS)
        edge = SIZE[0] / 2 / _FOCAL * depth
        out = random.random() < 0.35
        points.append([side * (edge + _OUT if out else random.uniform(0.3, 0.85) * edge), depth])
        waits = random.uniform(0.5, 4.0) if out else random.uniform(0, 1.0)
        if len(points) > 1:
            length = np.hypot(*np.subtract(points[-1], points[-2]))
            times.append(times[-1] + length / random.uniform(0.9, 1.6))
        points.append([points[-1][0] + 0.02 * side, depth])
        times.append(times[-1] + waits)
        side = -side
    frames = np.arange(count) / RATE
    path = np.stack([np.interp(frames, times, np.array(points)[: len(times), axis]) for axis in (0, 1)], 1)
    kernel = np.ones(15) / 15
    return np.stack([np.convolve(np.pad(each, 7, mode="edge"), kernel, "valid") for each in path.T], 1)


def _project(points: NDArray[np.float64]) -> NDArray[np.float64]:
    depth = np.maximum(points[..., 1], 0.3)
    x = SIZE[0] / 2 + _FOCAL * points[..., 0] / depth
    y = SIZE[1] / 2 - 27 + _FOCAL * (_CAMERA_HEIGHT - points[..., 2]) / depth
    return np.stack([x, y], -1)


_PARTS = (  # joints, thickness in metres, what covers it: 0 shirt, 1 trousers, 2 skin
    *(("rhip", "rknee", 0.16, 1), ("rknee", "rfoot", 0.11, 1), ("lhip", "lknee", 0.16, 1)),
    *(("lknee", "lfoot", 0.11, 1), ("lshoulder", "lelbow", 0.1, 0), ("rshoulder", "relbow", 0.1, 0)),
    *(("lelbow", "lwrist", 0.08, 2), ("relbow", "rwrist", 0.08, 2), ("thorax", "head", 0.2, 2)),
)


def _draw(
    image: NDArray[np.float32],
    mask: NDArray[np.uint8],
    pixels: NDArray[np.float64],
    points: NDArray[np.float64],
    clothes: NDArray[np.int64],
    skin: int,
) -> None:
    """Draw a body over the image, and its pixels into the mask."""
    scale = _FOCAL / max(float(points[0, 1]), 0.3)
    colours = (_CLOTHES[clothes[0]], _CLOTHES[clothes[1]], _SKIN[skin])
    spots = np.clip(np.round(pixels), -4000, 4000).astype(int)
    trunk = spots[[_H("lshoulder"), _H("rshoulder"), _H("rhip"), _H("lhip")]].astype(np.int32)
    for a, b, thick, cover in _PARTS:
        ends = tuple(map(int, spots[_H(a)])), tuple(map(int, spots[_H(b)]))
        for canvas, colour in ((image, colours[cover]), (mask, 255)):
            cv2.line(canvas, *ends, colour, max(int(thick * scale), 1))
    for canvas, colour in ((image, colours[0]), (mask, 255)):
        cv2.fillConvexPoly(canvas, cv2.convexHull(trunk), colour)
        cv2.polylines(canvas, [cv2.convexHull(trunk)], True, colour, max(int(0.14 * scale), 1))


def _area(pixels: NDArray[np.float64], mask: NDArray[np.uint8]) -> float:
    """Return about how many pixels the body has, also outside the picture."""
    inside = ((pixels >= 0) & (pixels < SIZE)).all(-1).mean()
    return float((mask > 0).sum() / max(inside, 0.1))


class _Faults:
    """What the simulated detector does wrong."""

    def __init__(self, count: int, people: int, random: np.random.Generator) -> None:
        self._random = random
        self._lost = np.zeros((count, people), np.bool_)
        for person in range(people):
            for start in np.flatnonzero(random.random(count) < 1 / (12 * RATE)):
                self._lost[start : start + round(random.uniform(0.1, 1.0) * RATE), person] = True
        self._ghosts = np.flatnonzero(random.random(count) < 1 / (8 * RATE))
        self._ghost = np.zeros((17, 3), np.float32)

    def detect(
        self,
        frame: int,
        coco: NDArray[np.float64],
        mask: NDArray[np.int16],
        visible: NDArray[np.bool_],
        share: NDArray[np.float64],
        inside: NDArray[np.bool_],
    ) -> tuple[People, NDArray[np.int64]]:
        """Return the people on a frame in random order, and whose they are."""
        random = self._random
        found: list[NDArray[np.float32]] = []
        whose: list[int] = []
        for person in np.flatnonzero(visible & ~self._lost[frame]):
            keypoints = np.zeros((17, 3), np.float32)
            tall = np.ptp(coco[person, :, 1])
            at = np.clip(np.round(coco[person]).astype(int), 0, np.array(SIZE) - 1)
            shown = inside[person] & (mask[at[:, 1], at[:, 0]] == person)
            spread = np.where(shown, 0.012, 0.06) * tall
            keypoints[:, :2] = coco[person] + random.normal(size=(17, 2)) * spread[:, None]
            keypoints[:, 2] = np.clip(np.where(shown, 0.8, 0.3) + 0.1 * random.normal(size=17), 0.05, 1)
            if share[person] < 0.6 and random.random() < 0.15:  # on the person in front
                others = [other for other in np.flatnonzero(visible) if other != person]
                if others:
                    apart = [np.abs(coco[other] - coco[person]).mean() for other in others]
                    front = others[int(np.argmin(apart))]
                    keypoints[:, :2] = coco[front] + random.normal(size=(17, 2)) * 0.02 * tall
            found.append(keypoints)
            whose.append(int(person))
        if ((frame - self._ghosts >= 0) & (frame - self._ghosts < 3)).any():
            if frame in self._ghosts:
                place = random.uniform((0, 100), (SIZE[0], 230))
                self._ghost = np.concatenate(
                    [place + random.normal(size=(17, 2)) * 20, np.full((17, 1), 0.35)], 1
                ).astype(np.float32)
            found.append(self._ghost)
            whose.append(-1)
        if not found:
            return People.none(), np.zeros(0, np.int64)
        order = random.permutation(len(found))
        keypoints = np.stack(found)[order]
        people = People(keypoint_boxes(keypoints), keypoints[..., 2].mean(1), keypoints)
        return people, np.array(whose, np.int64)[order]


def _crossings(boxes: NDArray[np.float32], visible: NDArray[np.bool_]) -> int:
    total = 0
    for a in range(boxes.shape[1]):
        for b in range(a):
            one, other = boxes[:, a], boxes[:, b]
            shared = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
            least = np.minimum((one[:, 2:] - one[:, :2]).prod(1), (other[:, 2:] - other[:, :2]).prod(1))
            over = (np.clip(shared, 0, None).prod(1) > 0.5 * least) & (visible[:, a] | visible[:, b])
            total += int((np.diff(over.astype(int)) > 0).sum())
    return total


def _returns(visible: NDArray[np.bool_]) -> int:
    return sum(int((np.diff(np.flatnonzero(each)) > 2 * RATE).sum()) for each in visible.T)


def scenes(motion: MotionCapture, count: int, seconds: float) -> Iterator[Scene]:
    """Yield scenes of four to seven people; in every third, two wear the same clothes."""
    for number in range(count):
        yield make_scene(motion, people=4 + number % 4, seconds=seconds, twins=number % 3 == 2, seed=number)
