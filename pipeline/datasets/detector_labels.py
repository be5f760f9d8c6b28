"""`videopose prepare detector-labels`: true 3D poses, calibrated cameras and their videos → COCO annotations.

So the paper fine-tunes detectors on Human3.6M. Other recordings are told in a scene, a JSON file:

    {"poses": ["anna.npy", "ben.npy"], "keypoints": "h36m17", "rate": 50,
     "views": [{"video": "cam0.mp4", "camera": {"fx": 1145.0},
                "orientation": [0.5, -0.5, 0.5, -0.5], "position": [3.1, 0.2, 1.5]}]}

poses: a file each person, beside the scene: (T, J, 3) metres in the world, NaN where somebody is not there.
keypoints: a layout's name, or the joints' names. rate: poses a second, the first at the videos' first frame;
left out, every frame has its pose. camera: as in a video's side-car (see `camera_file`), with distortion.
orientation (w, x, y, z, from camera space to the world) and position: as of `Extrinsics`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from ...detectors.coco.annotations import Annotations, ImageEntry, Person
from ...detectors.people import Image
from ...errors import InputError, OutputError, UsageError
from ...files import replacing
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.extrinsics import Extrinsics
from ...lifting.datasets import human36m as h36m
from ...lifting.datasets.human36m_cameras import CAMERAS
from ...lifting.datasets.recordings import CalibratedCamera
from ...lifting.datasets.videopose3d_files import load_positions_3d
from ...skeleton import H36M17, SKELETONS, Skeleton
from ..camera_metadata.sidecar import CameraFile
from ..paths import check_free
from ..progress import Stage
from ..video.reader import open_video

_NEAR = 0.1  # metres: nothing nearer to the camera is seen
_FLESH = 0.12  # metres by which bodies reach beyond their joints
_FILLED = 0.53  # COCO's area is that of the outline: about so much of the box
_JPEG_QUALITY = 95


@dataclass(frozen=True)
class View:
    """One camera's video of people whose poses are known.

    name: what its images are called. lens: for the video's width and height; raises `ValueError` where these
    do not fit. world: (P, T, J, 3) metres. rate: poses a second, None for one a frame.
    """

    name: str
    video: Path
    lens: Callable[[tuple[int, int]], Lens]
    extrinsics: Extrinsics
    world: NDArray[np.float32]
    rate: float | None = None


def prepare_labels(
    source: Path,
    output: Path,
    *,
    videos: Path | None = None,
    subjects: Sequence[str] = h36m.TRAIN_SUBJECTS,
    stride: int = 10,
    overwrite: bool = False,
    stage: Stage,
    failed: Callable[[Exception], None],
) -> list[Path]:
    """Write `annotations.json` and the `images` folder to `output`; returns what it wrote.

    source: a scene, or Human3.6M's `data_3d_h36m.npz`, with `videos` the folder that holds
    "S1/Videos/Directions 1.54138969.mp4" and so on. stride: every how many frames one becomes an image.
    failed: told of each video that cannot be used; the others go on. Raises `InputError` where none can,
    `OutputError` where the result exists and may not be replaced.
    """
    if stride < 1:
        raise UsageError("--stride takes a number from 1 on")
    annotations, images = output / "annotations.json", output / "images"
    check_free([annotations], overwrite=overwrite)
    if source.suffix == ".json":
        keypoints, views = read_scene(source)
    else:
        keypoints, views = h36m_views(source, videos, subjects)
    entries: dict[int, ImageEntry] = {}
    people: list[Person] = []
    with stage("cutting images", None) as advance:
        for view in views:
            try:
                for image, size, name, found in labelled(view, stride):
                    number = len(entries) + 1
                    entries[number] = ImageEntry(number, name, *size)
                    people += [
                        Person(len(people) + 1 + i, number, box, points, _FILLED * _area(box))
                        for i, (box, points) in enumerate(found)
                    ]
                    _write(images / name, image)
                    advance()
            except InputError as error:
                failed(error)
    if not entries:
        raise InputError(f"{source}: nobody is to be seen in any video")
    content = Annotations(keypoints, entries, people).as_json()
    with replacing(annotations) as file:
        file.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return [annotations, images]


Labels = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""For each person seen a box (4,), x0, y0, x1, y1, and keypoints (K, 3) as of `Person`."""


def labelled(view: View, stride: int) -> Iterator[tuple[Image, tuple[int, int], str, Labels]]:
    """Every `stride`-th frame on which somebody is seen: image, width and height, file name, labels.

    Raises `InputError` where the video cannot be read or the camera did not film it.
    """
    with open_video(view.video) as video:
        try:
            lens = view.lens(video.size)
        except ValueError as error:
            raise InputError(f"{view.video}: {error}") from error
        for frame in video.frames():
            pose = frame.index if view.rate is None else round(frame.time * view.rate)
            if pose >= view.world.shape[1]:
                return
            if frame.index % stride:
                continue
            found = project_people(view.world[:, pose], view.extrinsics, lens, video.size)
            if found:
                yield frame.image, video.size, f"{view.name}_{frame.index:06d}.jpg", found


def project_people(
    world: NDArray[np.float32], extrinsics: Extrinsics, lens: Lens, size: tuple[int, int]
) -> Labels:
    """(P, J, 3) metres → those whom the camera sees. size: of the picture, width and height.

    A joint beyond the picture's edge, or behind the camera, or unknown (NaN) is not annotated; the others
    count as visible, for nothing says what hides them. A box ends a little outside of the joints, as bodies
    do.
    """
    labels = []
    for person in world:
        camera = extrinsics.to_camera(person)
        ahead = np.isfinite(camera).all(-1) & (camera[:, 2] > _NEAR)
        pixels = np.zeros((len(camera), 2), np.float32)
        pixels[ahead] = lens.project(camera[ahead])
        inside = ahead & ((pixels >= 0) & (pixels < size)).all(-1)
        if not inside.any():
            continue
        margin = _FLESH * lens.intrinsics.fx / np.median(camera[ahead, 2])
        low, high = pixels[ahead].min(0) - margin, pixels[ahead].max(0) + margin
        box = np.clip(np.concatenate([low, high]), 0, [*size, *size]).astype(np.float32)
        points = np.concatenate([pixels, 2.0 * inside[:, None]], 1).astype(np.float32)
        points[~inside] = 0
        labels.append((box, points))
    return labels


def h36m_views(poses: Path, videos: Path | None, subjects: Sequence[str]) -> tuple[Skeleton, list[View]]:
    """Human3.6M: every video of these subjects with its poses. Raises `InputError`, `UsageError`."""
    if videos is None:
        raise UsageError("--videos FOLDER must say where Human3.6M's videos lie")
    positions = load_positions_3d(poses, h36m.NUM_JOINTS)
    views = []
    for subject in subjects:
        cameras = {camera.name: camera for camera in CAMERAS.get(subject, ())}
        for path in sorted((videos / subject / "Videos").glob("*.mp4")):
            action, _, camera_name = path.stem.rpartition(".")
            action, camera = h36m.canonical_action(action), cameras.get(camera_name)
            if camera is None or action not in positions.get(subject, {}):
                continue  # such as "_ALL 1", the calibration

            world = h36m.to_17_joints(positions[subject][action])[None]
            name = f"{subject}_{action}_{camera_name}".replace(" ", "_")
            views.append(View(name, path, partial(_studio_lens, camera), camera.extrinsics, world))
    if not views:
        raise InputError(f"{videos} holds no {Path('S1', 'Videos', 'Directions 1.54138969.mp4')} or the like")
    return H36M17, views


def _studio_lens(camera: CalibratedCamera, size: tuple[int, int]) -> Lens:
    if camera.lens is None or size != camera.size:
        raise ValueError(
            f"it is {size[0]} × {size[1]}, the camera {camera.size[0]} × {camera.size[1]} pixels"
        )
    return camera.lens


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ViewFile(_Strict):
    """One camera of a scene."""

    video: str
    orientation: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    position: tuple[FiniteFloat, FiniteFloat, FiniteFloat]
    camera: CameraFile


class SceneFile(_Strict):
    """What a scene may say."""

    poses: tuple[str, ...] = Field(min_length=1)
    keypoints: str | tuple[str, ...]
    rate: Annotated[FiniteFloat, Field(gt=0)] | None = None
    views: tuple[ViewFile, ...] = Field(min_length=1)


def read_scene(path: Path) -> tuple[Skeleton, list[View]]:
    """A scene's keypoints and views. Raises `InputError`, naming the key, where it cannot be used."""
    try:
        scene = SceneFile.model_validate_json(path.read_bytes())
        keypoints = _keypoints(scene.keypoints)
        people = [_poses(path.parent / name, len(keypoints)) for name in scene.poses]
        if len({len(poses) for poses in people}) > 1:
            raise ValueError("poses: not everybody has as many")
        views = [
            View(
                f"{number}_{Path(view.video).stem}",
                path.parent / view.video,
                view.camera.lens,
                Extrinsics(view.orientation, view.position),
                np.stack(people),
                scene.rate,
            )
            for number, view in enumerate(scene.views)
        ]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.filename} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    return keypoints, views


def _keypoints(named: str | tuple[str, ...]) -> Skeleton:
    if not isinstance(named, str):
        return Skeleton.from_names(named)
    if named not in SKELETONS:
        raise ValueError(f"keypoints: there is no layout {named}; there are {', '.join(SKELETONS)}")
    return SKELETONS[named]


def _poses(path: Path, joints: int) -> NDArray[np.float32]:
    poses = np.load(path, allow_pickle=False)
    if not isinstance(poses, np.ndarray) or poses.ndim != 3 or poses.shape[1:] != (joints, 3):
        raise ValueError(f"{path.name} is no array of (frames, {joints}, 3)")
    return np.asarray(poses, np.float32)


def _area(box: NDArray[np.float32]) -> float:
    return float((box[2:] - box[:2]).prod())


def _write(path: Path, image: Image) -> None:
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not done:
        raise OutputError(f"cannot write {path}: an image of {image.shape} cannot be encoded")
    with replacing(path) as file:
        file.write_bytes(data.tobytes())
