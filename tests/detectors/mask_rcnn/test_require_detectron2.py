import subprocess
import sys

import pytest

from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2
from videopose.errors import UsageError


def test_without_detectron2_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "detectron2", None)  # as if it were not installed
    with pytest.raises(UsageError, match=r"'videopose install detectron2'$"):
        require_detectron2()


def test_it_imports_without_a_warning_and_fetches_nothing():
    """In a fresh process, where warnings are errors and no address answers."""
    code = (
        "import socket, sys; socket.socket.connect = None; "
        "from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2; "
        "assert 'detectron2' not in sys.modules; "
        "print(require_detectron2()); import detectron2.engine, detectron2.evaluation"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("compiled", "plain PyTorch")
    assert not done.stderr
