from pathlib import Path

import pytest

from videopose.errors import OutputError
from videopose.files import escaped_controls, replacing


def test_writes_a_new_file_under_its_name(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "clip.mp4"
    with replacing(target) as partial:
        assert partial.parent == target.parent  # a rename stays within one file system
        assert partial.suffix == ".mp4"
        assert partial != target
        partial.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


def test_replaces_an_old_file_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.npz"
    target.write_text("old")
    with replacing(str(target)) as partial:
        partial.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failing_block_leaves_everything_as_it_was(tmp_path: Path, failure: type[BaseException]) -> None:
    target = tmp_path / "a.npz"
    target.write_text("old")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise failure

    with pytest.raises(failure), replacing(target) as partial:
        fail(partial)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_two_writers_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with replacing(target) as one, replacing(target) as two:
        one.write_text("one")
        two.write_text("two")
    assert target.read_text() == "one"  # the outer block ends last
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("below", ["out.npz", "deeper/out.npz"])
def test_a_file_where_a_folder_should_be_cannot_be_written_into(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot write .*out\.npz"), replacing(tmp_path / "file" / below):
        pytest.fail("the block ran")


def test_a_folder_in_the_file_s_place_cannot_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.npz"
    target.mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*out\.npz"), replacing(target) as partial:
        partial.write_text("whole")
    assert list(tmp_path.iterdir()) == [target]


def test_control_characters_of_names_are_escaped() -> None:
    assert escaped_controls("a\nb\x1b[31m\u2028ü.mp4") == "a\\x0ab\\x1b[31m\\u2028ü.mp4"
