"""What all tests share: the sample clip, and one thread a process, which is faster on shared cores."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import pytest

from videopose.pipeline.downloads import assets


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the sample clip: it is fetched from a registry unless it is in the cache."""
    for item in items:
        if "demo_clip" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.network)


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The sample clip: 8 seconds, 1768 × 994 pixels, two people."""
    return assets.fetch("demo.mp4")
