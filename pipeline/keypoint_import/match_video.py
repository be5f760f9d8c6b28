"""`--keypoints FILE|FOLDER`: find the file of a video, and check that it fits the video."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...bounded import open_archive
from ...errors import InputError, UsageError
from ...files import file_digest
from ..video.reader import Video
from .formats import read_sightings
from .sightings import Sightings

_SLACK = 2  # frames by which two decoders may disagree about a video's length
_OUTSIDE = 0.1  # the part of all keypoints that may be outside of the picture
_SEEN = 0.2  # the score from which a keypoint is checked for that
_FRAME_FILE = re.compile(r"(.*?)[_-]?\d+(_keypoints)?\.json")  # OpenPose's, AlphaPose's and MMPose's
_ENDINGS = (
    ("", ".npz"),
    ("", ".json"),
    ("", ".h5"),
    ("", ".npy"),
    ("results_", ".json"),
)  # the last is MMPose's


def find(source: Path, video: Path) -> list[Path]:
    """Find the files that hold a video's keypoints: one, or OpenPose's one a frame.

    In a folder these are, in this order: a file named after the video, a folder named after it, files of
    frames that begin with its name, and files of frames if they are all of one video.

    Args:
        source: A file or a folder.
        video: The video.

    Raises:
        InputError: If there is no such file.
    """
    if not source.exists():
        raise InputError(f"{source}: no such file or folder of keypoints")
    if source.is_file():
        return [source]
    names = (video.name, video.stem)
    for file in (f"{before}{name}{end}" for name in names for before, end in _ENDINGS):
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
        "(.npz, .json, .h5, .npy), nor files of its frames, as OpenPose writes them"
    )


def check_several(source: Path, videos: Sequence[Path]) -> None:
    """Check that several videos do not share the keypoints of one.

    Raises:
        UsageError: If they would.
    """
    if len(videos) < 2 or (source.is_file() and _holds_many(source)):
        return
    taken: dict[Path, Path] = {}
    for video in videos:
        try:
            first = find(source, video)[0]
        except InputError:
            continue  # reported when this video is processed
        if not _holds_many(first) and taken.setdefault(first, video) != video:
            raise UsageError(
                f"expected keypoints of {len(videos)} videos, found those of one in {source}; give a folder "
                "with a file named after each video"
            )


def _holds_many(path: Path) -> bool:
    """Whether it is a `data_2d_*.npz`, which holds the keypoints of many videos."""
    try:
        with open_archive(path) as members:
            return "positions_2d.npy" in members.files
    except (InputError, ValueError, OSError, zipfile.BadZipFile):  # reported when it is read
        return False


def read(source: Path, video: Video, layout: str | None) -> tuple[Sightings, dict[str, object]]:
    """Read the keypoints of a video.

    Args:
        source: A file or a folder.
        video: The video.
        layout: The name of the layout, if the user gives it.

    Returns:
        The keypoints, and what the pose table's `meta` records about them.

    Raises:
        InputError: If there is no file of the video, it cannot be read, or its keypoints do not fit the
            video's picture.
        UsageError: If `layout` is not known or does not fit.
    """
    files = find(source, video.path)
    found = read_sightings(files, video.path, layout)
    _check_place(found, video, files[0])
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
        raise InputError(
            f"{file}: expected keypoints in pixels (OpenPose: --keypoint_scale 0), found fractions"
        )
    outside = ((points < 0) | (points > video.size)).any(1).mean()
    if outside > _OUTSIDE:
        (left, top), (right, bottom) = points.min(0), points.max(0)
        raise InputError(
            f"{file}: {outside:.0%} of its keypoints lie outside of {video.path}'s {width}×{height} pixels "
            f"(they span {left:.0f} to {right:.0f} × {top:.0f} to {bottom:.0f}), so they were made on "
            "another video or another size of it"
        )


def number_from_zero(found: Sightings, count: int | None, first: int | None) -> Sightings:
    """Return the people with frames numbered from 0, and a note on what was assumed.

    Images are numbered from 0 or 1 (ffmpeg counts them from 1), or as a part of a longer series.

    Args:
        found: The people, with the numbers of their file.
        count: How many frames the video has; None if not known.
        first: The number of the first frame, if the user gives it.

    Raises:
        UsageError: `first` is given, and frames have no numbers in the file.
    """
    if not found.numbered:
        if first is not None:
            raise UsageError("--keypoint-first-frame: frames have no numbers in this file, only their order")
        return found
    lowest = int(found.frame.min()) if found.first is None else min(found.first, int(found.frame.min()))
    start, why = _first_number(lowest, int(found.frame.max()), count, found.first is not None)
    if first is not None:
        start, why = first, ""
    if lowest < start:
        raise UsageError(f"--keypoint-first-frame {start}: the file has frame {lowest}")
    notes = found.notes
    if why:
        notes = (
            *notes,
            f"its frames are numbered from {start}, {why}; --keypoint-first-frame overrides this",
        )
    return replace(found, frame=found.frame - start, notes=notes)


def _first_number(lowest: int, highest: int, count: int | None, every_frame: bool) -> tuple[int, str]:
    """Return the number of the first frame, and how it is known; "" if there is no doubt."""
    if lowest == 0:
        return 0, ""
    if count is not None and highest - lowest + 1 == count:
        return lowest, f"because the numbers {lowest} to {highest} are those of the video's {count} frames"
    if highest == count:
        return 1, f"because the last is {highest} and the video has {count} frames"
    if lowest == 1 and every_frame:
        return 1, "because there is a file of frame 1 and none of frame 0"
    return 0, f"by assumption: the lowest number is {lowest}"


def check_length(found: Sightings, video: Video, source: Path) -> None:
    """Check that keypoints and video have the same number of frames, once the whole video is decoded.

    A damaged video is not checked.

    Raises:
        InputError: If they differ by more than two frames.
    """
    if video.damaged is not None:
        return
    last, frames = int(found.frame.max()) + 1, len(video.times)
    if last > frames + _SLACK or (found.length is not None and abs(found.length - frames) > _SLACK):
        raise InputError(
            f"{source} has keypoints of {max(last, found.length or 0)} frames, but {video.path} has "
            f"{frames}: they belong to another video, or to another cut of it"
        )
