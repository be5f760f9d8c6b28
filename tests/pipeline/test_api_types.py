"""What programs pass to the public functions: wrong types are errors in words, never other exceptions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videopose
from videopose.errors import InputError, UsageError


class _Unknown:
    """A value of no useful type. Its text is the same in every process, as names of tests must be."""

    def __repr__(self) -> str:
        return "unknown"


_UNKNOWN = _Unknown()
WRONG: list[Any] = [3, 1.5, None, b"", "", [], {}, _UNKNOWN, np.zeros(3), float("nan"), "a\0b"]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("function", [videopose.infer, videopose.detect, videopose.lift])
def test_a_first_argument_that_is_no_path(function: Any, value: Any) -> None:
    with pytest.raises((UsageError, InputError)):
        function(value)


@pytest.mark.parametrize(
    "options",
    [
        {"select": _UNKNOWN},
        {"select": ["a"]},
        {"select": "a"},
        {"select_at": 3},
        {"select_at": "1,2"},
        {"select_at": [(1,)]},
        {"select_at": [("x", 2)]},
        {"filters": "butterworth"},
        {"filters": 3},
        {"filters": [None]},
        {"hfov": "wide"},
        {"focal_px": []},
        {"device": None},
        {"detector": 7},
    ],
    ids=repr,
)
def test_options_of_another_type(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        videopose.infer(tmp_path / "none.mp4", **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [3, "1200x600", (1200,), (0, 5), (1200.5, 600), None])
def test_a_size_that_is_none(size: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="size: expected"):
        videopose.render(tmp_path / "none.npz", tmp_path / "a.mp4", size=size)


@pytest.mark.parametrize("views", ["camera", 3, [1], None])
def test_views_that_are_none(views: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="views: expected a list of texts"):
        videopose.render(tmp_path / "none.npz", tmp_path / "a.mp4", views=views)


def test_a_name_that_is_no_file(tmp_path: Path) -> None:
    for name in ("https://example.org/a.mp4", str(tmp_path / "none.mp4"), "x" * 5000):
        with pytest.raises(InputError, match="cannot read"):
            videopose.infer(name)
