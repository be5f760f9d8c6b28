import pytest

from videopose.render.info_strip import clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00.000"),
        (4.1, "00:04.100"),
        (59.9996, "01:00.000"),
        (61.0334, "01:01.033"),
        (3599.9999, "1:00:00.000"),
        (7384.5, "2:03:04.500"),
        (-0.04, "00:00.000"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
