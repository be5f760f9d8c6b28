"""`--keypoints FILE|FOLDER`: which file is a video's, whether it fits the video, and who is on each frame."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import People
from ...detectors.tracking.similarity import keypoint_boxes
from ...detectors.tracking.tracks import Track, link
from ...errors import InputError, UsageError
from ...files import file_digest
from ...skeleton import COCO17, convert
from ..video.reader import Video
from .formats import Sightings, read_sightings

_SLACK = 2  # frames by which two decoders may disagree on a video's length
_OUTSIDE = 0.1  # the part of all keypoints that a detector may put outside of the picture
_SEEN = 0.2  # the score from which a keypoint counts for that
_FRAME_FILE = re.compile(r"(.*?)_?\d+(_keypoints)?\.json")  # OpenPose's, and AlphaPose's in that format


def find(source: Path, video: Path) -> list[Path]:
    """The files in `source` that hold `video`'s keypoints: one, or OpenPose's many.

    A file is what it is. In a folder: a file named after the video, a folder named after it, the frames'
    files that begin with its name, or else the only ones there. Raises `InputError` where there is none.
    """
    if not source.exists():
        raise InputError(f"{source}: no such file or folder of keypoints")
    if source.is_file():
        return [source]
    names = (video.name, video.stem)
    for file in (f"{before}{name}{end}" for name in names for before, end in _ENDS):
        if (source / file).is_file():
            return [source / file]
    for name in names:
        if (source / name).is_dir():
            return find(source / name, video)
    frames: dict[str, list[Path]] = {}
    for path in sorted(source.glob("*.json")):
        if match := _FRAME_FILE.fullmatch(path.name):
            frames.setdefault(match[1], []).append(path)
    if video.stem in frames or len(frames) == 1:
        return frames.get(video.stem) or next(iter(frames.values()))
    if (source / "alphapose-results.json").is_file():
        return [source / "alphapose-results.json"]
    raise InputError(
        f"{source} holds no keypoints of {video.name}: neither a file or a folder of that name "
        "(.npz, .json, .h5), nor OpenPose's files of it"
    )


_ENDS = (("", ".npz"), ("", ".json"), ("", ".h5"), ("results_", ".json"))  # the last is MMPose's


def check_several(source: Path, videos: Sequence[Path]) -> None:
    """Raises `UsageError` where several videos would share the keypoints of one."""
    if len(videos) < 2 or (source.is_file() and _holds_many(source)):
        return
    taken: dict[Path, Path] = {}
    for video in videos:
        try:
            first = find(source, video)[0]
        except InputError:
            continue  # of which the video's own turn will tell
        if not _holds_many(first) and taken.setdefault(first, video) != video:
            raise UsageError(
                f"{source} holds the keypoints of one video, not of {len(videos)}; give a folder with a file "
                "named after each"
            )


def _holds_many(path: Path) -> bool:
    """Whether it is a `data_2d_*.npz`."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "positions_2d.npy" in archive.namelist()


def read(source: Path, video: Video, layout: str | None) -> tuple[Sightings, dict[str, object]]:
    """The keypoints of `video`, and what the pose table's `meta` records of them.

    Raises `InputError` and `UsageError` as `find` and `read_sightings` do, and where the keypoints do not fit
    the video's picture.
    """
    files = find(source, video.path)
    found = read_sightings(files, video.path, layout)
    _check_place(found, video, files[0])
    if found.numbered and found.frame.min() >= 1 and found.frame.max() == video.frame_count:
        found = replace(found, frame=found.frame - 1)  # images counted from 1, as ffmpeg counts them
    digests = [file_digest(file) for file in files]
    whole = digests[0] if len(files) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    about: dict[str, object] = {
        "name": "keypoints made elsewhere",
        "format": found.format,
        "layout": found.layout.name,
        "sha256": {(files[0] if len(files) == 1 else files[0].parent).name: whole},
    }
    return found, about


def _check_place(found: Sightings, video: Video, file: Path) -> None:
    width, height = video.size
    if found.size is not None and found.size != video.size:
        size = "×".join(map(str, found.size))
        raise InputError(f"{file} is for a video of {size} pixels, {video.path} has {width}×{height}")
    points = found.keypoints[found.keypoints[..., 2] >= _SEEN][:, :2]
    if not len(points):
        return
    if np.abs(points).max() <= 2:
        raise InputError(f"{file}: its keypoints are not in pixels (of OpenPose, --keypoint_scale 0 is)")
    outside = ((points < 0) | (points > video.size)).any(1).mean()
    if outside > _OUTSIDE:
        (left, top), (right, bottom) = points.min(0), points.max(0)
        raise InputError(
            f"{file}: {outside:.0%} of its keypoints lie outside of {video.path}'s {width}×{height} pixels "
            f"(they span {left:.0f} to {right:.0f} × {top:.0f} to {bottom:.0f}), so they were made on "
            "another video or another size of it"
        )


def check_length(found: Sightings, video: Video, source: Path) -> None:
    """To be called when the whole video was decoded. Raises `InputError` where it has other frames."""
    if video.damaged is not None:
        return
    last, frames = int(found.frame.max()) + 1, len(video.times)
    if last > frames + _SLACK or (found.length is not None and abs(found.length - frames) > _SLACK):
        raise InputError(
            f"{source} has keypoints of {max(last, found.length or 0)} frames, but {video.path} has "
            f"{frames}: they belong to another video, or to another cut of it"
        )


def follow(found: Sightings, frames: NDArray[np.int32], times: NDArray[np.float64]) -> list[Track]:
    """People through time, by the file's own numbers where these tell them apart, else by `link`.

    frames: those that were decoded, rising. times: theirs in seconds.
    """
    at = np.searchsorted(frames, found.frame).clip(max=len(frames) - 1)
    there = frames[at] == found.frame
    frame, person = found.frame[there], found.person[there]
    keypoints = convert(found.keypoints[there], found.layout, COCO17)
    if _tells_apart(frame, person):
        tracks = []
        for number, identity in enumerate(np.unique(person)):
            rows = np.flatnonzero(person == identity)
            rows = rows[np.argsort(frame[rows])]
            tracks.append(
                Track(number, frame[rows].astype(np.int32), keypoints[rows], np.zeros(len(rows), np.bool_))
            )
        return tracks
    return link([_people(keypoints[frame == number]) for number in frames], frames=frames, times=times)


def _tells_apart(frame: NDArray[np.int64], person: NDArray[np.int64]) -> bool:
    """Whether everybody has a number that nobody else on the frame has; AlphaPose without tracking says 0."""
    return (
        bool(len(person))
        and bool((person >= 0).all())
        and len({*zip(frame, person, strict=True)}) == len(frame)
    )


def _people(keypoints: NDArray[np.float32]) -> People:
    """keypoints: (P, 17, 3), a few of which may score 0; these are put in the middle of the others."""
    seen = keypoints[..., 2:] > 0
    middle = (keypoints[..., :2] * seen).sum(1) / np.maximum(seen.sum(1), 1)
    keypoints = keypoints.copy()
    keypoints[..., :2] = np.where(seen, keypoints[..., :2], middle[:, None])
    return People(keypoint_boxes(keypoints), keypoints[..., 2].mean(1), keypoints)
