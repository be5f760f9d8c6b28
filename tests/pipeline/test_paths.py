import os
from pathlib import Path

import pytest

from videopose.errors import InputError, OutputError, UsageError
from videopose.pipeline.paths import (
    DETECTED_SUFFIX,
    check_free,
    check_writable,
    find_tables,
    find_videos,
    plan,
)


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


def test_results_lie_beside_the_video() -> None:
    [job] = plan([Path("holiday/day.one.MP4")], None, animation=True)
    assert job.source == Path("holiday/day.one.MP4")
    assert job.results == [Path("holiday/day.one.npz"), Path("holiday/day.one.3d.mp4")]
    assert (job.table, job.animation) == tuple(job.results)


def test_results_in_another_folder() -> None:
    first, second = plan([Path("x/a.mp4"), Path("b.mov")], Path("out"), animation=False)
    assert (first.results, second.results) == ([Path("out/a.npz")], [Path("out/b.npz")])
    assert first.animation is None


@pytest.mark.parametrize(
    ("names", "output"),
    [
        (("a.mp4", "a.mov"), None),
        (("x/a.mp4", "y/a.mp4"), "out"),
        (("a.mp4", os.path.abspath("a.mp4")), None),
        (("a.mp4", "x/../a.mp4"), None),
    ],
)
def test_two_results_of_one_name(names: tuple[str, str], output: str | None) -> None:
    videos = [Path(name) for name in names]
    with pytest.raises(UsageError) as caught:
        plan(videos, Path(output) if output else None, animation=False)
    for part in (*names, "would both write", "a.npz", "run them apart with --output"):
        assert part in str(caught.value)


def test_namesakes_may_lie_in_two_folders() -> None:
    assert len(plan([Path("x/a.mp4"), Path("y/a.mp4")], None, animation=True)) == 2


def test_a_result_that_would_replace_another_video() -> None:
    videos = [Path("a.mp4"), Path("a.3d.mp4")]
    with pytest.raises(UsageError, match=r"animation of a\.mp4 would replace a\.3d\.mp4; run them apart"):
        plan(videos, None, animation=True)
    assert len(plan(videos, None, animation=False)) == 2
    assert len(plan(videos, Path("out"), animation=True)) == 2


def test_a_result_that_exists(tmp_path: Path) -> None:
    free, taken = tmp_path / "free.npz", *_touch(tmp_path, "taken.npz")
    check_free([free], overwrite=False)
    check_free([free, taken], overwrite=True)
    with pytest.raises(OutputError) as caught:
        check_free([free, taken], overwrite=False, elsewhere="--output FILE")
    assert str(caught.value) == f"{taken} exists; --overwrite replaces it, --output FILE writes elsewhere"


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_in_the_place_of_a_result(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(OutputError, match=r"a\.npz: it is a folder"):
        check_free([tmp_path / "a.npz"], overwrite=overwrite)


def test_a_folder_yet_to_be_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_writable(Path())
    check_writable(Path("new"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", [(), ("deeper",)])
def test_a_file_is_no_folder(tmp_path: Path, below: tuple[str, ...]) -> None:
    [file] = _touch(tmp_path, "file")
    with pytest.raises(OutputError, match="not a folder; see --output") as caught:
        check_writable(file.joinpath(*below))
    assert str(file) in str(caught.value)


def test_a_place_where_nobody_writes() -> None:
    with pytest.raises(OutputError, match=r"cannot write to /proc/nowhere: /proc: .*; see --output"):
        check_writable(Path("/proc/nowhere"))


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


def test_names_from_a_video_by_way_of_its_keypoints() -> None:
    [found] = plan([Path("x/day.one.mp4")], None, animation=False, suffix=DETECTED_SUFFIX)
    assert found.results == [Path("x/day.one.2d.npz")]
    [lifted] = plan([found.table], None, animation=True)
    assert lifted.results == plan([Path("x/day.one.mp4")], None, animation=True)[0].results
    [again] = plan([lifted.table], None, animation=False)  # replaces its own input, if anything
    assert again.results == [again.source]
