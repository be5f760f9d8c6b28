import ctypes
import subprocess
import sys

import pytest

from videopose.errors import UsageError
from videopose.pipeline import device
from videopose.pipeline.device import choose_device


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_build_without_gpu_needs_no_torch(name: str) -> None:
    program = f"""
import sys
from videopose.pipeline import device
device.version = lambda package: "2.10.0+cpu"
assert device.choose_device({name!r}) == "cpu"
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    ("build", "driver", "found"),
    [
        ("2.10.0+cpu", True, False),
        ("2.10.0+cu130", True, True),
        ("2.10.0+cu130", False, False),
        ("2.10.0", True, True),
        ("2.10.0", False, False),
        ("2.10.0+rocm7", False, True),
    ],
)
def test_whether_a_gpu_is_possible(
    build: str, driver: bool, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> object:
        if not driver:
            raise OSError(name)
        return object()

    monkeypatch.setattr(device, "version", lambda package: build)
    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(sys, "platform", "linux")
    assert device._may_have_gpu() is found


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="--device toaster cannot be used here"):
        choose_device("toaster")
