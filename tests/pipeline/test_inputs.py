from pathlib import Path
from typing import Any

import pytest

from videopose.errors import InputError, UsageError
from videopose.pipeline.inputs import find_tables, find_videos, without_results


def _touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def test_a_folder_means_the_videos_in_it(tmp_path: Path) -> None:
    b, a, _ = _touch(tmp_path, "b.MOV", "a.mp4", "a.3d.mp4")
    _touch(tmp_path, "a.npz", "notes.txt", ".hidden.mp4", "deeper/c.mp4", "folder.mp4/x")
    assert find_videos([tmp_path]) == [a, b]


def test_files_are_taken_as_they_are(tmp_path: Path) -> None:
    missing, text = tmp_path / "missing", tmp_path / "notes.txt"
    assert find_videos([missing, text]) == [missing, text]


def test_nothing_twice(tmp_path: Path) -> None:
    a, b = _touch(tmp_path, "a.mp4", "b.mp4")
    assert find_videos([b, tmp_path, b]) == [b, a]


def test_a_folder_without_videos(tmp_path: Path) -> None:
    _touch(tmp_path, "notes.txt", "a.3d.mp4")
    with pytest.raises(InputError, match=r"no video in this folder \(looked for .*\.mov \.mp4 "):
        find_videos([tmp_path])


def test_a_folder_means_the_tables_without_poses_in_it(tmp_path: Path) -> None:
    b, a, lifted = _touch(tmp_path, "b.2d.npz", "a.2d.npz", "a.npz")
    assert find_tables([tmp_path]) == [a, b]
    assert find_tables([lifted, tmp_path, b]) == [lifted, a, b]
    a.unlink()
    b.unlink()
    with pytest.raises(InputError, match=r"no \.2d\.npz table in this folder; `videopose detect` makes them"):
        find_tables([tmp_path])


def test_overlays_are_no_videos_to_look_for_people_in(tmp_path: Path) -> None:
    video, *_ = _touch(tmp_path, "a.mp4", "a.2d.mp4", "a.3d.mp4")
    assert find_videos([tmp_path]) == [video]


@pytest.mark.parametrize("names", [("a.mp4", "a.3d.mp4"), ("a.mp4", "a.npz", "b.2d.mp4", "c.3D.GIF")])
def test_results_are_left_out_wherever_they_are_named(
    names: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    video, *results = _touch(tmp_path, *names)
    assert find_videos([*results, video]) == [video]
    assert "left out, because videopose writes files of such names" in capfd.readouterr().err


def test_a_result_alone_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.3d\.mp4: by its name it is a result of videopose"):
        find_videos(_touch(tmp_path, "a.3d.mp4"))


@pytest.mark.parametrize("spelling", ["{0}/a.mp4", "{0}/../{1}/a.mp4", "{0}/*.mp4", "{0}", "{0}/./a.mp4"])
def test_one_video_in_two_spellings(spelling: str, tmp_path: Path) -> None:
    [video] = _touch(tmp_path, "a.mp4")
    assert find_videos([video, spelling.format(tmp_path, tmp_path.name)]) == [video]


@pytest.mark.parametrize("name", ["https://example.org/a.mp4", "rtsp://camera/1", "file:///a.mp4", ""])
@pytest.mark.parametrize("find", [find_videos, find_tables])
def test_what_names_no_file_stops_no_other_input(name: str, find: Any, tmp_path: Path) -> None:
    [good] = _touch(tmp_path, "good.mp4")
    errors: list[Exception] = []
    assert find([name, good], errors.append) == [good]
    [error] = errors
    assert isinstance(error, InputError if name else UsageError)
    assert ("it is an address" if name else "is a variable not set?") in str(error)


def test_a_bad_folder_stops_no_other_input(tmp_path: Path) -> None:
    [good] = _touch(tmp_path, "good.mp4")
    (tmp_path / "empty").mkdir()
    errors: list[Exception] = []
    assert find_videos([tmp_path / "empty", "x" * 5000, good], errors.append) == [Path("x" * 5000), good]
    assert len(errors) == 1


def test_pictures_are_one_input(tmp_path: Path) -> None:
    _touch(tmp_path, "walk/1.jpg", "walk/2.JPG", "walk/notes.txt")
    folder = tmp_path / "walk"
    for sequence in (folder, folder / "*.jpg", folder / "%d.jpg"):
        assert find_videos([sequence]) == [sequence]
    [video] = _touch(folder, "film.mp4")
    assert find_videos([folder]) == [video]


def test_a_pattern_of_videos_stands_for_them(tmp_path: Path) -> None:
    b, a, other, literal = _touch(tmp_path, "b.mp4", "a.mp4", "c.mov", "[1].mp4")
    assert find_videos([tmp_path / "?.mp4"]) == [a, b]
    assert find_videos([literal]) == [literal]  # a file of that name comes first
    assert find_videos([tmp_path / "none*.mp4"]) == [tmp_path / "none*.mp4"]
    assert find_videos([tmp_path / "*.mov"]) == [other]


def test_tables_that_other_tables_become(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    detected, lifted, other = _touch(tmp_path, "a.2d.npz", "a.npz", "b.npz")
    assert without_results([detected, lifted, other]) == [detected, other]
    assert "a.npz is left out" in capfd.readouterr().err
    assert without_results([lifted, other]) == [lifted, other]
