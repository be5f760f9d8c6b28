"""`videopose prepare detector-labels`: known 3D poses and videos → images with COCO annotations.

The paper fine-tunes detectors on such images of Human3.6M. Any other recording is described by a scene (see
`scene`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...detectors.coco.annotations import Annotations, ImageEntry, Person
from ...detectors.people import Image
from ...errors import InputError, OutputError, UsageError
from ...files import replacing
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.extrinsics import Extrinsics
from ...lifting.datasets.human36m import TRAIN_SUBJECTS
from ...skeleton import H36M17
from ..paths import check_free
from ..progress import Progress, ReportError
from ..video.reader import open_video
from .label_views import View, human36m_views
from .scene import read_scene

_NEAR = 0.1  # metres: nearer points count as behind the camera
_FLESH = 0.12  # metres by which bodies extend beyond their joints
_FILLED = 0.53  # typical area of a person's outline, which COCO's `area` means, divided by that of the box
_JPEG_QUALITY = 95

Labels = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""For each person a box (4,), x0, y0, x1, y1, and keypoints (K, 3), as in `Person`."""


def prepare_labels(
    source: Path,
    output: Path,
    *,
    videos: Path | None = None,
    subjects: Sequence[str] = TRAIN_SUBJECTS,
    stride: int = 10,
    overwrite: bool = False,
    progress: Progress,
    report_error: ReportError,
) -> list[Path]:
    """Write `annotations.json` and the folder `images`.

    Args:
        source: A scene, or Human3.6M's `data_3d_h36m.npz`.
        output: The folder to write to.
        videos: For Human3.6M, the folder that holds "S1/Videos/Directions 1.54138969.mp4" and so on.
        subjects: For Human3.6M, the people wanted.
        stride: Frames between two images.
        overwrite: Whether an existing result may be replaced.
        progress: Shows the progress.
        report_error: Called for each video that cannot be used.

    Returns:
        The paths that were written.

    Raises:
        InputError: If no person is visible in any video.
        OutputError: If the result exists and may not be replaced.
        UsageError: If an option does not fit.
    """
    if stride < 1:
        raise UsageError(f"expected --stride of at least 1, found {stride}")
    annotations, images = output / "annotations.json", output / "images"
    check_free([annotations], overwrite=overwrite)
    if source.suffix == ".json":
        skeleton, views = read_scene(source)
    else:
        skeleton, views = H36M17, human36m_views(source, videos, subjects)
    entries: dict[int, ImageEntry] = {}
    people: list[Person] = []
    with progress("cutting images", None) as advance:
        for view in views:
            try:
                for image, size, name, found in labeled(view, stride):
                    number = len(entries) + 1
                    entries[number] = ImageEntry(number, name, *size)
                    people += [
                        Person(len(people) + 1 + i, number, box, points, _FILLED * _area(box))
                        for i, (box, points) in enumerate(found)
                    ]
                    _write(images / name, image)
                    advance()
            except Exception as error:
                report_error(error)
    if not entries:
        raise InputError(f"{source}: no person is visible in any video")
    content = Annotations(skeleton, entries, people).as_json()
    with replacing(annotations) as file:
        file.write_text(json.dumps(content, ensure_ascii=False), "utf-8", "backslashreplace")
    return [annotations, images]


def labeled(view: View, stride: int) -> Iterator[tuple[Image, tuple[int, int], str, Labels]]:
    """Yield every `stride`-th frame on which a person is visible: image, width and height, file name, labels.

    Raises:
        InputError: If the video cannot be read, or has another size than the camera's.
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
    """Return boxes and keypoints of the people in a camera's picture.

    A joint outside the picture, behind the camera or unknown (NaN) is not annotated. All other joints count
    as visible, because occlusion is not known. Boxes extend beyond the joints, by the thickness of the body.

    Args:
        world: (P, J, 3) metres.
        extrinsics: Where the camera stands.
        lens: The camera's lens.
        size: The picture's width and height.
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
