from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from videopose.errors import InputError, UsageError
from videopose.yaml_config import checked, merged, overridden, parse_overrides, read_with_base, read_yaml


def test_a_base_may_have_a_base(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml\nname: a\nx: {one: 1}")
    (tmp_path / "b.yaml").write_text("base: c.yaml\nx: {one: 0, two: 2}\ny: [1, 2]")
    (tmp_path / "c.yaml").write_text("name: c\ny: [3]\nz: {}")
    assert read_with_base(tmp_path / "a.yaml") == {
        "name": "a", "x": {"one": 1, "two": 2}, "y": [1, 2], "z": {},
    }  # fmt: skip
    assert "name" not in read_with_base(tmp_path / "b.yaml")
    assert read_with_base(tmp_path / "c.yaml") == read_yaml(tmp_path / "c.yaml")


@pytest.mark.parametrize("base", ["a.yaml", "b.yaml", "../c.yaml", "7", "[]"])
def test_bases_that_cannot_be(tmp_path: Path, base: str) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml")
    (tmp_path / "b.yaml").write_text(f"base: {base}")
    with pytest.raises(UsageError, match=r"b\.yaml: base: give the name of another file beside it"):
        read_with_base(tmp_path / "a.yaml")


def test_a_base_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: b.yaml")
    with pytest.raises(InputError, match=r"b\.yaml: no such file"):
        read_with_base(tmp_path / "a.yaml")


def test_laying_over_and_overriding_leave_what_they_are_given_alone() -> None:
    below: dict[str, Any] = {"x": {"one": 1}, "y": 2}
    assert merged(below, {"x": {"two": 2}, "y": {"deep": 3}}) == {"x": {"one": 1, "two": 2}, "y": {"deep": 3}}
    assert overridden(below, {"x.one": 5, "new.deep": 6}) == {"x": {"one": 5}, "y": 2, "new": {"deep": 6}}
    assert below == {"x": {"one": 1}, "y": 2}
    with pytest.raises(UsageError, match=r"y\.deep: y is not a group of values"):
        overridden(below, {"y.deep": 3})


def test_overrides_are_yaml() -> None:
    assert parse_overrides(["a.b=3", "c=[1, x]", "d=", "e=a=b"]) == {
        "a.b": 3, "c": [1, "x"], "d": None, "e": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["a", "=3", "a=[1"])
def test_overrides_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--set"):
        parse_overrides([text])


def test_a_wrong_value_is_named() -> None:
    numbers = TypeAdapter(dict[str, dict[str, int]])
    values = {"group": {"name": 1}}
    assert checked(Path("c.yaml"), numbers.validate_python, values) == values
    with pytest.raises(UsageError, match=r"^c\.yaml: group\.name: input should be a valid integer"):
        checked(Path("c.yaml"), numbers.validate_python, {"group": {"name": "one"}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{a: " * 5000 + "1" + "}" * 5000, "nested more than 20 levels"),
        ("[" * 5000, "nested more than 20 levels|not a YAML file"),
        ("a: &x [1, 2]\nb: [*x, *x]\n", "it repeats the part"),
        ("a: " + "x" * (1 << 20), "more than the 1,048,576 that are allowed"),
        ("a: 2001-99-99\n", "not a YAML file"),
    ],
)
def test_yaml_that_grows_is_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_yaml(tmp_path / "a.yaml")
    assert "\n" not in str(caught.value)


def test_an_override_that_grows_is_refused() -> None:
    with pytest.raises(UsageError, match="not a value"):
        parse_overrides(["a=" + "[" * 5000])
