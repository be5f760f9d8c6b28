"""The pictures of `benchmarks/finder.py`: crops and shrinkings of real footage, with the people in them.

Footage: the demo clip, Pose2Sim's four clips of several people, and a folder of COCO images with annotated
keypoints. The keypoints of the clips' people are in `finder_people.csv`. They are MoveNet Thunder's, in boxes
read off by eye, and each was drawn and looked at.

Half of the people are for tuning and half for judging: see `JUDGED`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from videopose.detectors.people import Image
from videopose.pipeline.downloads.assets import fetch
from videopose.pipeline.video.reader import open_video

JUDGED = frozenset({"walker", "watcher"})
"""The people of the clips who are kept for judging; of COCO, images with an even number."""

PARTS = {"to the knees": (13, 14), "head to hips": (11, 12), "chest up": (5, 6, 11, 12)}
"""What a crop shows: the keypoints whose mean height is the crop's lower edge."""

PERSON_HEIGHTS = (0.30, 0.15, 0.08, 0.05)
"""Heights of shrunk people as shares of the picture's height."""

LEAST_ROWS = 48
"""The least height of a crop before it is enlarged, in pixels."""

_SHOULDERS, _HIPS, _ANKLES = [5, 6], [11, 12], [15, 16]
_HEIGHTS = (1080, 720, 720)  # of the pictures with shrunk people
_ASPECTS = (16 / 9, 4 / 3, 1.0, 9 / 16)
_EMPTY_TO, _EMPTY_FROM = 220, 0  # frames of the demo clip without people left and right of column 1100
_SEAM = 1100
_FAR = (
    1462,
    592,
    1506,
    662,
)  # box of a person far behind, on all frames of the demo clip, who does not count


@dataclass(frozen=True)
class Person:
    """A person on a picture.

    Attributes:
        name: The same for all pictures of a person.
        keypoints: (17, 3) COCO17 x, y in pixels and score; score 0 where unknown.
        wanted: Whether the person counts. Others may be found or not.
    """

    name: str
    keypoints: NDArray[np.float64]
    wanted: bool = True

    def placed(self, scale: float, shift: tuple[float, float]) -> Person:
        """Return the person of a picture that was scaled and then moved by `shift` pixels."""
        keypoints = self.keypoints.copy()
        keypoints[:, :2] = keypoints[:, :2] * scale + shift
        return replace(self, keypoints=keypoints)

    @property
    def box(self) -> NDArray[np.float64]:
        """(4,) The box around the known keypoints, and a little more."""
        known = self.keypoints[self.keypoints[:, 2] > 0, :2]
        low, high = known.min(0), known.max(0)
        margin = 0.1 * (high - low).max()
        return np.concatenate([low - margin, high + margin])

    @property
    def top(self) -> float:
        """The top of the head, by its distance from the shoulders."""
        shoulders = self.keypoints[_SHOULDERS, 1].mean()
        face = self.keypoints[:5][self.keypoints[:5, 2] > 0, 1]
        return float(face.min() - 0.6 * (shoulders - face.mean()))

    @property
    def whole(self) -> bool:
        """Whether the person is known from the nose to the ankles."""
        return bool((self.keypoints[[0, *_SHOULDERS, *_HIPS, *_ANKLES], 2] > 0.2).all())

    @property
    def upright(self) -> bool:
        """Whether head, shoulders, hips and ankles are known and above one another."""
        keypoints = self.keypoints
        known = (keypoints[[0, *_SHOULDERS, *_HIPS], 2] > 0.2).all()
        torso = keypoints[_HIPS, :2].mean(0) - keypoints[_SHOULDERS, :2].mean(0)
        return bool(
            known and torso[1] > 2 * abs(torso[0]) and keypoints[0, 1] < keypoints[_SHOULDERS, 1].min()
        )


@dataclass(frozen=True)
class Scene:
    """A picture and its people.

    Attributes:
        kind: The row of the table.
        name: Footage, person and aspect.
        image: (H, W, 3) RGB.
        people: All of its people.
        judged: Whether it is for judging, not for tuning.
    """

    kind: str
    name: str
    image: Image
    people: tuple[Person, ...]
    judged: bool


@dataclass(frozen=True)
class _Still:
    name: str
    image: Image
    people: tuple[Person, ...]


def scenes(coco: Path | None) -> Iterator[Scene]:
    """Yield all pictures.

    Args:
        coco: A folder of COCO images and one file of annotations, or None to leave them out.
    """
    stills = [*_clip_stills(), *(_coco_stills(coco) if coco else ())]
    aspects = cycle(_ASPECTS)
    for still in stills:
        for person in still.people:
            if person.wanted and person.upright:
                for kind, joints in PARTS.items():
                    bottom = person.keypoints[list(joints), 1].mean()
                    if person.keypoints[list(joints), 2].min() > 0 and bottom - person.top >= LEAST_ROWS:
                        yield _close_up(still, person, kind, joints, next(aspects))
    places = cycle([(0.1, 0.6), (0.5, 0.3), (0.75, 0.55), (0.3, 0.75), (0.9, 0.4)])
    heights, first = cycle(_HEIGHTS), cycle((0, 1, 1))
    for still in stills:
        tall = [person for person in still.people if person.wanted and person.whole]
        for person in tall[:1] if still.name.startswith("COCO") else tall:
            for share in PERSON_HEIGHTS[next(first) :: 2]:
                yield _shrunk(still, person, share, next(heights), next(places))
    for still in islice((s for s in stills if s.name.startswith("demo")), 0, None, 2):
        yield _panorama(still)
        yield _tall(still)
    for still in stills:
        if not still.name.startswith("COCO"):
            yield Scene("whole frame", still.name, still.image, still.people, _judged(still, still.people))
        else:
            yield Scene("COCO image", still.name, still.image, still.people, _judged(still, still.people))
    yield from _without_people()


def _judged(still: _Still, people: tuple[Person, ...]) -> bool:
    if still.name.startswith("COCO"):
        return int(still.name.split()[-1]) // 100 % 2 == 0
    return any(person.name in JUDGED for person in people)


def _close_up(still: _Still, person: Person, kind: str, joints: tuple[int, ...], aspect: float) -> Scene:
    """Cut from above the head down to `joints`, and enlarge to 480 rows."""
    height, width = still.image.shape[:2]
    bottom = float(person.keypoints[list(joints), 1].mean())
    top = max(person.top - 0.08 * (bottom - person.top), 0.0)
    bottom = min(bottom, height)
    side = min((bottom - top) * aspect, width)
    middle = float(person.keypoints[_SHOULDERS, 0].mean())
    left = min(max(middle - side / 2, 0), width - side)
    x0, y0, x1, y1 = round(left), round(top), round(left + side), round(bottom)
    scale = 480 / (y1 - y0)
    image = cv2.resize(
        still.image[y0:y1, x0:x1], (round((x1 - x0) * scale), 480), interpolation=cv2.INTER_AREA
    )
    people = tuple(
        replace(other.placed(scale, (-x0 * scale, -y0 * scale)), wanted=other.wanted and other is person)
        for other in still.people
    )
    name = f"{still.name} {person.name} {aspect:.2f}"
    return Scene(kind, name, np.asarray(image, np.uint8), people, _judged(still, (person,)))


def _shrunk(still: _Still, person: Person, share: float, height: int, place: tuple[float, float]) -> Scene:
    """Shrink the still until the person fills `share` of a 16:9 picture's height; put it on a background."""
    width = height * 16 // 9
    scale = share * height / (person.keypoints[_ANKLES, 1].max() - person.top)
    background = _resized(_empty_frame(), (width, height))
    image, people = _paste(still, background, scale, place)
    people = tuple(replace(other, wanted=other.wanted and other.name == person.name) for other in people)
    name = f"{still.name} {person.name} {height}p"
    return Scene(f"{share:.0%} of the height", name, image, people, _judged(still, (person,)))


def _panorama(still: _Still) -> Scene:
    background = _resized(_empty_frame(), (640, 360))
    wide = np.hstack([background, background[:, ::-1]] * 4)[:, :4000]
    image, people = _paste(still, wide, 360 / still.image.shape[0], (0.6, 0))
    return Scene("panorama 4000×360", still.name, image, people, _judged(still, people))


def _tall(still: _Still) -> Scene:
    background = _resized(_empty_frame(), (640, 360))
    tall = np.vstack([background, background[::-1]] * 4)[:2400]
    image, people = _paste(still, tall, 640 / still.image.shape[1], (0, 0.6))
    return Scene("panorama 640×2400", still.name, image, people, _judged(still, people))


def _resized(image: NDArray[np.uint8], size: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _paste(
    still: _Still, background: NDArray[np.uint8], scale: float, place: tuple[float, float]
) -> tuple[Image, tuple[Person, ...]]:
    small: NDArray[np.uint8] = np.asarray(still.image, np.uint8)
    if scale < 1:
        small = np.asarray(
            cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    elif scale > 1:
        small = np.asarray(cv2.resize(small, None, fx=scale, fy=scale), np.uint8)
    height, width = background.shape[:2]
    rows, columns = min(small.shape[0], height), min(small.shape[1], width)
    x, y = round(place[0] * (width - columns)), round(place[1] * (height - rows))
    image = background.copy()
    image[y : y + rows, x : x + columns] = small[:rows, :columns]
    return image, tuple(person.placed(scale, (x, y)) for person in still.people)


@cache
def _demo_frames() -> dict[int, Image]:
    with open_video(fetch("demo.mp4")) as video:
        return {frame.index: frame.image for frame in video.frames() if frame.index % 20 == 0}


@cache
def _empty_frame() -> Image:
    frames = _demo_frames()
    image = np.hstack([frames[_EMPTY_TO][:, :_SEAM], frames[_EMPTY_FROM][:, _SEAM:]])
    far = np.zeros(image.shape[:2], np.uint8)
    x0, y0, x1, y1 = _FAR
    far[y0:y1, x0:x1] = 255
    return np.asarray(cv2.inpaint(image, far, 5, cv2.INPAINT_TELEA), np.uint8)


def _clip_stills() -> Iterator[_Still]:
    people: dict[tuple[str, int], list[Person]] = {}
    with Path(__file__).with_name("finder_people.csv").open(encoding="utf-8", newline="") as file:
        for clip, frame, name, *values in islice(csv.reader(file), 1, None):
            keypoints = np.array(values, np.float64).reshape(17, 3)
            person = Person(name, keypoints, wanted=name not in ("distant", "partial"))
            people.setdefault((clip, int(frame)), []).append(person)
    x0, y0, x1, y1 = _FAR
    corners = np.zeros((17, 3))
    corners[:2] = [[x0, y0, 1], [x1, y1, 1]]
    for (clip, _), present in people.items():
        if clip == "demo.mp4":
            present.append(Person("far behind", corners, wanted=False))
    for clip in dict.fromkeys(clip for clip, _ in people):
        with open_video(fetch(clip)) as video:
            for shown in video.frames():
                if (clip, shown.index) in people:
                    name = f"{clip.removesuffix('.mp4')} {shown.index}"
                    yield _Still(name, shown.image, tuple(people[clip, shown.index]))


def _coco_stills(folder: Path) -> Iterator[_Still]:
    (annotations,) = folder.glob("*.json")
    data = json.loads(annotations.read_text(encoding="utf-8"))
    for image in data["images"]:
        people = []
        for each in data["annotations"]:
            if each["image_id"] != image["id"]:
                continue
            keypoints = np.array(each["keypoints"], np.float64).reshape(17, 3)
            keypoints[:, 2] = keypoints[:, 2] > 0
            if keypoints[:, 2].sum() < 4:  # too little is known: the box alone
                x, y, width, height = each["bbox"]
                corners = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])
                keypoints[:4, :2], keypoints[:4, 2] = corners, 1
                people.append(Person("unclear", keypoints, wanted=False))
            else:
                people.append(Person(f"person {each['id']}", keypoints))
        pixels = cv2.imread(str(folder / image["file_name"]))
        assert pixels is not None
        yield _Still(f"COCO {image['id']}", np.asarray(pixels[..., ::-1], np.uint8).copy(), tuple(people))


def _without_people() -> Iterator[Scene]:
    """Yield pictures without people: the empty background, its parts, and a mirrored and turned one."""
    empty = _empty_frame()
    parts = {
        "whole": empty,
        "upside down": empty[::-1, ::-1],
        "wall": empty[430:930, :760],
        "tree": empty[:, 1400:],
        "houses": empty[100:600, :600],
        "grass": empty[700:, 700:],
        "shrunk": cv2.resize(empty, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA),
        "long": empty[300:500],
    }
    for name, image in parts.items():
        yield Scene(
            "nobody",
            name,
            np.ascontiguousarray(image, dtype=np.uint8),
            (),
            judged=name in ("wall", "tree", "long"),
        )
