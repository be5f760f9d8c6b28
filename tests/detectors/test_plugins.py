"""Detectors of other packages, found by entry points."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import videopose

# The example of docs/detectors.md, found by its first line.
PAGE = Path(videopose.__file__).parent / "docs" / "detectors.md"


def example() -> str:
    text = PAGE.read_text(encoding="utf-8")
    code = text.split("```python\n# bright_detector.py\n", 1)[1]
    return code.split("```", 1)[0]


def install(folder: Path, module: str, source: str, name: str) -> None:
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[videopose.detectors]\n{name} = {module}:ENTRY\n")


def run(folder: Path, program: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_the_docs_is_short_and_works(tmp_path: Path) -> None:
    assert len(example().strip().splitlines()) <= 40
    install(tmp_path, "bright_detector", example(), "bright")
    program = """
import numpy as np
from pathlib import Path
from videopose.detectors import registry
detector = registry.build("bright", fetch=Path)
image = np.zeros((120, 160, 3), np.uint8)
image[30:90, 40:70] = 255
people = list(detector.detect([image, np.zeros_like(image)]))
print([len(each) for each in people], people[0].boxes[0].tolist())
from videopose.pipeline.inference.options import DetectOptions
from videopose.pipeline.inference.detect import load_detector
print(load_detector(DetectOptions(detector="bright", device="cpu")).describe()["name"])
"""
    assert run(tmp_path, program).splitlines() == ["[1, 0] [40.0, 30.0, 70.0, 90.0]", "bright"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [("raise OSError('no driver')", "OSError: no driver"), ("ENTRY = 3", "expected .*Entry, found int")],
)
def test_a_package_that_fails_is_named_when_it_is_asked_for(tmp_path: Path, source: str, reason: str) -> None:
    install(tmp_path, "broken_detector", source, "broken")
    program = """
from pathlib import Path
from videopose.detectors import registry
assert registry.DEFAULT == "movenet"
print(registry.DETECTORS["broken"].summary)
try:
    registry.build("broken", fetch=Path)
except registry.UsageError as error:
    print(error)
"""
    summary, error = run(tmp_path, program).splitlines()
    assert summary == "of broken_detector, cannot be used"
    assert error.startswith("the detector broken of broken_detector (broken_detector:ENTRY) cannot be used: ")
    assert re.search(reason, error)


def test_another_package_cannot_replace_ours(tmp_path: Path) -> None:
    install(tmp_path, "false_movenet", "ENTRY = 3", "movenet")
    program = "from videopose.detectors import registry; print(registry.DETECTORS['movenet'].summary)"
    assert "the default" in run(tmp_path, program)
