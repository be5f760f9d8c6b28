import math

import pytest

from videopose.errors import UsageError
from videopose.render.views import NAMED_VIEWS, View, parse_view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("camera", View(0, 8)),
        (" Side ", View(90, 8)),
        ("back", View(180, 8)),
        ("top", View(0, 90)),
        ("70,15", View(70, 15)),
        ("-30.5 , -10", View(-30.5, -10)),
        ("70", View(70, NAMED_VIEWS["turned"].elevation)),
    ],
)
def test_reads_names_and_angles(text: str, view: View) -> None:
    assert parse_view(text) == view


@pytest.mark.parametrize("text", ["", "left", "70,15,3", "nan", "1e400,0", "70;15", "0,91", "__import__"])
def test_refuses_anything_else_and_says_what_would_do(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--view .*(camera, turned, side, back, top|−90 and 90)"):
        parse_view(text)


def test_checks_itself() -> None:
    with pytest.raises(ValueError, match="finite"):
        View(math.inf, 0)
    with pytest.raises(ValueError, match="elevation"):
        View(0, -91)


def test_titles() -> None:
    assert View(0, 8).title == "camera view"
    assert View(55, 14).title == "turned 55° right"
    assert View(-40, 10).title == "turned 40° left"
    assert View(350, 10).title == "turned 10° left"
