"""The options of `videopose render` that choose between an animation, a still and a sheet."""

from pathlib import Path

import pytest

from videopose.errors import UsageError
from videopose.pipeline.inference.redraw import DrawOptions


@pytest.mark.parametrize(
    ("options", "output", "message"),
    [
        ({"at": 1.0}, "x.mp4", "--at draws a picture: expected --output FILE.png, found x.mp4"),
        ({"sheet": 4}, "x.gif", "--sheet draws a picture"),
        ({"fps": 5.0}, "x.png", "--fps is for an animation, and x.png is a picture"),
    ],
)
def test_options_that_do_not_go_with_the_file(options: dict[str, float], output: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DrawOptions(**options).check_output(Path(output))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options", [{"at": 1.0, "sheet": 4}, {"at": 1.0, "fps": 4.0}, {"sheet": 3, "fps": 4.0}]
)
def test_options_that_exclude_each_other(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="expected one of --"):
        DrawOptions(**options)  # type: ignore[arg-type]
