import re

import numpy as np
import pytest

from videopose import errors

_UNSAFE = "it is damaged or holds more than plain data"
TREE = re.findall(r"(\w+Error) +(\d)", errors.__doc__ or "")


def test_the_drawn_tree_names_every_exception() -> None:
    raised = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)}
    assert raised == {"VideoposeError", *(name for name, _ in TREE)}


@pytest.mark.parametrize(("name", "code"), TREE)
def test_each_kind_has_the_exit_code_that_is_drawn(name: str, code: str) -> None:
    kind = getattr(errors, name)
    assert kind.exit_code == int(code)
    with pytest.raises(errors.VideoposeError, match="what is wrong"):
        raise kind("what is wrong")


def test_codes_differ_and_leave_one_for_bugs() -> None:
    codes = [int(code) for _, code in TREE]
    assert len(set(codes)) == len(codes)
    assert not {0, 1} & set(codes)


def test_finding_nobody_is_a_kind_of_bad_input() -> None:
    assert issubclass(errors.NoPeopleError, errors.InputError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("fps"), "it has no fps"),
        (KeyError("two\nlines"), "it has no two lines"),
        (KeyError(), "KeyError"),
        (OSError(28, "No space left on device", "a.npz"), "No space left on device"),
        (ValueError(""), "ValueError"),
        (ValueError("two\n  lines"), "two lines"),
        (ValueError("x" * 400), "x" * 299 + "…"),
        (ValueError("can load it unsafely using the `allow_pickle=` argument"), _UNSAFE),
        (RuntimeError("Weights only load failed. Re-run with weights_only=False"), _UNSAFE),
    ],
)
def test_a_quoted_error_is_one_short_line(error: Exception, text: str) -> None:
    assert errors.one_line(error) == text


def test_a_quoted_value_is_one_short_line() -> None:
    assert errors.shown("a\0b") == repr("a\0b")
    assert errors.shown(b"clip.mp4") == "b'clip.mp4'"
    text = errors.shown(np.zeros((30, 20, 3)))
    assert text.startswith("array([[[0., 0., 0.],")
    assert len(text) == 80
    assert text.isprintable()
