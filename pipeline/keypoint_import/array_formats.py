"""Keypoints in arrays: VideoPose3D's .npz files, and one array of poses (.npz or .h5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bounded import RATIO, SPARE, as_float32, check_regular
from ...errors import InputError, UsageError
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.videopose3d_custom import load_custom
from ...lifting.datasets.videopose3d_files import KeypointFile
from .sightings import Row, Sightings, make_sightings

_ARRAYS = ("poses", "keypoints", "kpts", "preds")  # names of the array in files of one (T, J, 2 or 3) array
# Detectron's keypoint scores are peaks of a softmax, and low: it draws keypoints from a score of 0.05 on.
# This project draws them from 0.2 on, so scores are scaled.
_DETECTRON_SCORE = 4.0


def read_detectron(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """Read VideoPose3D's file of one video.

    For each frame it has [[], (P, 4, 17) x, y, logit, probability], or [[], []].
    """
    boxes, keypoints, size = content["boxes"], content["keypoints"], content["metadata"]
    if len(boxes) != len(keypoints):
        raise InputError(f"boxes of {len(boxes)} frames, keypoints of {len(keypoints)}")
    rows = [
        Row(number, as_float32(person)[[0, 1, 3]].T * as_float32([1, 1, _DETECTRON_SCORE]))
        for number, frame in enumerate(keypoints)
        for person in frame[1]
    ]
    found = make_sightings("Detectron .npz of VideoPose3D", rows, layout)
    return replace(found, size=(int(size["w"]), int(size["h"])), length=len(keypoints))


def read_data_2d(path: Path, video: Path, layout: str | None) -> Sightings:
    """Read one video's keypoints from VideoPose3D's `data_2d_*.npz`.

    In `data_2d_custom_*.npz` it is found by its file's name, in `data_2d_h36m_*.npz` by Human3.6M's path.
    """
    file = KeypointFile.load(path)
    size = None
    if file.video_metadata:
        videos = load_custom(path)
        name = next((name for name in (video.name, video.stem) if name in videos), None)
        if name is None:
            raise InputError(f"{path} holds {', '.join(sorted(videos))}, but not {video.name}")
        xy, size = videos[name].keypoints, videos[name].size
    else:
        xy = _of_human36m(file, video)
    rows = [Row(number, keypoints, 0) for number, keypoints in enumerate(xy)]
    found = make_sightings("data_2d .npz of VideoPose3D", rows, layout, file.skeleton)
    return replace(found, size=size, length=len(xy))


def _of_human36m(file: KeypointFile, video: Path) -> NDArray[np.float32]:
    """Human3.6M's videos are named `S9/Videos/Directions 1.54138969.mp4`: subject, action, camera."""
    subject = next((part for part in reversed(video.absolute().parts) if part in file.positions), None)
    action, _, camera = video.stem.rpartition(".")
    action = action.replace("_", " ")
    order = [c.name for c in CAMERAS.get(subject or "", ())]
    if subject is None or camera not in order or action not in file.positions[subject]:
        raise InputError(
            f"the keypoints belong to Human3.6M's videos; expected SUBJECT/…/ACTION.CAMERA.mp4, found {video}"
        )
    return file.views(subject, action)[order.index(camera)]


def read_array(content: Mapping[str, Any], layout: str | None) -> Sightings | None:
    """Read keypoints from one array: (T, J, 2 or 3) of one person, or (T, P, J, 2 or 3) of several.

    Returns:
        None if there is no such array.
    """
    name = next((name for name in _ARRAYS if name in content), None)
    array = as_float32(content[name] if name else ())
    if array.ndim == 4 and array.shape[3] in (2, 3):  # frames, people, keypoints
        rows = [Row(number, person) for number, people in enumerate(array) for person in people]
    elif array.ndim == 3 and array.shape[2] in (2, 3):
        rows = [Row(number, keypoints, 0) for number, keypoints in enumerate(array)]
    else:
        return None
    return replace(make_sightings("array of keypoints", rows, layout), length=len(array))


def load_hdf5(path: Path) -> Mapping[str, Any]:
    """Return the arrays of keypoints in an HDF5 file.

    Raises:
        UsageError: If h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise UsageError(f"{path} is an HDF5 file; to read it: pip install h5py") from error
    limit = SPARE + RATIO * check_regular(path)
    with h5py.File(path) as file:
        found = {
            name: file[name] for name in _ARRAYS if isinstance(file.get(name, getlink=True), h5py.HardLink)
        }
        for name, data in found.items():
            if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "fiu":
                raise InputError(f"{path}: {name} is no array of numbers")
            if data.size * data.dtype.itemsize > limit or data.external or data.is_virtual:
                raise InputError(f"{path}: {name} is larger than the file, or lies outside of it")
        return {name: data[()] for name, data in found.items()}
