"""2D keypoints in the formats of other projects, told apart by what is in the file.

Each reader gives `Sightings`: who was seen where, in the detector's own layout. Nothing in a file is
executed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, NoPeopleError, UsageError
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.videopose3d_custom import load_custom
from ...lifting.datasets.videopose3d_files import KeypointFile
from ...skeleton import Skeleton
from ...unpickle import load_object_npz
from .layouts import find_layout, recognise_layout

KNOWN = (
    "VideoPose3D's .npz (one video's boxes and keypoints, or data_2d_*), a folder of OpenPose's JSON, "
    "AlphaPose's JSON, MMPose's JSON, COCO results, stacked hourglasses' .h5 or .npz (one array: poses)"
)
_ARRAYS = ("poses", "keypoints", "kpts", "preds")  # what files of one (T, J, 2 or 3) array call it
# Detectron's keypoint scores are peaks of a softmax; it draws those from 0.05 on, where ours count from 0.2.
_DETECTRON_SCORE = 4.0


@dataclass(frozen=True)
class Sightings:
    """People's keypoints on the frames of one video.

    frame: (N,) int64, 0-based. keypoints: (N, J, 3) float32, x and y in pixels and score 0–1, in `layout`;
    all three 0 where a keypoint was not found. person: (N,) int64, who it is; −1 where the file does not
    tell. size: width and height of the video, length: its number of frames, where the file tells.
    numbered: frames are known by their images' numbers, which some tools begin at 1.
    """

    format: str
    layout: Skeleton
    frame: NDArray[np.int64]
    keypoints: NDArray[np.float32]
    person: NDArray[np.int64]
    size: tuple[int, int] | None = None
    length: int | None = None
    numbered: bool = False


@dataclass(frozen=True)
class _Row:
    frame: int
    keypoints: NDArray[np.float32]  # (J, 2 or 3)
    person: int = -1


def read_sightings(files: Sequence[Path], video: Path, layout: str | None = None) -> Sightings:
    """Read the keypoints of `video` from one file, or from OpenPose's many.

    video: its name chooses among those that a `data_2d_*` file holds. layout: its name, where the file does
    not tell and the number of joints would mislead.
    Raises `InputError` where the format or the layout is none of the known ones, layouts are mixed, or the
    file is damaged; `UsageError` for a layout that is not known or has another number of joints.
    """
    where = str(files[0] if len(files) == 1 else files[0].parent)
    try:
        return _read(files, video, layout)
    except InputError as error:
        raise (error if where in str(error) else type(error)(f"{where}: {error}")) from error
    except UsageError:
        raise
    except OSError as error:
        raise InputError(f"{where} cannot be read ({error.strerror})") from error
    except Exception as error:  # whatever the objects turn out to be
        raise InputError(f"{where}: damaged, or none of the known formats: {KNOWN} ({error!r})") from error


def _read(files: Sequence[Path], video: Path, layout: str | None) -> Sightings:
    if len(files) > 1:
        return _openpose(files, [_json(file) for file in files], layout)
    [path] = files
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"\x89HDF":
        return _array(_hdf5(path), layout)
    if magic == b"PK\x03\x04":
        content = load_object_npz(path)
        if {"boxes", "keypoints"} <= content.keys():
            return _detectron(content, layout)
        if "positions_2d" in content:
            return _data_2d(path, video, layout)
        if {"track", "pose"} <= content.keys():
            raise InputError(f"{path} is a pose table; `videopose lift` goes on from it")
        return _array(content, layout)
    content = _json(path)
    if isinstance(content, dict) and "people" in content:
        return _openpose(files, [content], layout)
    if isinstance(content, dict) and "instance_info" in content:
        frames = content["instance_info"]  # as MMPose's demos write it, which count from 1
        first = min([1, *(int(frame["frame_id"]) for frame in frames)])
        return _mmpose(frames, _named(content.get("meta_info")), first, layout)
    if isinstance(content, list):
        names = set(content[0]) if content else {"image_id", "keypoints"}
        if {"frame_id", "instances"} <= names:
            return _mmpose(content, None, 0, layout)
        if {"image_id", "keypoints"} <= names:
            return _coco_results(content, layout)
    raise InputError(f"none of the known formats: {KNOWN}")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: none of the known formats: {KNOWN} (nor JSON: {error})") from error


# the formats --------------------------------------------------------------------------------------------


def _openpose(files: Sequence[Path], contents: Sequence[Any], layout: str | None) -> Sightings:
    """OpenPose's `--write_json`: a file a frame, `people` with `pose_keypoints_2d` [x, y, score, …].

    `person_id` is [-1] unless people were tracked.
    """
    rows = [
        _Row(_number(file.name), _triples(person["pose_keypoints_2d"]), _identity(person.get("person_id")))
        for file, content in zip(files, contents, strict=True)
        for person in content["people"]
        if person.get("pose_keypoints_2d")
    ]
    return _sightings("OpenPose JSON", rows, layout)


def _coco_results(content: Sequence[Mapping[str, Any]], layout: str | None) -> Sightings:
    """COCO's results format, `keypoints` [x, y, score, …], and AlphaPose's, which is alike.

    COCO's `image_id` is a number, AlphaPose's a file's name ("12.jpg"). AlphaPose's `idx` says who it is;
    without tracking it is 0 for everybody.
    """
    rows = [
        _Row(
            _number(item["image_id"]),
            _triples(item["keypoints"]),
            _identity(item.get("idx", item.get("track_id"))),
        )
        for item in content
    ]
    alphapose = any(isinstance(item["image_id"], str) for item in content)
    found = _sightings("AlphaPose JSON" if alphapose else "COCO results", rows, layout)
    person = found.person if found.person.any() else np.full_like(found.person, -1)
    return replace(found, person=person, numbered=True)


def _mmpose(
    content: Sequence[Mapping[str, Any]], hint: Skeleton | None, first: int, layout: str | None
) -> Sightings:
    """MMPose's: a list of frames, counted from `first`."""
    rows = [
        _Row(
            int(frame["frame_id"]) - first,
            np.column_stack([_array32(person["keypoints"])[:, :2], _array32(person["keypoint_scores"])]),
            _identity(person.get("track_id")),
        )
        for frame in content
        for person in frame["instances"]
    ]
    return replace(_sightings("MMPose JSON", rows, layout, hint), length=len(content))


def _named(meta: Any) -> Skeleton | None:
    """The layout that MMPose's `meta_info` tells by the names of keypoints."""
    if not isinstance(meta, dict) or not meta.get("keypoint_id2name"):
        return None
    names = {int(number): str(name) for number, name in meta["keypoint_id2name"].items()}
    return Skeleton.from_names([names[number] for number in range(len(names))])


def _detectron(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """VideoPose3D's per-video file: for each frame [[], (P, 4, 17) x, y, logit, probability], or [[], []]."""
    boxes, keypoints, size = content["boxes"], content["keypoints"], content["metadata"]
    if len(boxes) != len(keypoints):
        raise InputError(f"boxes of {len(boxes)} frames, keypoints of {len(keypoints)}")
    rows = [
        _Row(number, _array32(person)[[0, 1, 3]].T * _array32([1, 1, _DETECTRON_SCORE]))
        for number, frame in enumerate(keypoints)
        for person in frame[1]
    ]
    found = _sightings("Detectron .npz of VideoPose3D", rows, layout)
    return replace(found, size=(int(size["w"]), int(size["h"])), length=len(keypoints))


def _data_2d(path: Path, video: Path, layout: str | None) -> Sightings:
    """VideoPose3D's `data_2d_custom_*.npz` by the video's name, `data_2d_h36m_*.npz` by Human3.6M's path."""
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
    rows = [_Row(number, keypoints, 0) for number, keypoints in enumerate(xy)]
    found = _sightings("data_2d .npz of VideoPose3D", rows, layout, file.skeleton)
    return replace(found, size=size, length=len(xy))


def _of_human36m(file: KeypointFile, video: Path) -> NDArray[np.float32]:
    """Human3.6M's videos are called `S9/Videos/Directions 1.54138969.mp4`: subject, action, camera."""
    subject = next((part for part in reversed(video.absolute().parts) if part in file.positions), None)
    action, _, camera = video.stem.rpartition(".")
    action = action.replace("_", " ")
    order = [c.name for c in CAMERAS.get(subject or "", ())]
    if subject is None or camera not in order or action not in file.positions[subject]:
        raise InputError(
            f"the keypoints belong to Human3.6M's videos, and {video} is not called as one of theirs: "
            "SUBJECT/…/ACTION.CAMERA.mp4"
        )
    return file.views(subject, action)[order.index(camera)]


def _array(content: Mapping[str, Any], layout: str | None) -> Sightings:
    """One person's keypoints as one array, as stacked hourglasses' files have them."""
    name = next((name for name in _ARRAYS if name in content), None)
    array = _array32(content[name] if name else ())
    if array.ndim != 3 or array.shape[2] not in (2, 3):
        raise InputError(f"none of the known formats: {KNOWN}")
    rows = [_Row(number, keypoints, 0) for number, keypoints in enumerate(array)]
    return replace(_sightings("array of keypoints", rows, layout), length=len(array))


def _hdf5(path: Path) -> Mapping[str, Any]:
    try:
        import h5py
    except ImportError as error:
        raise UsageError(f"{path} is an HDF5 file; to read it: pip install h5py") from error
    with h5py.File(path) as file:
        return {name: file[name][()] for name in _ARRAYS if name in file}


# rows into sightings ------------------------------------------------------------------------------------


def _sightings(
    format: str, rows: Iterable[_Row], layout: str | None, hint: Skeleton | None = None
) -> Sightings:
    """Rows that agree in their layout: the one called `layout`, else what `hint` tells."""
    rows = [row for row in rows if (_scored(row.keypoints)[:, 2] > 0).any()]
    if not rows:
        raise NoPeopleError("it holds nobody's keypoints")
    counts = sorted({len(row.keypoints) for row in rows})
    if len(counts) > 1:
        raise InputError(f"layouts are mixed: some people have {counts[0]} keypoints, some {counts[-1]}")
    chosen = find_layout(layout, counts[0]) if layout else recognise_layout(hint or counts[0])
    return Sightings(
        format,
        chosen,
        np.array([row.frame for row in rows], np.int64),
        np.stack([_scored(row.keypoints) for row in rows]),
        np.array([row.person for row in rows], np.int64),
    )


def _scored(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """(J, 2 or 3) → (J, 3); what is not finite or scores nothing becomes 0, and no score exceeds 1."""
    if keypoints.shape[1] == 2:
        keypoints = np.column_stack([keypoints, np.ones(len(keypoints), np.float32)])
    found = np.isfinite(keypoints).all(1, keepdims=True) & (keypoints[:, 2:] > 0)
    keypoints = np.where(found, keypoints, np.float32(0))
    keypoints[:, 2] = np.minimum(keypoints[:, 2], 1)
    return keypoints


def _triples(flat: Any) -> NDArray[np.float32]:
    """[x, y, score, x, …] → (J, 3)."""
    return _array32(flat).reshape(-1, 3)


def _array32(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def _identity(value: Any) -> int:
    """A person's number, which OpenPose and AlphaPose wrap in lists; −1 where there is none."""
    while isinstance(value, list) and value:
        value = value[0]
    return -1 if value is None or value == [] else int(value)


def _number(image: int | str) -> int:
    """12 from 12, "12.jpg", "frame_0012.png", "clip_000000000012_keypoints.json": a name's last number."""
    if isinstance(image, int):
        return image
    numbers = re.findall(r"\d+", Path(image).stem)
    if not numbers:
        raise InputError(f"which frame {image!r} is cannot be told: its name holds no number")
    return int(numbers[-1])
