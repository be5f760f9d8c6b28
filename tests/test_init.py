import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videopose
from videopose.errors import UsageError
from videopose.pipeline.downloads import assets

_ROWS = ["track", "frame", "keypoints", "pose", "root", "filled", "time"]


@pytest.fixture(scope="module")
def demo() -> Path:
    return assets.fetch("demo.mp4")


def test_the_public_names() -> None:
    assert sorted(videopose.__all__) == ["PoseTable", "VideoposeError", "infer"]
    assert all(hasattr(videopose, name) for name in videopose.__all__)


def test_importing_waits_for_no_library() -> None:
    slow = "{'torch', 'onnxruntime', 'av', 'cv2', 'scipy', 'rich', 'click'}"
    program = f"import sys, videopose; slow = {slow} & set(sys.modules); assert not slow, slow"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_python_gives_what_the_command_line_writes(
    demo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--end", "0.3", "--no-render", "--focal-35mm", "26", "--no-flip", "-o", str(tmp_path)]
    command = [sys.executable, "-m", "videopose", "infer", str(demo), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    written = videopose.PoseTable.load(tmp_path / "demo.npz")
    monkeypatch.chdir(tmp_path)
    table = videopose.infer(str(demo), end=0.3, focal_35mm=26, flip=False)
    assert isinstance(table, videopose.PoseTable)
    assert capfd.readouterr() == ("", "")
    assert os.listdir(tmp_path) == ["demo.npz"]
    assert len(table) == 9
    for name in _ROWS:
        np.testing.assert_array_equal(getattr(table, name), getattr(written, name), err_msg=name)
    # the file holds the intrinsics as 32-bit numbers
    np.testing.assert_array_equal(table.intrinsics.array(), written.intrinsics.array())
    assert table.size == written.size
    assert table.meta["command"] == "videopose.infer"
    assert {**table.meta, "command": ""} == {**written.meta, "command": ""}


@pytest.mark.parametrize("options", [{"peple": 2}, {"focal": None}, {"output": "x"}])
def test_an_unknown_option_is_named_with_the_known_ones(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        videopose.infer("none.mp4", **options)
    assert str(caught.value) == (
        f"infer() has no option {next(iter(options))!r}; it has detector, weights, "
        "backbone, decode, flip_test, boxes, keypoints, keypoint_layout, people, start, end, max_gap, "
        "device, lifter, lifter_layout, lifter_causal, flip, precision, focal_px, focal_35mm, hfov"
    )


def test_options_are_checked() -> None:
    with pytest.raises(UsageError, match="one of --focal-px"):
        videopose.infer("none.mp4", focal_px=1000, hfov=60)
    with pytest.raises(UsageError, match="from Python: None"):
        videopose.infer("none.mp4", people="all")


def test_a_missing_file() -> None:
    with pytest.raises(videopose.VideoposeError, match="there is no such file") as caught:
        videopose.infer("none.mp4")
    assert caught.value.exit_code == 3
