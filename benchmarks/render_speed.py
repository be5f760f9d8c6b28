"""Speed of drawing animations: two people at 1200×600 beside the demo clip (1768×994).

    python benchmarks/render_speed.py [--clip VIDEO] [--rounds N]

Prints frames a second for drawing alone, and for decoding, drawing and encoding together: median, lowest and
highest of the rounds. Two figures walk through the scene, so that every part of the picture is drawn.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videopose.lifting.cameras.intrinsics import Intrinsics, project
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.downloads.assets import fetch
from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.writer import VideoWriter
from videopose.render.animation import Animation
from videopose.render.theme import Picture
from videopose.skeleton import COCO17, H36M17

SIZE = (1200, 600)
KEPT = 40  # decoded frames that are drawn repeatedly


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clip", type=Path, help="a video; the demo clip by default")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    clip = options.clip or fetch("demo.mp4")
    with open_video(clip) as video:
        rate, frame_size = video.rate, video.size
        images = [frame.image for frame in itertools.islice(video.frames(), KEPT)]
        count = sum(1 for _ in video.frames())
    table = walkers(count, rate, frame_size)
    begin = time.perf_counter()
    animation = Animation(table, size=SIZE)
    setup = time.perf_counter() - begin

    print(
        f"{clip.name}: {frame_size[0]}×{frame_size[1]}, {count} frames, drawn at {SIZE[0]}×{SIZE[1]} with "
        f"two people and two views; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"setting up                  {setup * 1000:.0f} ms")
    report("drawing", options.rounds, lambda: draw(animation, images))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "animation.mp4"
        report("decoding, drawing, encoding", options.rounds, lambda: convert(animation, clip, rate, output))


def report(what: str, rounds: int, work: Callable[[], int]) -> None:
    """Call `work`, which returns its number of frames, once to warm up and then `rounds` times."""
    work()
    speeds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        frames = work()
        speeds.append(frames / (time.perf_counter() - begin))
    print(f"{what:27} {np.median(speeds):.0f} fps ({min(speeds):.0f}–{max(speeds):.0f} in {rounds} rounds)")


def draw(animation: Animation, images: list[Picture]) -> int:
    """Draw every frame, with the images in turn."""
    for frame in range(len(animation)):
        animation.draw(frame, images[frame % len(images)])
    return len(animation)


def convert(animation: Animation, clip: Path, rate: float, output: Path) -> int:
    """Make an animation file from the clip."""
    with open_video(clip) as video, VideoWriter(output, size=SIZE, rate=rate) as writer:
        for frame in video.frames():
            writer.write(animation.draw(frame.index, frame.image))
    return len(animation)


def walkers(count: int, rate: float, size: tuple[int, int]) -> PoseTable:
    """Two people who cross the picture in opposite directions."""
    camera = Intrinsics.centred(0.87 * max(size), size)
    poses = np.stack([walk(count, rate, turn) for turn in (1.2, -1.9)])
    roots = np.stack(
        [np.linspace((-1.8, 0.3, 5), (1.8, 0.3, 5.5), count), np.linspace((2, 0.3, 6), (-2, 0.3, 6), count)]
    )
    joints = [
        H36M17.index("head" if n[1:] in ("eye", "ear") else n.replace("ankle", "foot")) for n in COCO17.names
    ]
    keypoints = project(poses[:, :, joints] + roots[:, :, None], camera)
    return PoseTable(
        track=np.repeat(np.arange(1, 3, dtype=np.int32), count),
        frame=np.tile(np.arange(count, dtype=np.int32), 2),
        keypoints=np.concatenate([keypoints, np.ones((2, count, 17, 1))], -1)
        .reshape(-1, 17, 3)
        .astype(np.float32),
        pose=poses.reshape(-1, 17, 3).astype(np.float32),
        root=roots.reshape(-1, 3).astype(np.float32),
        filled=np.zeros(2 * count, np.bool_),
        time=np.arange(count) / rate,
        size=size,
        intrinsics=camera,
    )


def walk(count: int, rate: float, turn: float) -> NDArray[np.float64]:
    """(count, 17, 3): a stride every second, seen turned by `turn` radians about the upright; root at 0."""
    pose = np.zeros((count, 17, 3))
    swing = 0.5 * np.sin(np.arange(count) / rate * 2 * np.pi)
    for side, sign in (("l", 1), ("r", -1)):
        for limb, lengths, start, angle in (
            (("hip", "knee", "foot"), (0.45, 0.43), (0.12, 0.0), sign * swing),
            (("shoulder", "elbow", "wrist"), (0.29, 0.25), (0.18, -0.5), -sign * swing),
        ):
            at = np.tile(np.array([sign * start[0], start[1], 0]), (count, 1))
            pose[:, H36M17.index(side + limb[0])] = at
            for name, length, bend in zip(limb[1:], lengths, (1.0, 1.3), strict=True):
                step = np.stack([0 * angle, np.cos(bend * angle), np.sin(bend * angle)], -1)
                at = at + length * step
                pose[:, H36M17.index(side + name)] = at
    for name, where in {"spine": (0, -0.25, 0), "thorax": (0, -0.5, 0), "nose": (0, -0.62, -0.1),
                        "head": (0, -0.75, 0)}.items():  # fmt: skip
        pose[:, H36M17.index(name)] = where
    cos, sin = np.cos(turn), np.sin(turn)
    return pose @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


if __name__ == "__main__":
    main()
