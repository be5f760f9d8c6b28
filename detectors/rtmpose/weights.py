"""RTMPose's published weights, which rtmlib fetches."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from ...errors import AssetError, UsageError

_MODE = "balanced"  # RTMPose-m and YOLOX-m, of rtmlib's three choices


def fetch_weights() -> tuple[Path, Path]:
    """Return the paths of YOLOX's and of RTMPose's ONNX file (26 keypoints); rtmlib fetches missing ones.

    Raises:
        UsageError: rtmlib is not installed.
        AssetError: The files cannot be fetched.
    """
    try:
        from rtmlib import BodyWithFeet
        from rtmlib.tools.file import download_checkpoint
    except ImportError as error:
        raise UsageError(
            "rtmpose fetches its weights with rtmlib: `pip install 'videopose[rtmpose]'`; `infer` and "
            "`detect` also take your own, --weights POSE.onnx, and --boxes YOLOX.onnx or another detector"
        ) from error
    choice = BodyWithFeet.MODE[_MODE]
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # rtmlib prints what it does
            paths = [Path(download_checkpoint(choice[part])) for part in ("det", "pose")]
    except Exception as error:  # whatever goes wrong with the network, or with the archive
        raise AssetError(
            f"RTMPose's weights cannot be fetched ({error}); `infer` and `detect` take a file that you have "
            "by --weights"
        ) from error
    return paths[0], paths[1]
