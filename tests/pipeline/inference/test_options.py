import subprocess
import sys
from typing import Any

import pytest

from videopose.errors import UsageError
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
