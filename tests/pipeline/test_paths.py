import os
from pathlib import Path

import pytest

from videopose.errors import OutputError, UsageError
from videopose.pipeline.paths import (
    DETECTED_SUFFIX,
    check_free,
    check_is_other,
    check_writable,
    plan,
)


def _touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


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


def test_names_from_a_video_by_way_of_its_keypoints() -> None:
    [found] = plan([Path("x/day.one.mp4")], None, animation=False, suffix=DETECTED_SUFFIX)
    assert found.results == [Path("x/day.one.2d.npz")]
    [lifted] = plan([found.table], None, animation=True)
    assert lifted.results == plan([Path("x/day.one.mp4")], None, animation=True)[0].results
    [again] = plan([lifted.table], None, animation=False)  # replaces its own input, if anything
    assert again.results == [again.source]


def test_names_that_differ_in_their_suffixes_keep_them() -> None:
    jobs = plan([Path("a.mp4"), Path("a.mov"), Path("b.mp4")], None, animation=True)
    assert [job.table.name for job in jobs] == ["a.mp4.npz", "a.mov.npz", "b.npz"]
    assert [job.animation and job.animation.name for job in jobs] == [
        "a.mp4.3d.mp4",
        "a.mov.3d.mp4",
        "b.3d.mp4",
    ]
    jobs = plan([Path("a.mp4"), Path("a.mov")], None, animation=False, suffix=DETECTED_SUFFIX)
    assert [job.table.name for job in jobs] == ["a.mp4.2d.npz", "a.mov.2d.npz"]
    assert plan([jobs[0].table], None, animation=False)[0].table.name == "a.mp4.npz"


def test_a_result_whose_name_is_too_long(tmp_path: Path) -> None:
    check_free([tmp_path / ("ä" * 125 + ".npz")], overwrite=False)
    with pytest.raises(OutputError, match="longer than 255 bytes; give the input a shorter one"):
        check_free([tmp_path / ("ä" * 126 + ".npz")], overwrite=False)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names on POSIX only")
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_pipe_in_the_place_of_a_result(tmp_path: Path, overwrite: bool) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(OutputError, match=r"a\.npz: it is a device or a pipe, not a file"):
        check_free([tmp_path / "a.npz"], overwrite=overwrite)


def test_a_result_does_not_replace_what_it_is_made_from(tmp_path: Path) -> None:
    video, link, *_ = _touch(tmp_path, "a.mp4", "b.mp4", "walk/1.png", "walk/2.png")
    link.unlink()
    os.link(video, link)
    for source in (None, tmp_path / "absent.mp4", tmp_path / "walk"):
        check_is_other(video, source)
    check_is_other(tmp_path / "new.mp4", video)
    for target, source, message in (
        (video, video, r"a\.mp4 is the video itself; --output writes elsewhere"),
        (link, video, r"b\.mp4 is the video itself"),
        (tmp_path / "walk/2.png", tmp_path / "walk", r"2\.png is a picture of the video itself"),
        (tmp_path / "walk/2.png", tmp_path / "walk/%d.png", r"2\.png is a picture of the video itself"),
    ):
        with pytest.raises(UsageError, match=message):
            check_is_other(target, source)
    with pytest.raises(UsageError, match="is the table itself"):
        check_is_other(video, video, "table")
