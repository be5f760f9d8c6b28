"""What programs pass to the public functions: wrong types are errors in words, never other exceptions."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import videopose
from videopose.errors import InputError, UsageError
from videopose.pipeline.api.arguments import as_texts


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


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_pictures_of_what_is_no_table(value: Any, tmp_path: Path) -> None:
    for call in (
        lambda: videopose.view(value, tmp_path / "a.html"),
        lambda: videopose.view(tmp_path / "none.npz", value),
        lambda: videopose.compare(value, tmp_path / "a.mp4"),
        lambda: videopose.compare([value, value], tmp_path / "a.mp4"),
    ):
        with pytest.raises((UsageError, InputError)) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tables": "a.npz"}, "tables: expected a list of pose tables or paths, found 'a.npz'"),
        ({"tables": ["a.npz"]}, "expected 2 to 4 motions, the truth included, found 1 table"),
        ({"labels": "a"}, "labels: expected a list of texts, found 'a'"),
        ({"labels": ["a"]}, "expected 2 names, found 1"),
        ({"truth": 3}, "truth: expected a text or None, found 3"),
        ({"truth_start": "soon"}, "truth_start: expected a number, found 'soon'"),
        ({"view": 3}, "view: expected a text, found 3"),
        ({"view": "below"}, "camera, turned, side, back, top"),
        ({"size": "big"}, "size: expected width and height in pixels"),
        ({"fps": "fast"}, "fps: expected a number or None, found 'fast'"),
        ({"video": 3}, "video: expected a name or path, found 3"),
        ({"output": None}, "output: expected a name or path, found None"),
    ],
    ids=str,
)
def test_options_of_compare(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        videopose.compare(**{"tables": ["a.npz", "b.npz"], "output": tmp_path / "a.mp4"} | options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"camera": -1}, "camera: expected a number from 0 on, a URL or a path, found -1"),
        ({"camera": True}, "camera: expected a name or path, found True"),
        ({"camera": None}, "camera: expected a name or path, found None"),
        ({"people": 0}, "--people takes a number from 1 to 8, found 0"),
        ({"people": "two"}, "--people takes a number from 1 to 8, found two"),
        ({"every_frame": "yes"}, "every_frame: expected True or False, found 'yes'"),
        ({"flip": None}, "flip: expected True or False, found None"),
        ({"precision": "int8"}, "--precision takes float32 or bfloat16, found 'int8'"),
        ({"detector": 3}, "detector: expected a text or None, found 3"),
        ({"lifter": 3}, "lifter: expected a name or path, found 3"),
        ({"hfov": "wide"}, "expected a number, found 'wide'"),
        ({"device": None}, "device: expected a text, found None"),
        ({"detector": "nope"}, "there is no detector 'nope'; the known ones are: "),
        ({"lifter": "nope"}, "unknown lifter 'nope'; known: "),
        ({"lifter": "default"}, "only a causal, dilated model can be fed frame by frame, such as the lifter"),
        ({"device": "nope"}, "--device nope cannot be used here"),
    ],
    ids=str,
)
def test_options_of_live_are_checked_when_it_is_called(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        videopose.live(**options)


@pytest.mark.parametrize("embed", ["much", -1, None])
def test_megabytes_that_are_none(embed: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="embed"):
        videopose.view(tmp_path / "none.npz", tmp_path / "a.html", embed=embed)


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


@pytest.mark.parametrize("name", ["fps", "at", "sheet"])
def test_numbers_of_pictures_that_are_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{name}: expected a (whole )?number or None, found 'x'"):
        videopose.render(tmp_path / "none.npz", tmp_path / "a.png", **{name: "x"})


def test_texts_may_come_from_an_iterator() -> None:
    assert as_texts("filters", iter(["bones", "one-euro:2"])) == ("bones", "one-euro:2")
    with pytest.raises(UsageError, match="filters: expected a list of texts, found"):
        as_texts("filters", iter([3]))
