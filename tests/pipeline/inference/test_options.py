import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from videopose.errors import UsageError
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.inference.options import InferOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": 0}, "--people takes a number from 1 on, or all"),
        ({"people": "all"}, "from Python: None"),
        ({"start": -1.0}, "--start takes seconds"),
        ({"start": float("nan")}, "--start takes seconds"),
        ({"start": float("inf")}, "--start takes seconds"),
        ({"start": 2.0, "end": 1.0}, "--end takes seconds, more than --start"),
        ({"end": float("nan")}, "--end takes seconds, more than --start"),
        ({"max_gap": -0.1}, "--max-gap takes seconds, 0 or more"),
        ({"max_gap": float("nan")}, "--max-gap takes seconds, 0 or more"),
        ({"keypoints": "k.npz", "detector": "movenet"}, "--detector is for a detector, and --keypoints"),
        ({"keypoints": "k.npz", "flip_test": False}, "--flip-test is for a detector, and --keypoints"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        InferOptions(**options)


def test_options_load_no_network_and_no_video() -> None:
    program = (
        "import sys, videopose.pipeline.inference.options;"
        "assert not {'torch', 'onnxruntime', 'av', 'cv2', 'scipy'} & {*sys.modules}, sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ({"people": np.int64(2)}, "people", 2),
        ({"people": "2"}, "people", 2),
        ({"people": 2.0}, "people", 2),
        ({"start": "1.5"}, "start", 1.5),
        ({"start": np.float32(0.5)}, "start", 0.5),
        ({"end": np.array(2)}, "end", 2.0),
        ({"max_gap": 1}, "max_gap", 1.0),
        ({"fps": "30"}, "fps", 30.0),
        ({"flip": np.True_}, "flip", True),
        ({"height": np.int32(170)}, "height", 170.0),
        ({"focal": FocalLength(hfov="70")}, "focal", FocalLength(hfov=70.0)),
    ],
)
def test_numbers_of_numpy_and_texts_of_numbers(options: dict[str, Any], name: str, value: object) -> None:
    found = getattr(InferOptions(**options), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": 1.5}, "--people takes a number"),
        ({"people": True}, "--people takes a number"),
        ({"people": [2]}, "--people takes a number"),
        ({"start": None}, "start: expected a number, found None"),
        ({"start": "soon"}, "start: expected a number, found 'soon'"),
        ({"start": True}, "start: expected a number, found True"),
        ({"end": [1]}, "end: expected a number or None"),
        ({"fps": 0}, "--fps takes frames per second"),
        ({"fps": float("nan")}, "--fps takes frames per second"),
        ({"flip": 1}, "flip: expected True or False, found 1"),
        ({"flip_test": "yes"}, "flip_test: expected True or False or None"),
        ({"keypoints": ""}, "keypoints: expected a name or path, found an empty one"),
        ({"keypoints": "a\0b"}, "keypoints: a path has no null character"),
        ({"keypoints": "k", "keypoint_first_frame": -1}, "--keypoint-first-frame takes a number, 0 or more"),
        ({"keypoint_first_frame": 1}, "--keypoint-first-frame goes with --keypoints"),
        ({"lifter": 3}, "lifter: expected a name or path, found 3"),
        ({"height": "tall"}, "height: expected a number or None, found 'tall'"),
    ],
)
def test_wrong_types_are_errors_in_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        InferOptions(**options)
    assert str(caught.value).startswith(message)
