"""What is imported, and when: `infer` reaches its first frame without waiting for what comes later."""

import subprocess
import sys

PROGRAM = """
import sys
import numpy as np
from videopose.pipeline.cli.export import export_options
from videopose.pipeline.cli.infer import infer
from videopose.pipeline.inference import run_files
from videopose.pipeline.inference.infer import Networks
from videopose.pipeline.inference.options import InferOptions

assert export_options(()) is None
networks = Networks.load(InferOptions(device="cpu"))
next(iter(networks.detector.detect([np.zeros((240, 320, 3), np.uint8)])))
late = {"torch", "onnx", "matplotlib", "pydantic", "ffmpeg", "scipy"} & set(sys.modules)
assert not late, late
networks.lifter
assert "torch" in sys.modules
"""


def test_the_first_frame_waits_for_no_lifter() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=120)


def test_the_list_of_commands_waits_for_nothing() -> None:
    program = """
import sys
from click.testing import CliRunner
from videopose.pipeline.cli.main import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
late = {"numpy", "rich", "torch"} & set(sys.modules)
assert not late, late
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
