"""A picture of each person in a video: the frame that shows them best, when they are there, and how large."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....detectors.people import Image
from ....errors import InputError
from ....lifting.pose_table import PoseTable
from ...progress import Progress, no_progress
from ...video.reader import reopen_video
from ..selection import body_boxes

ASPECT = 4 / 5
"""Width divided by height of a person's picture."""

_AIR = 1.15  # height or width of a picture, divided by that of the person
_LEAST = 48  # pixels: the least height of a picture


@dataclass(frozen=True)
class PersonPicture:
    """One person of a video, and the picture that shows them best.

    Attributes:
        track: The person's id.
        frame: The frame of the picture.
        time: Its time in seconds.
        picture: (H, W, 3) RGB, cut out of the frame with `ASPECT`.
        box: x0, y0, x1, y1 of the person in the picture, as shares (0–1) of its width and height.
        present: The times in seconds, first and last, of each stretch on which the person is there.
        frames: On how many frames the person is there.
        height: The usual height of the person in pixels, by the box around the keypoints.
    """

    track: int
    frame: int
    time: float
    picture: Image
    box: tuple[float, float, float, float]
    present: tuple[tuple[float, float], ...]
    frames: int
    height: float


def people_pictures(
    table: PoseTable, video: Path, *, progress: Progress = no_progress
) -> list[PersonPicture]:
    """Find the picture that shows each person best, and read it from the video.

    A person is shown best where they are large, inside the picture, apart from others, and found with high
    scores.

    Args:
        table: The people of the video.
        video: The file that the table was made from.
        progress: How progress is shown.

    Returns:
        One for each person, by id.

    Raises:
        InputError: The video cannot be read, or is not the table's.
    """
    boxes = body_boxes(table.keypoints)
    shown = _how_well_shown(table, boxes)
    best = {track: rows.start + int(np.argmax(shown[rows])) for track, rows in table.tracks()}
    wanted: dict[int, list[int]] = {}
    for track, row in best.items():
        wanted.setdefault(int(table.frame[row]), []).append(track)
    pictures: dict[int, tuple[Image, tuple[float, float, float, float]]] = {}
    last = max(wanted, default=-1)
    with reopen_video(video, table.meta) as opened:
        if opened.size != table.size:
            raise InputError(
                f"{video}: expected pictures of {table.size[0]}×{table.size[1]} pixels as in the pose table, "
                f"found {opened.size[0]}×{opened.size[1]}; --video names the table's video"
            )
        with progress(f"reading pictures of {video.name}", last + 1) as advance:
            for frame in opened.frames() if wanted else ():
                for track in wanted.get(frame.index, ()):
                    pictures[track] = _cut(frame.image, boxes[best[track]])
                advance()
                if frame.index >= last:
                    break
    if missing := best.keys() - pictures.keys():
        frame_number = int(table.frame[best[min(missing)]])
        raise InputError(f"{video}: it ends before frame {frame_number}; --video names the table's video")
    return [
        PersonPicture(
            track=track,
            frame=int(table.frame[best[track]]),
            time=float(table.time[table.frame[best[track]]]),
            picture=pictures[track][0],
            box=pictures[track][1],
            present=_stretches(table, rows),
            frames=rows.stop - rows.start,
            height=float(np.median(boxes[rows, 3] - boxes[rows, 1])),
        )
        for track, rows in table.tracks()
    ]


def _how_well_shown(table: PoseTable, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how well each row's frame shows its person: (N,), 0 or more."""
    low = np.clip(boxes[:, :2], 0, table.size)
    high = np.clip(boxes[:, 2:], 0, table.size)
    inside = (high - low).prod(-1)
    whole = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(-1), 1)
    covered = np.zeros(len(table), np.float32)
    order = np.argsort(table.frame, kind="stable")
    edges = [0, *(np.flatnonzero(np.diff(table.frame[order])) + 1).tolist(), len(order)]
    for begin, end in pairwise(edges):
        rows = order[begin:end]
        for row in rows if len(rows) > 1 else ():
            others = rows[rows != row]
            shared = np.minimum(high[row], high[others]) - np.maximum(low[row], low[others])
            covered[row] = np.clip(shared, 0, None).prod(-1).max() / max(inside[row], 1)
    clear = (inside / whole) * np.clip(1 - covered, 0.05, 1) * table.keypoints[..., 2].mean(1)
    return np.asarray(np.sqrt(inside) * clear * np.where(table.filled, 0.1, 1), np.float32)


def _stretches(table: PoseTable, rows: slice) -> tuple[tuple[float, float], ...]:
    """Return the first and last time of each run of frames without a gap."""
    frames = table.frame[rows]
    edges = [0, *(np.flatnonzero(np.diff(frames) > 1) + 1).tolist(), len(frames)]
    return tuple(
        (float(table.time[frames[begin]]), float(table.time[frames[end - 1]]))
        for begin, end in pairwise(edges)
    )


def _cut(image: Image, box: NDArray[np.float32]) -> tuple[Image, tuple[float, float, float, float]]:
    """Cut out the person with some air, black beyond the frame; also return where `box` is in it."""
    width, height = _AIR * (box[2:] - box[:2])
    height = max(float(height), float(width) / ASPECT, _LEAST)
    width = height * ASPECT
    size = np.array([round(width), round(height)])
    corner = np.round((box[:2] + box[2:]) / 2 - size / 2).astype(int)
    # Moved into the frame where it fits, so that little of the picture is black.
    frame = np.array([image.shape[1], image.shape[0]])
    corner = np.where(size <= frame, np.clip(corner, 0, np.maximum(frame - size, 0)), corner)
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    low, high = np.clip(corner, 0, frame), np.clip(corner + size, 0, frame)
    at, end = low - corner, high - corner
    picture[at[1] : end[1], at[0] : end[0]] = image[low[1] : high[1], low[0] : high[0]]
    x0, y0, x1, y1 = ((box - np.tile(corner, 2)) / np.tile(size, 2)).tolist()
    return picture, (x0, y0, x1, y1)
