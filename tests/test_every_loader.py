"""Property tests of the loaders: whatever is in a file, the answer is its content or one line.

`damaged_files` makes the files, 200 for each loader. For a long run:

    HYPOTHESIS_PROFILE=long pytest tests/test_every_loader.py
"""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from damaged_files import Case, check_survives
from PIL import Image

from videopose.bounded import read_npy
from videopose.detectors.coco.annotation_files import read_annotations, read_boxes
from videopose.detectors.coco.keypoint_names import names_in_files
from videopose.detectors.cpn.weights import is_backbone
from videopose.detectors.recipes import load_recipe
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.asf_amc import load_amc, load_asf
from videopose.lifting.datasets.bvh import load_bvh
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.datasets.videopose3d_files import KeypointFile, load_positions_3d
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.videopose3d_checkpoint import load_videopose3d_checkpoint
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.training.checkpoint import Checkpoint
from videopose.lifting.training.config import load_config
from videopose.pipeline.camera_metadata import exif, gopro, quicktime
from videopose.pipeline.camera_metadata.camera_file import load_camera_file
from videopose.pipeline.datasets.scene import read_scene
from videopose.pipeline.keypoint_import.formats import read_sightings
from videopose.pipeline.video.pictures import PictureSequence
from videopose.semi.config import load_videos_recipe
from videopose.skeleton import COCO17
from videopose.unpickle import load_object_npz, load_pickle

_SIZE = (640, 360)


# Sound files ---------------------------------------------------------------------------------------------


def _pose_table(path: Path) -> None:
    random = np.random.default_rng(0)
    PoseTable(
        track=np.zeros(4, np.int32),
        frame=np.arange(4, dtype=np.int32),
        keypoints=random.random((4, 17, 3), np.float32),
        pose=random.random((4, 17, 3), np.float32),
        root=random.random((4, 3), np.float32),
        filled=np.zeros(4, np.bool_),
        time=np.arange(4) / 30,
        size=_SIZE,
        intrinsics=Intrinsics(500, 500, 320, 180),
        meta={"video": {"name": "a.mp4", "sha256": "0"}},
    ).save(path)


def _model() -> TemporalModel:
    torch.manual_seed(0)
    return TemporalModel(filter_widths=(3, 3), channels=4)


def _lifter(path: Path) -> None:
    Lifter(_model(), "h36m17", "rays", 30.0).save(path)


def _checkpoint(path: Path) -> None:
    torch.save({"epoch": 1, "model_pos": _model().state_dict(), "random_state": np.float64(1)}, path)


def _resnet(path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(2, 3), "fc.bias": torch.ones(2)}, path)


def _training(path: Path) -> None:
    Checkpoint(path, "f").save({}, "cpu")


def _bvh(path: Path) -> None:
    path.write_text(
        "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation "
        "Xrotation\nJOINT Spine\n{\nOFFSET 0 5 0\nCHANNELS 3 Zrotation Yrotation Xrotation\nEnd Site\n{\n"
        "OFFSET 0 4 0\n}\n}\n}\nMOTION\nFrames: 2\nFrame Time: 0.0083333\n"
        "0 90 0 1 2 3 4 5 6\n1 90 0 1 2 3 4 5 7\n"
    )


def _asf(path: Path) -> None:
    path.write_text(
        ":version 1.10\n:name x\n:units\n  mass 1.0\n  length 0.45\n  angle deg\n"
        ":root\n  order TX TY TZ RX RY RZ\n  axis XYZ\n  position 0 0 0\n  orientation 0 0 0\n"
        ":bonedata\n  begin\n    id 1\n    name lfemur\n    direction 0.34 -0.93 0\n    length 7.15\n"
        "    axis 0 0 20 XYZ\n    dof rx ry rz\n    limits (-160.0 20.0)\n    (-70.0 70.0)\n  end\n"
        ":hierarchy\n  begin\n    root lfemur\n  end\n"
    )


def _amc(path: Path) -> None:
    _asf(path.with_name("skeleton.asf"))
    path.write_text(
        ":FULLY-SPECIFIED\n:DEGREES\n1\nroot 9 17 -20 3 0 -10\nlfemur 10 2 20\n2\nroot 9 17 -20 3 0 -9\n"
        "lfemur 11 2 20\n"
    )


def _load_amc(path: Path) -> Any:
    return load_amc(path, load_asf(path.with_name("skeleton.asf")), rate=120)


def _motion_capture(path: Path) -> None:
    positions = np.random.default_rng(0).random((5, 19, 3)).astype(np.float32)
    MotionCapture(positions, np.array([2, 3]), 60.0, ("a", "b"), ("1", "2"), ("walk", ""), ("x", "x")).save(
        path
    )


def _data_2d(path: Path) -> None:
    keypoints = np.random.default_rng(0).random((3, 17, 2)).astype(np.float32)
    metadata = {
        "layout_name": "coco",
        "num_joints": 17,
        "keypoints_symmetry": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
        "video_metadata": {"clip.mp4": {"w": 640, "h": 360}},
    }
    positions = {"clip.mp4": {"custom": [keypoints]}}
    np.savez_compressed(path, positions_2d=np.array(positions, object), metadata=np.array(metadata, object))


def _data_3d(path: Path) -> None:
    positions = {"S1": {"Walking": np.ones((3, 32, 3), np.float32)}}
    np.savez_compressed(path, positions_3d=np.array(positions, object))


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"blobs": {"a": np.arange(6.0), "b": [1, "x", None]}}, protocol=2))


def _npy(path: Path) -> None:
    np.save(path, np.random.default_rng(0).random((3, 17, 3)))


def _hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("poses", data=np.random.default_rng(0).random((3, 16, 2)), compression="gzip")


def _detectron(path: Path) -> None:
    keypoints = np.empty(2, object)
    boxes = np.empty(2, object)
    for frame in range(2):
        boxes[frame] = [[], np.ones((1, 5), np.float32)]
        keypoints[frame] = [[], np.random.default_rng(0).random((1, 4, 17)).astype(np.float32)]
    np.savez_compressed(
        path, boxes=boxes, keypoints=keypoints, metadata=np.array({"w": 640, "h": 360}, object)
    )


def _json(content: Any) -> Callable[[Path], None]:
    return lambda path: path.write_text(json.dumps(content)) and None


_NUMBERS = np.random.default_rng(0).uniform(10, 300, 51).round(1).tolist()
_COCO = {
    "images": [{"id": 1, "file_name": "0.jpg", "width": 640, "height": 360}],
    "annotations": [
        {"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "area": 9, "iscrowd": 0,
         "keypoints": _NUMBERS}
    ],
    "categories": [{"id": 1, "name": "person", "keypoints": names_in_files(COCO17), "skeleton": [[1, 2]]}],
}  # fmt: skip
_XY = {"x": _NUMBERS[:17], "y": _NUMBERS[17:34], "visible": [0.5] * 17}
_PEOPLE: dict[str, Any] = {
    "openpose": {"people": [{"person_id": [-1], "pose_keypoints_2d": [*_NUMBERS, *_NUMBERS[:24]]}]},
    "alphapose": [{"image_id": "1.jpg", "category_id": 1, "keypoints": _NUMBERS, "score": 2.5, "idx": [1]}],
    "alphapose-open": {"0.jpg": {"version": 1, "people": [{"pose_keypoints_2d": [*_NUMBERS, 1, 2, 0.5]}]}},
    "mmpose": [{"frame_id": 0,
                "instances": [{"keypoints": [[1.5, 2.5]] * 17, "keypoint_scores": [0.5] * 17}]}],
    "mmpose-demo": {"meta_info": {"keypoint_id2name": {"0": "nose"}},
                    "instance_info": [{"frame_id": 1, "instances": []}]},
    "mmpose-image": [{"keypoints": [[1.5, 2.5]] * 17, "keypoint_scores": [0.5] * 17}],
    "ultralytics": [[{"name": "person", "track_id": 1, "keypoints": _XY}]],
    "annotations": _COCO,
}  # fmt: skip
_DEFAULTS: dict[str, Any] = {"model": {"filter_widths": [3, 3]}, "rate": 25}
_CAMERA = {"fx": 500.5, "fy": 500.1, "cx": 320, "cy": 180, "size": [640, 360], "gravity": [0, 1, 0.1],
           "distortion": {"model": "opencv", "coefficients": [-0.28, 0.11, 0, 0]}}  # fmt: skip


def _scene(path: Path) -> None:
    np.save(path.with_name("anna.npy"), np.zeros((2, 17, 3), np.float32))
    view = {"video": "a.mp4", "camera": {"fx": 500.0}, "orientation": [1, 0, 0, 0], "position": [0, 0, 1]}
    path.write_text(json.dumps({"poses": ["anna.npy"], "keypoints": "h36m17", "rate": 50, "views": [view]}))


def _copied(name: str) -> Callable[[Path], None]:
    source = Path(__file__).parents[1] / "configs" / name
    return lambda path: path.write_bytes(source.read_bytes()) and None


def _mp4(path: Path) -> None:
    def box(kind: bytes, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return (8 + len(content)).to_bytes(4, "big") + kind + content

    key = b"com.apple.quicktime.camera.focal_length.35mm_equivalent"
    keys = box(b"keys", bytes(4), (1).to_bytes(4, "big"), (8 + len(key)).to_bytes(4, "big"), b"mdta", key)
    value = box(b"data", (23).to_bytes(4, "big"), bytes(4), b"\x41\xd0\x00\x00")
    items = box(b"ilst", box((1).to_bytes(4, "big"), value))
    handler = box(b"hdlr", bytes(8), b"mdta", bytes(12))
    path.write_bytes(box(b"ftyp", b"qt  ") + box(b"moov", box(b"meta", handler, keys, items)))


def _jpeg(path: Path) -> None:
    details = Image.Exif()
    details.get_ifd(0x8769)[0xA405] = 26
    details[0x0112] = 6
    Image.new("RGB", (16, 12), (200, 100, 50)).save(path, exif=details)


def _pictures(path: Path) -> Any:
    return list(PictureSequence(path.parent / "*.jpg").frames())


def _load_training(path: Path) -> None:
    Checkpoint(path, "f").restore({}, "cpu")


_CASES = {
    case.name: case
    for case in (
        Case("table.npz", _pose_table, PoseTable.load),
        Case("lifter.safetensors", _lifter, Lifter.load),
        Case("model.bin", _checkpoint, load_videopose3d_checkpoint),
        Case("resnet.pth", _resnet, is_backbone),
        Case("training.pt", _training, _load_training),
        Case("walk.bvh", _bvh, load_bvh),
        Case("person.asf", _asf, load_asf),
        Case("walk.amc", _amc, _load_amc),
        Case("mocap.npz", _motion_capture, MotionCapture.load),
        Case("data_2d_custom.npz", _data_2d, KeypointFile.load),
        Case("data_2d.npz", _data_2d, lambda path: read_sightings([path], Path("clip.mp4"))),
        Case("data_3d.npz", _data_3d, lambda path: load_positions_3d(path, 32)),
        Case("objects.npz", _data_2d, load_object_npz),
        Case("model.pkl", _pickle, load_pickle),
        Case("array.npy", _npy, read_npy),
        Case("keypoints.npy", _npy, lambda path: read_sightings([path], Path("clip.mp4"))),
        Case("poses.h5", _hdf5, lambda path: read_sightings([path], Path("clip.mp4"))),
        Case("detectron.npz", _detectron, lambda path: read_sightings([path], Path("clip.mp4"))),
        *(
            Case(
                f"{name}_1.json",
                _json(content),
                lambda path: read_sightings([path], Path("clip.mp4")),
                refused=name == "mmpose-demo",  # it has no people
            )
            for name, content in _PEOPLE.items()
        ),
        Case("annotations.json", _json(_COCO), read_annotations),
        Case("boxes.json", _json(_COCO), read_boxes),
        Case("clip.camera.json", _json(_CAMERA), lambda path: load_camera_file(path, _SIZE)),
        Case("scene.json", _scene, read_scene),
        Case(
            "semi.yaml",
            _copied("semi/footage.yaml"),
            lambda path: load_videos_recipe(path, defaults=_DEFAULTS),
        ),
        Case("lifter.yaml", _copied("lifting/default.yaml"), load_config),
        Case("cpn.yaml", _copied("detectors/cpn-quick.yaml"), lambda path: load_recipe(path, "cpn")),
        Case("quicktime.mp4", _mp4, lambda path: quicktime.read_camera(path, _SIZE)),
        Case("gopro.mp4", _mp4, lambda path: gopro.read_camera(path, _SIZE)),
        Case("exif.jpg", _jpeg, lambda path: exif.read_camera(path, _SIZE)),
        Case("picture.jpg", _jpeg, _pictures),
    )
}


@pytest.mark.parametrize("name", list(_CASES))
def test_a_damaged_file_is_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    check_survives(_CASES[name], tmp_path)
