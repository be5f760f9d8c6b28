"""`videopose people`: the contact sheet, and choosing people by it."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.people import People
from videopose.errors import InputError
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference import kept_parts
from videopose.pipeline.inference.people.pictures import ASPECT, people_pictures

Run = Callable[..., Any]


@pytest.fixture
def folder(finished: tuple[Path, Any], tmp_path: Path) -> Path:
    """The clip, its table of two people and its animation."""
    return Path(shutil.copytree(finished[0], tmp_path / "finished"))


def test_pictures_show_each_person_where_they_are_large(folder: Path) -> None:
    table = PoseTable.load(folder / "clip.npz")
    people = people_pictures(table, folder / "clip.mp4")
    assert [person.track for person in people] == [track for track, _ in table.tracks()]
    for person, (_, rows) in zip(people, table.tracks(), strict=True):
        assert person.frame in table.frame[rows]
        assert person.time == table.time[person.frame]
        assert person.frames == rows.stop - rows.start
        frames = table.frame[rows]
        assert person.present[0][0] == table.time[frames[0]]
        assert person.present[-1][1] == table.time[frames[-1]]
        extent = np.ptp(table.keypoints[rows, :, 1], axis=1)
        assert 0.8 * np.median(extent) < person.height < 1.5 * np.median(extent)
        tall, wide = person.picture.shape[:2]
        assert wide / tall == pytest.approx(ASPECT, abs=0.03)
        assert extent.min() < tall < 2 * extent.max()
        x0, y0, x1, y1 = person.box
        assert 0 <= x0 < x1 <= 1 or 0 <= y0 < y1 <= 1
    assert np.abs(people[0].picture.mean((0, 1)) - people[1].picture.mean((0, 1))).max() > 2


def test_pictures_of_another_video(folder: Path, demo_clip: Path, write_video: Callable[..., Path]) -> None:
    table = PoseTable.load(folder / "clip.npz")
    with pytest.raises(InputError, match=r"expected pictures of 592×332 pixels .* --video"):
        people_pictures(table, demo_clip)
    short = write_video(folder / "short.mp4", [np.zeros((332, 592, 3), np.uint8)] * 2)
    with pytest.raises(InputError, match="it ends before frame"):
        people_pictures(table[table.frame > 5], short)


def test_a_sheet_of_a_video_and_then_one_of_its_people(folder: Path, videopose: Run) -> None:
    (folder / "clip.npz").unlink()
    done = videopose("people", folder / "clip.mp4", "--end", "0.5")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0].startswith("person 0: 00:00.0 – 00:00.4; ")
    assert "px tall" in done.out
    with Image.open(folder / "clip.people.png") as sheet:
        assert sheet.width > sheet.height > 300
    everyone = PoseTable.load(folder / "clip.2d.npz")
    ids = [track for track, _ in everyone.tracks()]
    assert ids == [0, 1]
    again = videopose("people", folder / "clip.mp4", "--end", "0.5")
    assert again.code == 5

    done = videopose("lift", folder / "clip.2d.npz", "--select", "1", "--no-render")
    assert done.code == 0, done.err
    lifted = PoseTable.load(folder / "clip.npz")
    assert set(lifted.track) == {1}
    np.testing.assert_array_equal(lifted.keypoints, everyone.keypoints[everyone.track == 1])

    x, y = everyone.keypoints[0, [11, 12], :2].mean(0)
    at = f"{x:.0f},{y:.0f}"
    words = ("--select-at", at, "--end", "0.5", "--no-render", "--overwrite")
    done = videopose("infer", folder / "clip.mp4", *words)
    assert done.code == 0, done.err
    assert "other" not in done.err
    inferred = PoseTable.load(folder / "clip.npz")
    assert set(inferred.track) == {0}
    np.testing.assert_array_equal(inferred.keypoints, everyone.keypoints[everyone.track == 0])


@pytest.fixture
def shown_to_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The images that the detector has been shown; finished parts are kept in a folder of the test."""
    monkeypatch.setattr(kept_parts, "cache_folder", lambda: tmp_path / "cache")
    shown: list[Any] = []
    detect = MoveNet.detect

    def counted(detector: MoveNet, images: Iterable[Any], memory: Any = None) -> Iterator[People]:
        def count() -> Iterator[Any]:
            for image in images:
                shown.append(image.shape)
                yield image

        return detect(detector, count(), memory)

    monkeypatch.setattr(MoveNet, "detect", counted)
    return shown


def test_people_are_not_found_again_for_infer(
    folder: Path, tmp_path: Path, videopose: Run, shown_to_networks: list[Any]
) -> None:
    (folder / "clip.npz").unlink()
    done = videopose("people", folder / "clip.mp4", "--end", "0.5")
    assert done.code == 0, done.err
    assert len(shown_to_networks) == 15
    done = videopose("infer", folder / "clip.mp4", "--end", "0.5", "--no-render", "--select", "1")
    assert done.code == 0, done.err
    assert len(shown_to_networks) == 15
    assert not list((tmp_path / "cache" / "parts").iterdir())
    everyone, lifted = PoseTable.load(folder / "clip.2d.npz"), PoseTable.load(folder / "clip.npz")
    np.testing.assert_array_equal(lifted.keypoints, everyone.keypoints[everyone.track == 1])


def test_an_id_that_nobody_has(
    clip: Path, tmp_path: Path, videopose: Run, shown_to_networks: list[Any]
) -> None:
    words = ("infer", clip, "--end", "0.5", "--no-render", "--output", tmp_path / "new" / "results")
    done = videopose(*words, "--select", "9")
    assert done.code == 2
    assert done.errors == [
        "error: --select 9: expected one of the people 0, 1; `videopose people` shows them; what was found "
        "is kept, so the next run need not find it again"
    ]
    assert not (tmp_path / "new").exists()
    assert len(shown_to_networks) == 15
    done = videopose(*words, "--select", "1")
    assert done.code == 0, done.err
    assert len(shown_to_networks) == 15
    assert [path.name for path in (tmp_path / "new" / "results").iterdir()] == ["clip.npz"]


def test_a_sheet_of_a_table(folder: Path, videopose: Run) -> None:
    done = videopose("people", folder / "clip.npz", "-o", folder)
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 2
    assert (folder / "clip.people.png").exists()
    assert not (folder / "clip.2d.npz").exists()
    (folder / "clip.mp4").rename(folder / "elsewhere.mp4")
    done = videopose("people", folder / "clip.npz", "--overwrite")
    assert done.code == 2
    assert "--video FILE names it" in done.errors[0]
    assert videopose(
        "people", folder / "clip.npz", "--overwrite", "--video", folder / "elsewhere.mp4"
    ).code == 0  # fmt: skip


def test_a_folder_of_videos_as_infer_takes_it(
    folder: Path, write_video: Callable[..., Path], images: list[Any], videopose: Run
) -> None:
    write_video(folder / "another.mp4", images[:4])
    (folder / "broken.mp4").write_bytes(b"no video")
    assert {path.name for path in folder.iterdir()} >= {"clip.mp4", "clip.3d.mp4", "clip.npz"}
    done = videopose("people", folder, folder / "missing.mov", "--end", "0.1", "-o", folder / "sheets")
    assert done.code == 7
    assert done.err.splitlines()[-1] == "2 of 4 done"
    assert {error.split(": ")[1] for error in done.errors} == {
        f"cannot read {folder / 'broken.mp4'}",
        f"cannot read {folder / 'missing.mov'}",
    }
    assert {path.name for path in (folder / "sheets").iterdir()} == {
        f"{name}.{what}" for name in ("another", "clip") for what in ("people.png", "2d.npz")
    }
    assert done.out.splitlines()[0].startswith(f"{folder / 'another.mp4'}: person 0: ")
    # of tables, and of a pattern
    done = videopose("people", folder / "sheets" / "*.2d.npz", "-o", folder / "again")
    assert done.code == 2
    assert [error.endswith("--video FILE names it") for error in done.errors] == [True, True]
    done = videopose("people", folder / "clip.npz", folder / "clip.mp4", "--end", "0.1")
    assert done.code == 0, done.err
    assert "note: clip.npz is left out, because the video is an input, too" in done.err


def test_the_video_of_several_tables(folder: Path, videopose: Run) -> None:
    shutil.copy(folder / "clip.npz", folder / "other.npz")
    words = ("--video", folder / "clip.mp4", "-o", folder / "sheets")
    done = videopose("people", folder / "clip.npz", folder / "other.npz", *words)
    assert done.code == 2
    assert done.errors == [
        "error: --video is the video of one table, found 2 files; leave --video out, and put each table "
        "beside its video"
    ]
    assert not (folder / "sheets").exists()
    done = videopose("people", folder / "clip.npz", folder / "other.npz", "-o", folder / "sheets")
    assert done.code == 0, done.err
    assert len(list((folder / "sheets").iterdir())) == 2


def test_people_who_are_left_out_are_counted(folder: Path, videopose: Run) -> None:
    done = videopose("detect", folder / "clip.mp4", "--end", "0.5")
    assert done.code == 0, done.err
    [note] = [line for line in done.err.splitlines() if "other" in line]
    assert note == (
        "note: 1 other person was seen; --people all keeps everyone, and `videopose people` shows whom to "
        "--select"
    )
    assert PoseTable.load(folder / "clip.2d.npz").meta["others"] == 1
    done = videopose("lift", folder / "clip.2d.npz", "--no-render", "--overwrite")
    assert done.code == 0, done.err
    assert "other person" not in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--select", "x"], "--select takes ids"), (["--select-at", "3"], "--select-at takes X,Y")],
)
def test_wrong_words(folder: Path, videopose: Run, words: list[str], message: str) -> None:
    done = videopose("infer", folder / "clip.mp4", *words)
    assert done.code == 2
    assert message in done.errors[0]
