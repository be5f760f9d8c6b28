"""`videopose live` on a real clip."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle

from videopose.errors import UsageError
from videopose.lifting.pose_table import PoseTable
from videopose.render.page import Library

Run = Callable[..., Any]
LIBRARY = Library({"three": "export default 1;"}, {}, "a licence")


def test_a_file_gives_the_poses_of_causal_lifting(clip: Path, tmp_path: Path, videopose: Run) -> None:
    done = videopose("live", "--camera", clip, "--every-frame", "--json", "--no-page", "--hfov", "70")
    assert done.code == 0, done.err
    assert "clip.mp4: 46 frames lifted, 0 dropped" in done.err
    assert "clip.mp4: camera --hfov 70, which is 70° across the longer side" in done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["frame"] for line in lines] == list(range(46))
    options = ("--lifter", "causal", "--hfov", "70", "--no-render", "--static-camera", "-o", tmp_path)
    assert videopose("infer", clip, *options).code == 0
    table = PoseTable.load(tmp_path / "clip.npz")
    assert len(table) == 46
    people = [line["people"][0] for line in lines]
    assert all(len(line["people"]) == 1 for line in lines)
    np.testing.assert_allclose([p["pose"] for p in people], table.pose, atol=1e-5)
    np.testing.assert_allclose([p["keypoints"] for p in people], table.keypoints, atol=1e-3)
    np.testing.assert_allclose([line["time"] for line in lines], table.time, atol=1e-6)
    distance = np.linalg.norm(np.array([p["root"] for p in people]) - table.root, axis=-1)
    assert np.median(distance / table.root[:, 2]) < 0.1


def test_osc_and_dropped_frames(clip: Path, videopose: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.1)
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        done = videopose("live", "--camera", clip, "--people", "2", "--osc", target, "--json")
        assert done.code == 0, done.err
        assert "→ http://127.0.0.1:" in done.err
        packets = []
        try:
            while True:
                packets.append(listener.recv(65536))
        except TimeoutError:
            pass
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert len(lines) + lines[-1]["dropped"] == lines[-1]["frame"] + 1
    assert packets
    bones = {each.params[0] for each in OscBundle(packets[-1]) if each.address == "/VMC/Ext/Bone/Pos"}
    assert {"Hips", "LeftUpperArm", "RightLowerLeg", "Head"} <= bones


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--camera", "97"), 3, "camera 97 cannot be opened"),
        (("--camera", "absent.mp4"), 3, "cannot read absent.mp4: there is no such file"),
        (("--camera", "ftp://x/y"), 2, "--camera reads http"),
        (("--no-page",), 2, "--no-page leaves nothing that shows the poses: give --json or --osc too"),
        (("--osc", "nowhere", "--no-page"), 2, "--osc takes HOST:PORT"),
        (("--people", "0"), 2, "--people takes a number from 1 to 8, found 0"),
        (("--port", "70000"), 2, "--port takes a number from 0 to 65535, found 70000"),
        (("--open", "--no-page", "--json"), 2, "give --open or --no-page, not both"),
        (("--osc", "127.0.0.1:0"), 2, "--osc takes HOST:PORT"),
        (("--osc", ""), 2, "--osc takes HOST:PORT"),
        (("--osc", "no-such-host.invalid:9"), 2, "--osc no-such-host.invalid:9: the host no-such-host.inv"),
        (("--lifter", "absent"), 2, "unknown lifter 'absent'"),
        (("--device", "mars"), 2, "--device mars cannot be used here"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    clip: Path, videopose: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    if "--camera" not in arguments:
        arguments = ("--camera", str(clip), *arguments)
    done = videopose("live", *arguments)
    assert done.code == code, done.err
    assert said in done.errors[0]
    assert done.err.splitlines() == done.errors  # nothing is said before: it is known before the work
    assert done.out == ""


def test_a_port_that_is_taken_is_known_before_the_camera_is_opened(
    videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videopose.pipeline.live.page_server.three_library", lambda: LIBRARY)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = videopose("live", "--camera", "97", "--port", str(port))
    assert done.code == 2
    assert done.err.splitlines() == done.errors
    assert f"port {port} cannot be used" in done.errors[0]


def test_a_detector_that_cannot_be_loaded(
    clip: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise UsageError("it needs another package")

    monkeypatch.setattr("videopose.pipeline.live.session.load_detector", refuse)
    done = videopose("live", "--camera", clip, "--json", "--no-page")
    assert done.code == 2
    assert done.err.splitlines() == ["clip.mp4: loading …", "error: it needs another package"]


def test_a_lifter_that_looks_into_the_future(clip: Path, videopose: Run) -> None:
    done = videopose("live", "--camera", clip, "--lifter", "default", "--json", "--no-page")
    assert done.code == 2
    assert "only a causal, dilated model can be fed frame by frame, such as the lifter causal" in done.err


def test_a_reader_that_goes_away(clip: Path) -> None:
    words = ["live", "--camera", str(clip), "--every-frame", "--json", "--no-page"]
    command = [sys.executable, "-m", "videopose", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["frame"] >= 0
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(60) == 0
    assert int(said.partition(" frames lifted")[0].rpartition(" ")[2]) < 40  # of 46
    assert "Traceback" not in said
    assert "Error" not in said
