"""Scenes: JSON files that name the poses, cameras and videos of a recording.

    {"poses": ["anna.npy", "ben.npy"], "keypoints": "h36m17", "rate": 50,
     "views": [{"video": "cam0.mp4", "camera": {"fx": 1145.0},
                "orientation": [0.5, -0.5, 0.5, -0.5], "position": [3.1, 0.2, 1.5]}]}

- `poses`: one file a person, beside the scene: (T, J, 3) metres in the world, NaN while the person is absent.
- `keypoints`: the name of a skeleton, or the joints' names.
- `rate`: poses per second; the first pose is at the videos' first frame. Without `rate`, there is one pose
  per frame.
- `camera`: as in a video's side-car (see `camera_metadata.sidecar`), with distortion.
- `orientation` (w, x, y, z, from camera space to the world) and `position`: as in `Extrinsics`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat, ValidationError

from ...bounded import as_float32, read_npy, read_text
from ...errors import InputError, one_line, shown
from ...lifting.cameras.extrinsics import Extrinsics
from ...skeleton import SKELETONS, Skeleton
from ...yaml_config import StrictConfig, validation_message
from ..camera_metadata.camera_file import CameraFile
from .label_views import View

FileName = Annotated[str, Field(max_length=1000)]
"""The name of another file; messages quote it."""


class ViewFile(StrictConfig, strict=True):
    """One camera of a scene."""

    video: FileName
    orientation: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]
    position: tuple[FiniteFloat, FiniteFloat, FiniteFloat]
    camera: CameraFile


class SceneFile(StrictConfig, strict=True):
    """The keys of a scene."""

    poses: tuple[FileName, ...] = Field(min_length=1)
    keypoints: str | tuple[str, ...]
    rate: Annotated[FiniteFloat, Field(gt=0)] | None = None
    views: tuple[ViewFile, ...] = Field(min_length=1)


def read_scene(path: Path) -> tuple[Skeleton, list[View]]:
    """Read a scene.

    Returns:
        The skeleton of the poses, and the views.

    Raises:
        InputError: If the scene or one of its files cannot be used; the message names the key.
    """
    try:
        scene = SceneFile.model_validate_json(read_text(path, limit=1 << 24))
        skeleton = _skeleton(scene.keypoints)
        people = [_poses(path.parent / name, len(skeleton)) for name in scene.poses]
        if len({len(poses) for poses in people}) > 1:
            raise ValueError("poses: expected the same number of frames for everyone")
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
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except ValidationError as error:
        raise InputError(f"{path}: {validation_message(error)}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.filename} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"{path}: {one_line(error)}") from error
    return skeleton, views


def _skeleton(named: str | tuple[str, ...]) -> Skeleton:
    if not isinstance(named, str):
        return Skeleton.from_names(named)
    if named not in SKELETONS:
        raise ValueError(f"keypoints: there is no layout {shown(named)}; there are {', '.join(SKELETONS)}")
    return SKELETONS[named]


def _poses(path: Path, joints: int) -> NDArray[np.float32]:
    poses = read_npy(path)
    if poses.dtype.kind != "f" or poses.ndim != 3 or poses.shape[1:] != (joints, 3):
        raise ValueError(f"{path.name} is no array of (frames, {joints}, 3)")
    return as_float32(poses)
