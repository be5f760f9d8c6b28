from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures

from videopose.errors import InputError
from videopose.pipeline.picture_files import find_pictures, is_sequence, sequence_name
from videopose.pipeline.video.reader import Video, open_video, video_digest

Write = Callable[..., Path]


def _write(folder: Path, *names: str, size: tuple[int, int] = (32, 24)) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Pictures.new("RGB", size, (10 * number, 0, 0)).save(folder / name)


def _read(video: Video) -> tuple[list[int], list[float]]:
    frames = list(video.frames())
    return [int(frame.image[0, 0, 0]) for frame in frames], [frame.time for frame in frames]


@pytest.mark.parametrize("name", ["", "frame-%04d.png", "frame-%d.png", "*.png", "frame*"])
def test_pictures_in_the_order_of_their_numbers(name: str, tmp_path: Path) -> None:
    _write(tmp_path, "frame-8.png", "frame-9.png", "frame-10.png", "frame-11.png")
    (tmp_path / "notes.txt").touch()
    with open_video(tmp_path / name, fps=10) as video:
        assert (video.size, video.frame_count, video.rate) == ((32, 24), 4, 10)
        assert _read(video) == ([0, 10, 20, 30], pytest.approx([0, 0.1, 0.2, 0.3]))
        assert video.times == pytest.approx([0, 0.1, 0.2, 0.3])
        assert video.damaged is None
        assert [frame.index for frame in video.frames(start=0.1, end=0.25)] == [1, 2]


def test_pictures_can_be_turned(tmp_path: Path) -> None:
    _write(tmp_path, "1.png", size=(32, 24))
    marked = np.zeros((24, 32, 3), np.uint8)
    marked[0, 0] = 200
    Pictures.fromarray(marked).save(tmp_path / "2.png")
    with open_video(tmp_path, rotate=90) as video:
        assert video.size == (24, 32)
        last = list(video.frames())[-1].image
    assert last[0, -1].tolist() == [200, 200, 200]  # the corner at the top left is at the top right


def test_the_default_rate_is_25(tmp_path: Path) -> None:
    _write(tmp_path, "1.png", "2.png")
    with open_video(tmp_path) as video:
        assert _read(video)[1] == [0, 0.04]


def test_gaps_are_told_and_keep_their_time(tmp_path: Path) -> None:
    _write(tmp_path, *(f"{n:04}.png" for n in (1, 2, 3, 6, 7, 9)))
    with open_video(tmp_path, fps=1) as video:
        assert _read(video)[1] == [0, 1, 2, 5, 6, 8]
        assert str(video.damaged) == (
            "3 of its pictures are missing (2 between 0003.png and 0006.png, 1 between 0007.png and 0009.png)"
        )


def test_every_tenth_picture_is_no_gap(tmp_path: Path) -> None:
    _write(tmp_path, *(f"{n}.png" for n in range(0, 60, 10)))
    with open_video(tmp_path, fps=1) as video:
        assert _read(video)[1] == [0, 1, 2, 3, 4, 5]
        assert video.damaged is None


def test_names_without_numbers_are_in_their_order(tmp_path: Path) -> None:
    _write(tmp_path, "a.png", "b.png", "c.png")
    assert [p.name for p in find_pictures(tmp_path).files] == ["a.png", "b.png", "c.png"]


def test_unreadable_and_other_sizes_are_told(tmp_path: Path) -> None:
    _write(tmp_path, "1.png", "2.png", "3.png", "4.png")
    (tmp_path / "1.png").write_bytes(b"\x89PNG but no more")
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:40])
    _write(tmp_path, "5.png", size=(64, 48))
    with open_video(tmp_path, fps=1) as video:
        assert video.size == (32, 24)
        frames = list(video.frames())
        assert [frame.time for frame in frames] == [0, 2, 3]
        assert {frame.image.shape for frame in frames} == {(24, 32, 3)}
        assert str(video.damaged) == (
            "2 of its pictures cannot be read (1.png, 3.png), and 1 of its pictures have another size than "
            "the first and are scaled to it"
        )


def test_exif_turns_pictures_upright(tmp_path: Path) -> None:
    picture = Pictures.fromarray(np.repeat(np.arange(30, dtype=np.uint8) * 8, 20).reshape(30, 20))
    exif = Pictures.Exif()
    exif[0x0112] = 6  # turn clockwise by 90°
    picture.save(tmp_path / "1.jpg", exif=exif, quality=100)
    with open_video(tmp_path) as video:
        assert video.size == (30, 20)
        [frame] = video.frames()
    assert frame.image[10, 0, 0] > 200 > frame.image[10, -1, 0]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "1", "CMYK"])
def test_pictures_of_every_kind(mode: str, tmp_path: Path) -> None:
    suffix = ".tif" if mode == "CMYK" else ".png"
    grey = np.full((8, 8), 200, np.uint8)
    if mode == "I;16":
        cv2.imwrite(str(tmp_path / "1.png"), grey.astype(np.uint16) << 8)
    else:
        Pictures.fromarray(grey).convert("RGB").convert(mode).save(tmp_path / f"1{suffix}")
    with open_video(tmp_path) as video:
        [frame] = video.frames()
    assert frame.image.shape == (8, 8, 3)
    if mode not in ("1", "CMYK"):
        assert abs(int(frame.image[4, 4, 0]) - 200) <= 4


def test_several_sequences_in_one_folder_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, "left1.png", "left2.png", "right1.png", "right2.png")
    with pytest.raises(InputError, match=r"several sequences of pictures \(left\*, right\*\).*'left\*'"):
        find_pictures(tmp_path)
    assert len(find_pictures(tmp_path / "left*").files) == 2


@pytest.mark.parametrize("name", ["", "*.jpg", "%04d.jpg"])
def test_no_picture(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no picture.*\(looked for .*\.jpg"), open_video(tmp_path / name):
        pytest.fail("it was opened")


def test_what_is_a_sequence_and_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walk").mkdir()
    (tmp_path / "100%d.mp4").touch()
    assert is_sequence(tmp_path / "walk")
    assert not is_sequence(tmp_path / "100%d.mp4")
    assert not is_sequence(tmp_path / "walk.mp4")
    monkeypatch.chdir(tmp_path / "walk")
    names = ("", "*.jpg", "%04d.jpg", "side-%04d.jpg", "side_*.png")
    assert [sequence_name(Path(name)) for name in names] == ["walk", "walk", "walk", "side", "side"]


def test_the_digest_is_that_of_all_pictures(tmp_path: Path) -> None:
    _write(tmp_path, "1.png", "2.png")
    before = video_digest(tmp_path)
    assert video_digest(tmp_path / "*.png") == before
    _write(tmp_path, "2.png", size=(8, 8))
    assert video_digest(tmp_path) != before
