"""One 3D panel: the floor, shadows and people, seen from one side."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..skeleton import H36M17
from .panel_camera import PanelCamera
from .scene import Person, Scene
from .strokes import capsules, discs, fill, lines
from .theme import CARD, FILLED, GRID, LEFT, RIGHT, SHADOW, UNSEEN, Colour, Picture, mix, track_colour
from .views import View

_CELLS = 14  # most grid cells from the middle to the edge; a cell is 0.5 m, doubled until this many suffice
_FADES = 6  # steps in which the grid fades into the panel's colour
_FLAT = np.array([1.0, 0.0, 1.0])
_NOSE, _HEAD, _THORAX = (H36M17.index(name) for name in ("nose", "head", "thorax"))
# The head is drawn as a disc. Its centre is midway between nose and crown, and replaces the crown in the
# joints. The neck connects it to the thorax. The nose is a dot on the disc.
_CHILD, _PARENT = np.array(
    [bone for bone in H36M17.bones if bone[0] not in (_NOSE, _HEAD)] + [(_HEAD, _THORAX)]
).T
_DISCS = np.array([joint for joint in range(len(H36M17)) if joint not in (_NOSE, _HEAD)])
_SIDES: list[Colour | None] = [
    LEFT if joint in H36M17.left else RIGHT if joint in H36M17.right else None for joint in range(len(H36M17))
]

Shape = tuple[float, NDArray[np.int32], Colour, NDArray[np.int32] | None]
"""Depth, outline, colour, and the outline of a rim, which separates it from what is behind."""

# Metres: half the thickness of a limb, of a joint and of a shadow; the radius of the head and of the nose.
_LIMB, _JOINT, _SHADE, _HEAD_RADIUS, _FACE_RADIUS = 0.026, 0.036, 0.03, 0.1, 0.034
_THINNEST = 0.9  # pixels


class Panel:
    """A picture of a scene from one view.

    Args:
        scene: The people.
        view: The direction to look from.
        targets: The point to look at, in metres: (3,) for a fixed view, (T, 3) for one that follows people.
        size: Width and height, in pixels.
        heading: The pixels at the top that are kept free.

    Attributes:
        scale: How large people are drawn, in pixels a metre.
        follows: Whether the view follows people.
    """

    def __init__(
        self, scene: Scene, view: View, targets: NDArray[np.float64], size: tuple[int, int], heading: int
    ) -> None:
        width, height = size
        margin = 0.03 * min(size) + 2
        heading = min(heading, round(0.35 * height))
        extent = scene.extent(targets)
        self._camera = PanelCamera.fit(
            view, extent, (margin, margin + heading), (width - margin, height - margin)
        )
        self._targets = targets
        self.follows = targets.ndim == 2
        room = float(np.abs(extent[:, ::2]).max()) + 1.5
        self._cell = 0.5 * 2 ** max(math.ceil(math.log2(room / 0.5 / _CELLS)), 0)
        self._reach = math.ceil(room / self._cell) * self._cell
        self._lattice = _lattice(self._cell, self._reach)
        self.scale = self._camera.scale
        self._rim = max(1.0, 0.012 * self.scale)

    def draw_background(self, image: Picture) -> None:
        """Draw what is the same on every frame: the floor, unless the view follows people."""
        if not self.follows:
            self._draw_floor(image, self._targets)

    def draw(self, image: Picture, people: list[Person], frame: int) -> list[tuple[float, float]]:
        """Draw the people of a frame. Return the pixel of each label, NaN for people without a pose."""
        target = self._target(frame)
        if self.follows:
            self._draw_floor(image, target)
        for person in people:
            if person.joints is not None:
                self._draw_shadow(image, person.joints, target)
        shapes: list[Shape] = []
        labels = [self._add(shapes, person, target) for person in people]
        shapes.sort(key=lambda shape: -shape[0])
        for _, outline, colour, rim in shapes:
            if rim is not None:
                fill(image, rim, CARD)
            fill(image, outline, colour)
        return labels

    def locate(self, points: NDArray[np.floating], frame: int) -> NDArray[np.float64]:
        """Project points of the scene into the panel of a frame: (…, 3) metres → (…, 2) pixels."""
        return self._camera.project(points, self._target(frame))[0]

    def _target(self, frame: int) -> NDArray[np.float64]:
        return self._targets[frame] if self.follows else self._targets

    def _draw_shadow(self, image: Picture, joints: NDArray[np.floating], target: NDArray[np.float64]) -> None:
        points, depth = self._camera.project(joints * _FLAT, target)
        radii = self._pixels(_SHADE, depth)
        for outline in capsules(
            points[_CHILD], points[_PARENT], np.stack([radii[_CHILD], radii[_PARENT]], 1)
        ):
            fill(image, outline, SHADOW)

    def _add(self, shapes: list[Shape], person: Person, target: NDArray[np.float64]) -> tuple[float, float]:
        """Add a person's limbs, joints and head to `shapes`; return where the label points to."""
        if person.joints is None:
            return math.nan, math.nan
        trunk = track_colour(person.rank)
        usual = FILLED if person.filled else 0.0
        pale = [usual if seen else UNSEEN for seen in person.seen]
        own = mix(trunk, CARD, pale[_HEAD])
        colours = [mix(side or trunk, CARD, share) for side, share in zip(_SIDES, pale, strict=True)]
        points, depth = self._camera.project(_with_face(person.joints), target)

        starts, ends = points[_CHILD], points[_PARENT]
        limb = self._pixels(_LIMB, depth)
        radii = np.stack([limb[_CHILD], limb[_PARENT]], 1)
        # The rim ends before the joints, so that no rim is drawn between connected limbs.
        along = ends - starts
        length = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
        inset = along * np.minimum(1.8 * limb[_CHILD] / length + 2 / length, 0.45)[:, None]
        rims = capsules(starts + inset, ends - inset, radii + self._rim)
        outlines = capsules(starts, ends, radii)
        middle = (depth[_CHILD] + depth[_PARENT]) / 2
        for bone, joint in enumerate(_CHILD):
            rim = None if joint == _HEAD else rims[bone]  # the neck's rim would cut into the head
            shapes.append((float(middle[bone]), outlines[bone], colours[joint], rim))

        knobs = discs(points[_DISCS], self._pixels(_JOINT, depth[_DISCS]))
        for index, outline in zip(_DISCS, knobs, strict=True):
            shapes.append((float(depth[index]) - _LIMB, outline, colours[index], None))

        radius = self._pixels(_HEAD_RADIUS, depth[[_HEAD]])
        head, round_head = discs(points[[_HEAD, _HEAD]], np.append(radius, radius + self._rim))
        shapes.append((float(depth[_HEAD]), head, own, round_head))
        face = discs(points[[_NOSE]], self._pixels(_FACE_RADIUS, depth[[_NOSE]]))[0]
        shapes.append((float(depth[_NOSE]), face, mix(own, CARD, 0.75), None))
        return float(points[_HEAD, 0]), float(points[_HEAD, 1] - 1.25 * radius[0])

    def _pixels(self, metres: float, depth: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the pixels of a length in metres at each depth."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.clip(metres * self._camera.focal / depth, _THINNEST, 60.0))

    def _draw_floor(self, image: Picture, target: NDArray[np.float64]) -> None:
        pieces = self._lattice + np.floor(target / self._cell) * self._cell * _FLAT
        away = np.linalg.norm(pieces.mean(1) - target * _FLAT, axis=1) / self._reach
        segments, _ = self._camera.project(pieces, target)
        fade = (np.minimum(away, 1) ** 1.5 * _FADES).astype(int)  # the last step is the panel's own colour
        for step in range(_FADES):
            lines(image, segments[fade == step], mix(GRID, CARD, step / _FADES))


def _lattice(cell: float, reach: float) -> NDArray[np.float64]:
    """(P, 2, 3): the grid around the origin, in pieces one cell long, each of which has its own shade."""
    steps = np.arange(-reach, reach + cell / 2, cell)
    across, along = np.meshgrid(steps, steps[:-1], indexing="ij")
    ends = np.stack([along, along + cell], -1)
    sides = np.stack([across, across], -1)
    flat = np.zeros_like(ends)
    pieces = np.stack([np.stack([ends, flat, sides], -1), np.stack([sides, flat, ends], -1)])
    return pieces.reshape(-1, 2, 3)


def _with_face(joints: NDArray[np.floating]) -> NDArray[np.floating]:
    """(17, 3) joints with the crown replaced by the middle of the head."""
    moved = joints.copy()
    moved[_HEAD] = (joints[_HEAD] + joints[_NOSE]) / 2
    return moved
