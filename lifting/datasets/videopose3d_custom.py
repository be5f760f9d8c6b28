"""VideoPose3D's `data_2d_custom_<name>.npz`: 2D keypoints of any videos."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...skeleton import Skeleton
from .videopose3d_files import KeypointFile


@dataclass(frozen=True)
class VideoKeypoints:
    """One person's keypoints in one video.

    Attributes:
        name: The video's name.
        keypoints: (T, J, 3) float32, pixels and score 0–1, one row for each frame of the video; all NaN if no
            person was detected.
        size: Width and height in pixels.
        skeleton: The keypoints as the file describes them.
    """

    name: str
    keypoints: NDArray[np.float32]
    size: tuple[int, int]
    skeleton: Skeleton


def load_custom(path: str | os.PathLike[str]) -> dict[str, VideoKeypoints]:
    """Read a `data_2d_custom_*.npz`: the keypoints of each video by its name.

    These files have no scores. A keypoint that was detected scores 1.

    Raises:
        InputError: If it is not such a file, or a video has no size or more than one person.
    """
    file = KeypointFile.load(path)
    videos = {}
    for name, actions in file.positions.items():
        views = [view for views in actions.values() for view in views]
        if len(views) != 1:
            raise InputError(f"{path}: {name} holds {len(views)} sequences of keypoints instead of one")
        xy = views[0]
        score = np.where(np.isfinite(xy).all(-1, keepdims=True), np.float32(1), np.float32(np.nan))
        size = _size(file.video_metadata.get(name), f"{path}: {name}")
        videos[name] = VideoKeypoints(
            name, _all_or_none(np.concatenate([xy, score], -1)), size, file.skeleton
        )
    if not videos:
        raise InputError(f"{path} holds no video")
    return videos


def _all_or_none(keypoints: NDArray[np.floating]) -> NDArray[np.float32]:
    """Set frames in which a keypoint is missing to NaN, like frames without a person."""
    seen = np.isfinite(keypoints).all((1, 2), keepdims=True)
    return np.where(seen, keypoints, np.nan).astype(np.float32)


def _size(metadata: Any, where: str) -> tuple[int, int]:
    try:
        assert isinstance(metadata, Mapping)
        size = int(metadata["w"]), int(metadata["h"])
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} does not give the video's width and height (w, h)") from error
    if min(size) < 1:
        raise InputError(f"{where}: expected a positive width and height, found {size[0]}x{size[1]} pixels")
    return size
