"""2D keypoints of anyone's videos in VideoPose3D's formats.

Two of them: one `data_2d_custom_<name>.npz` for many videos, and one `<video>.npz` a video with what
Detectron or Detectron2 found (`boxes`, `keypoints`, `segments`, `metadata`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...skeleton import COCO17, Skeleton
from ...unpickle import load_object_npz
from .videopose3d_files import KeypointFile


@dataclass(frozen=True)
class VideoKeypoints:
    """One person's keypoints through one video.

    name: the video's. keypoints: (T, J, 3) float32, pixels and score 0–1, one row a frame from the video's
    first; NaN, all three, where nobody was detected. size: width and height in pixels.
    """

    name: str
    keypoints: NDArray[np.float32]
    size: tuple[int, int]
    skeleton: Skeleton

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(T,) whether the person was detected."""
        return np.asarray(np.isfinite(self.keypoints).all((1, 2)))


def load_custom(path: str | os.PathLike[str]) -> dict[str, VideoKeypoints]:
    """Read a `data_2d_custom_*.npz`: the keypoints of each video by its name.

    These files say nothing of scores: they are 1 where there are keypoints.
    Raises `InputError` where it is not such a file, or a video has no size or more than one person.
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


def load_detections(path: str | os.PathLike[str], name: str | None = None) -> VideoKeypoints:
    """Read one video's Detectron file: in each frame the keypoints of the box with the best score.

    name: the video's; by default the file's without `.npz`. Keypoints are COCO17.
    Raises `InputError` where it is not such a file.
    """
    data = load_object_npz(path)
    label = name or os.fspath(os.path.basename(path)).removesuffix(".npz")
    try:
        boxes, keypoints, metadata = data["boxes"], data["keypoints"], data["metadata"]
        if len(boxes) != len(keypoints):
            raise ValueError(f"boxes of {len(boxes)} frames, keypoints of {len(keypoints)}")
        rows = [_best(b[1], k[1]) for b, k in zip(boxes, keypoints, strict=True)]
    except Exception as error:  # whatever the objects turn out to be
        what = f"no {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{path} is not a file of Detectron's keypoints ({what})") from error
    if not rows:
        raise InputError(f"{path} holds no frames")
    return VideoKeypoints(label, _all_or_none(np.stack(rows)), _size(metadata, str(path)), COCO17)


def _best(boxes: Any, keypoints: Any) -> NDArray[np.float32]:
    """boxes: (P, 5) corners and score; keypoints: P × (≥ 4, 17), rows x, y, logit, probability → (17, 3)."""
    if not len(boxes) or not len(keypoints):
        return np.full((len(COCO17), 3), np.nan, np.float32)
    people = np.asarray(keypoints, np.float32)
    scores = np.asarray(boxes, np.float32)[:, 4]
    if (
        people.ndim != 3
        or people.shape[1] < 4
        or people.shape[2] != len(COCO17)
        or len(people) != len(scores)
    ):
        raise ValueError(f"keypoints of shape {people.shape} for {len(scores)} boxes")
    return people[scores.argmax()][[0, 1, 3]].T


def _all_or_none(keypoints: NDArray[np.floating]) -> NDArray[np.float32]:
    """A frame in which a keypoint is missing counts as one in which nobody was detected."""
    seen = np.isfinite(keypoints).all((1, 2), keepdims=True)
    return np.where(seen, keypoints, np.nan).astype(np.float32)


def _size(metadata: Any, where: str) -> tuple[int, int]:
    try:
        assert isinstance(metadata, Mapping)
        size = int(metadata["w"]), int(metadata["h"])
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} does not tell the video's width and height (w, h)") from error
    if min(size) < 1:
        raise InputError(f"{where}: a video of {size[0]}x{size[1]} pixels")
    return size
