"""People of known shape in front of made-up cameras, filmed as discs of one colour a joint."""

import json
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from videopose.detectors.coco.annotation_files import read_annotations
from videopose.errors import InputError, OutputError, UsageError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.extrinsics import Extrinsics
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.human36m import JOINTS_OF_32
from videopose.lifting.datasets.human36m_cameras import CAMERAS
from videopose.lifting.datasets.videopose3d_files import save_positions_3d
from videopose.pipeline.cli.prepare import detector_labels
from videopose.pipeline.datasets.detector_labels import project_people

SIZE = (320, 240)
FORWARD = (0.5, -0.5, 0.5, -0.5)  # a level camera that looks along the world's x: right is −y, down is −z
DISTORTION = {"model": "opencv", "coefficients": [-0.2, 0.05, 0.001, -0.002]}
CAMERA = {"fx": 300.0, "fy": 310.0, "cx": 150.0, "cy": 130.0, "distortion": DISTORTION}
LENS = Lens.of_model(Intrinsics(300, 310, 150, 130), "opencv", DISTORTION["coefficients"])
NAMES = ["head", "lhand", "rhand"]
COLOURS = np.array([[250, 30, 30], [30, 250, 30], [30, 30, 250]])


def _walk(frames: int, side: float = 0.0) -> np.ndarray:
    """(T, 3, 3): three joints that pass 4 m before a camera at the origin, 1 m up."""
    joints = np.array([(4, 0, 1.4), (4, 0.4, 1), (4, -0.4, 0.9)], np.float32)
    return joints + np.arange(frames)[:, None, None] * np.float32([0, 0.02, 0]) + np.float32([0, side, 0])


def _project(world: np.ndarray) -> np.ndarray:
    """Written out: the camera at (0, 0, 1) looks along x."""
    x, y = -world[..., 1] / world[..., 0], -(world[..., 2] - 1) / world[..., 0]
    k1, k2, p1, p2 = DISTORTION["coefficients"]
    r = x * x + y * y
    radial = 1 + k1 * r + k2 * r * r
    u = x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x)
    v = y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y
    return np.stack([300 * u + 150, 310 * v + 130], -1)


def _film(points: np.ndarray) -> list[np.ndarray]:
    images = []
    for frame in points:
        image = np.full((SIZE[1], SIZE[0], 3), 20, np.uint8)
        for person in frame:
            for (x, y), colour in zip(person, COLOURS, strict=True):
                place = (round((x - 0.5) * 256), round((y - 0.5) * 256))
                cv2.circle(image, place, 6 * 256, colour.tolist(), -1, cv2.LINE_AA, 8)
        images.append(image)
    return images


def _scene(folder: Path, **change: Any) -> Path:
    view = {"video": "cam.mp4", "orientation": FORWARD, "position": [0, 0, 1], "camera": CAMERA}
    view |= {name: change.pop(name) for name in list(change) if name in view}
    scene = {"poses": ["anna.npy"], "keypoints": NAMES, "views": [view]} | change
    (folder / "scene.json").write_text(json.dumps(scene))
    return folder / "scene.json"


@pytest.fixture(scope="module")
def recording(tmp_path_factory, write_video) -> Path:
    """Two people for 24 frames."""
    folder = tmp_path_factory.mktemp("recording")
    people = [_walk(24), _walk(24, 0.9)]
    np.save(folder / "anna.npy", people[0])
    np.save(folder / "ben.npy", people[1])
    write_video(folder / "cam.mp4", _film(np.stack([_project(p) for p in people], 1)))
    return folder


def _run(*arguments: object) -> Result:
    result = CliRunner().invoke(detector_labels, [str(a) for a in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def test_labels_lie_on_what_was_filmed(recording, tmp_path):
    scene = _scene(recording, poses=["anna.npy", "ben.npy"])
    assert _run(scene, "-o", tmp_path / "out", "--stride", 8).return_value == 0
    labels = read_annotations(tmp_path / "out" / "annotations.json")
    assert labels.keypoints.names == tuple(NAMES)
    assert labels.keypoints.mirror == (0, 2, 1)
    assert [entry.name for entry in labels.images.values()] == [f"0_cam_{i:06d}.jpg" for i in (0, 8, 16)]
    for number, people in labels.by_image.items():
        image = labels.images[number].read(tmp_path / "out" / "images")
        assert len(people) == 2
        for person in people:
            assert (person.keypoints[:, 2] == 2).all()
            for channel, place in enumerate(person.keypoints[:, :2]):
                assert (
                    np.abs(_centre(image, channel, place) - place).max() < 1
                )  # video has half the pixels for colour


def _centre(image: np.ndarray, channel: int, near: np.ndarray) -> np.ndarray:
    """The middle of what has this colour around a place."""
    left, top = (near - 10).astype(int)
    patch = image[top : top + 20, left : left + 20].astype(float)
    weight = np.clip(2 * patch[..., channel] - patch.sum(-1) - 50, 0, None)
    rows, columns = np.indices(weight.shape) + 0.5
    return np.array(
        [left + (weight * columns).sum() / weight.sum(), top + (weight * rows).sum() / weight.sum()]
    )


def test_projection_and_boxes():
    world = _walk(1)[0]
    ((box, points),) = project_people(world[None], Extrinsics(FORWARD, (0, 0, 1)), LENS, SIZE)
    assert points[:, :2] == pytest.approx(_project(world), abs=0.01)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    margin = 0.12 * 300 / 4  # flesh around the joints
    assert box == pytest.approx([*(low - margin), *(high + margin)], abs=0.01)


def test_who_is_not_in_the_picture_is_not_labeled():
    camera = Extrinsics(FORWARD, (0, 0, 1))
    person = _walk(1)[0]
    behind, unknown = person * [-1, 1, 1], np.full((3, 3), np.nan)
    aside = person + np.array([0, 9, 0])
    assert project_people(np.stack([behind, unknown, aside]), camera, LENS, SIZE) == []
    partly = person.copy()
    partly[1] = np.nan
    partly[2] = (4, -3, 1)
    ((box, points),) = project_people(partly[None], camera, LENS, SIZE)
    assert points[:, 2].tolist() == [2, 0, 0]
    assert points[1:].tolist() == [[0, 0, 0]] * 2
    assert box[2] == SIZE[0]  # it ends with the picture


def test_poses_of_another_rate(recording, tmp_path, write_video):
    """The video has 30 frames a second, the poses 15: frame 16 shows pose 8."""
    scene = _scene(recording, rate=15)
    _run(scene, "-o", tmp_path / "out", "--stride", 16)
    labels = read_annotations(tmp_path / "out" / "annotations.json")
    assert len(labels.images) == 2
    assert labels.people[1].keypoints[:, :2] == pytest.approx(_project(_walk(24)[8]), abs=0.02)


def test_existing_labels_are_kept(recording, tmp_path):
    scene = _scene(recording)
    _run(scene, "-o", tmp_path, "--stride", 30)
    with pytest.raises(OutputError, match="exists; --overwrite"):
        _run(scene, "-o", tmp_path)
    _run(scene, "-o", tmp_path, "--stride", 6, "--overwrite")
    assert len(read_annotations(tmp_path / "annotations.json").images) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"poses": []}, r"poses: "),
        ({"keypoints": "coco18"}, "there is no layout 'coco18'"),
        ({"keypoints": ["a", "b"]}, r"anna\.npy is no array of \(frames, 2, 3\)"),
        ({"poses": ["anna.npy", "short.npy"]}, "expected the same number of frames for everyone"),
        ({"poses": ["none.npy"]}, r"none\.npy: no such file"),
        ({"poses": ["evil.npy"]}, "scene.json: "),
        ({"orientation": [1, 1, 0, 0]}, "unit quaternion"),
        ({"camera": {"fx": 300, "f35": 26}}, "give one of fx, f35 and hfov"),
        ({"speed": 3}, "speed: "),
    ],
)
def test_scenes_that_cannot_be_used(recording, tmp_path, change, message):
    np.save(recording / "short.npy", _walk(3))
    np.save(recording / "evil.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=message):
        _run(_scene(recording, **change), "-o", tmp_path)


def test_one_bad_video_does_not_stop_the_others(recording, tmp_path):
    view = {"orientation": FORWARD, "position": [0, 0, 1], "camera": CAMERA}
    other = CAMERA | {"size": [640, 640]}
    views = [
        view | {"video": "none.mp4"},
        view | {"video": "cam.mp4", "camera": other},
        view | {"video": "cam.mp4"},
    ]
    result = _run(_scene(recording, views=views), "-o", tmp_path)
    assert result.return_value == 7
    assert "none.mp4" in result.stderr
    assert "a camera calibrated at 640×640 did not film 320×240" in result.stderr
    assert len(read_annotations(tmp_path / "annotations.json").images) == 3
    with pytest.raises(InputError, match="no person is visible"):
        _run(_scene(recording, views=views[:2]), "-o", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_strides_that_are_none(recording, tmp_path):
    with pytest.raises(UsageError, match="--stride of at least 1"):
        _run(_scene(recording), "-o", tmp_path, "--stride", 0)


def test_human36m(tmp_path, write_video):
    """S9 stands still before its four cameras; one of the videos is there, under the data set's own name."""
    camera = CAMERAS["S9"][1]
    pose = np.zeros((60, 32, 3), np.float32)
    standing = np.random.default_rng(0).uniform([-0.3, -0.3, 0.1], [0.3, 0.3, 1.7], (17, 3))
    pose[:, list(JOINTS_OF_32)] = standing
    save_positions_3d(tmp_path / "data_3d_h36m.npz", {"S9": {"Photo 1": pose}})
    video = tmp_path / "videos" / "S9" / "Videos" / f"TakingPhoto 1.{camera.name}.mp4"
    video.parent.mkdir(parents=True)
    write_video(video, [np.full((1000, 1000, 3), 90, np.uint8)] * 12)
    run = (tmp_path / "data_3d_h36m.npz", "--videos", tmp_path / "videos", "-o", tmp_path / "out")
    _run(*run, "--subjects", "S9")
    labels = read_annotations(tmp_path / "out" / "annotations.json")
    assert labels.keypoints.mirror[1] == 4  # rhip and lhip
    assert [entry.name for entry in labels.images.values()] == [
        f"S9_Photo_1_{camera.name}_{i:06d}.jpg" for i in (0, 10)
    ]
    expected = camera.lens.project(camera.extrinsics.to_camera(standing))
    assert labels.people[0].keypoints[:, :2] == pytest.approx(expected, abs=0.01)
    with pytest.raises(InputError, match="holds no S1"):
        _run(*run, "--overwrite")
    with pytest.raises(UsageError, match="need its videos; pass --videos FOLDER"):
        _run(tmp_path / "data_3d_h36m.npz", "-o", tmp_path / "out2")


def test_the_command_is_named_as_documented():
    assert isinstance(detector_labels, click.Command)
    assert detector_labels.name == "detector-labels"
