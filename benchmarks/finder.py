"""Measure which people the built-in detector finds on single pictures, by how much of them is seen.

    python benchmarks/finder.py [--coco FOLDER] [--sheet FILE.png] [--threads N]

The pictures are crops (to the knees, head to hips, chest up) and shrinkings (30 % to 5 % of the height) of
the demo clip, of Pose2Sim's clips of several people, and of a folder of COCO images; panoramas; whole
frames; and pictures without people. Each is a video of one frame.

A person is found if the object keypoint similarity (OKS) with their known keypoints inside the picture is at
least 0.5. A detection that lies on no person is false. Printed are recall and false people for each kind, for
the people used for tuning and for those kept for judging. To measure the state before a change, put another
checkout on the `PYTHONPATH`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from finder_scenes import Person, Scene, scenes
from numpy.typing import NDArray

from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.people import People
from videopose.detectors.tracking.similarity import COCO_FALL_OFF
from videopose.pipeline.downloads.assets import cache_folder, fetch

FOUND = 0.5
_ON_SOMEONE = 0.3  # of a detection's box that lies on a person's, from which it is not false


@dataclass
class Count:
    """Of one kind of picture: people wanted and found, false people, and those found by their height."""

    wanted: int = 0
    found: int = 0
    false: int = 0
    pictures: int = 0
    missed: list[str] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--coco", type=Path, help="a folder with images and their annotations (JSON)")
    parser.add_argument(
        "--sheet", type=Path, help="write a picture of the scenes in which something is wrong"
    )
    parser.add_argument("--only", help="a kind of picture, such as 'chest up'")
    parser.add_argument("--missed", action="store_true", help="name the pictures in which something is wrong")
    parser.add_argument("--threads", type=int, default=1, help="threads of the networks")
    options = parser.parse_args()
    detector = MoveNet(
        multipose=(fetch("movenet-multipose.json"), fetch("movenet-multipose.bin")),
        thunder=(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")),
        cache=cache_folder(),
        threads=options.threads,
    )
    counts: dict[tuple[str, bool], Count] = {}
    heights: list[tuple[float, bool]] = []
    wrong = []
    for scene in scenes(options.coco):
        if options.only not in (None, scene.kind):
            continue
        (people,) = detector.detect([scene.image])
        hits, false = compare(scene, people)
        count = counts.setdefault((scene.kind, scene.judged), Count())
        count.pictures += 1
        count.wanted += len(hits)
        count.found += sum(hits.values())
        count.false += false
        if scene.kind.endswith("of the height"):
            heights += [
                (_height(person), hits[index]) for index, person in enumerate(scene.people) if index in hits
            ]
        if false or not all(hits.values()):
            count.missed.append(f"{scene.name}{f' ({false} false)' if false else ''}")
            wrong.append((scene, people))
    report(counts, heights, names=options.missed)
    if options.sheet:
        cv2.imwrite(str(options.sheet), sheet(wrong))


def compare(scene: Scene, people: People) -> tuple[dict[int, bool], int]:
    """Return for each wanted person, by index, whether they were found, and how many people are false."""
    height, width = scene.image.shape[:2]
    hits = {}
    for index, person in enumerate(scene.people):
        known = _in_picture(person, width, height)
        if person.wanted and known.any():
            hits[index] = any(_similarity(person, known, found) >= FOUND for found in people.keypoints)
    # Someone who is not wanted may be found, and half of someone at the edge too.
    false = sum(
        not any(_overlap(box, person.box) >= _ON_SOMEONE for person in scene.people) for box in people.boxes
    )
    return hits, false


def _in_picture(person: Person, width: int, height: int) -> NDArray[np.bool_]:
    x, y, score = person.keypoints.T
    return np.asarray((score > 0.2) & (x >= 0) & (y >= 0) & (x < width) & (y < height))


def _similarity(person: Person, known: NDArray[np.bool_], found: NDArray[np.float32]) -> float:
    box = person.box
    size = 0.4 * float(np.hypot(box[2] - box[0], box[3] - box[1]))
    apart = np.square(person.keypoints[:, :2] - found[:, :2]).sum(1) / (2 * np.square(size * COCO_FALL_OFF))
    return float(np.exp(-apart[known]).mean())


def _overlap(box: NDArray[np.float32], other: NDArray[np.float64]) -> float:
    """The share of the smaller box that lies in the other."""
    shared = np.clip(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0, None).prod()
    least = min(np.prod(box[2:] - box[:2]), np.prod(other[2:] - other[:2]))
    return float(shared / max(least, 1))


def _height(person: Person) -> float:
    return float(person.keypoints[[15, 16], 1].max() - person.top)


def report(
    counts: dict[tuple[str, bool], Count], heights: Sequence[tuple[float, bool]], *, names: bool
) -> None:
    """Print the tables."""
    print(
        f"{'':22}{'tuning':>24}{'judging':>24}\n{'':22}{'found':>14}{'false':>10}{'found':>14}{'false':>10}"
    )
    for kind in dict.fromkeys(kind for kind, _ in counts):
        sides = [counts.get((kind, judged), Count()) for judged in (False, True)]
        cells = "".join(
            f"{f'{c.found}/{c.wanted}':>9} {c.found / c.wanted if c.wanted else 1:4.0%}{c.false:>10}"
            for c in sides
        )
        print(f"{kind:22}{cells}")
        for name in (name for c in sides for name in c.missed if names):
            print(f"    {name}")
    print(f"{sum(count.pictures for count in counts.values())} pictures")
    for low, high in ((0, 40), (40, 60), (60, 90), (90, 170), (170, 400)):
        among = [hit for height, hit in heights if low <= height < high]
        if among:
            print(f"{f'{low} to {high} pixels':22}{f'{sum(among)}/{len(among)}':>9} {np.mean(among):4.0%}")


def sheet(wrong: Sequence[tuple[Scene, People]]) -> NDArray[np.uint8]:
    """Draw what was found (green) and the people who were not (red)."""
    tiles = []
    for scene, people in wrong:
        image = scene.image[..., ::-1].copy()
        scale = 320 / max(image.shape[:2])
        image = cv2.resize(image, None, fx=scale, fy=scale)
        for person in scene.people:
            colour = (0, 0, 255) if person.wanted else (255, 128, 0)
            low, high = np.round(person.box * scale).astype(int).reshape(2, 2)
            cv2.rectangle(image, tuple(map(int, low)), tuple(map(int, high)), colour, 1)
        for keypoints in people.keypoints:
            for x, y, score in keypoints:
                if score > 0.2:
                    cv2.circle(image, (round(x * scale), round(y * scale)), 2, (0, 255, 0), -1)
        tile = np.zeros((340, 320, 3), np.uint8)
        tile[20 : 20 + image.shape[0], : image.shape[1]] = image
        cv2.putText(tile, f"{scene.kind}: {scene.name}"[:52], (2, 13), 0, 0.33, (255, 255, 255))
        tiles.append(tile)
    tiles += [np.zeros((340, 320, 3), np.uint8)] * (-len(tiles) % 6)
    return np.vstack(
        [np.hstack(tiles[i : i + 6]) for i in range(0, len(tiles), 6)] or [np.zeros((1, 1, 3), np.uint8)]
    )


if __name__ == "__main__":
    main()
