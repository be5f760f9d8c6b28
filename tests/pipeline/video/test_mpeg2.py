"""Missing pictures of MPEG-2 by their places, and whole files by their structure."""

from pathlib import Path

import pytest
from odd_video_corpus import ENCODERS, film, stamped
from odd_videos import change_packets, encode, ffmpeg

from videopose.pipeline.video.damage import Damage
from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.whole_file import is_whole


def _damage(path: Path) -> Damage | None:
    with open_video(path) as video:
        assert sum(1 for _ in video.frames()) > 0
        return video.damaged


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_missing_pictures_are_told(suffix: str, b_frames: str, tmp_path: Path) -> None:
    whole = encode(tmp_path / f"a{suffix}", "mpeg2video", {"bf": b_frames}, count=40)
    assert _damage(whole) is None
    holes = change_packets(
        whole, tmp_path / f"b{suffix}", lambda n, content: None if n in (16, 17) else content
    )
    damage = _damage(holes)
    assert damage is not None
    assert "2 pictures are missing between others" in str(damage)
    if b_frames == "0":  # all until the next key frame, which was picture 24
        assert damage.frames == tuple(range(16, 22))


def test_streams_cut_in_the_middle_of_a_group_are_sound(tmp_path: Path) -> None:
    film(*ENCODERS["mpeg2 with B-frames"][0], suffix=".ts")(tmp_path)
    ffmpeg("-ss", "0.3", "-i", tmp_path / "film.ts", "-c", "copy", tmp_path / "cut.ts")
    assert _damage(tmp_path / "cut.ts") is None


def test_an_flv_file_whose_last_picture_is_long_is_whole(tmp_path: Path) -> None:
    long_last = stamped(lambda n: n / 30, ".mp4", codec="libx264", last=5.0)(tmp_path)
    ffmpeg("-i", long_last, "-c", "copy", tmp_path / "a.flv")
    assert is_whole(tmp_path / "a.flv")
    with open_video(tmp_path / "a.flv") as video:
        assert video.duration == pytest.approx(39 / 30 + 5, abs=0.1)
    assert _damage(tmp_path / "a.flv") is None
    content = (tmp_path / "a.flv").read_bytes()
    (tmp_path / "b.flv").write_bytes(content[: int(0.8 * len(content))])
    assert not is_whole(tmp_path / "b.flv")
    assert "it breaks off" in str(_damage(tmp_path / "b.flv"))
    for tail in (b"", b"\0\0\0\0", b"\xff\xff\xff\xff"):
        (tmp_path / "c.flv").write_bytes(b"FLV" + tail)
        assert not is_whole(tmp_path / "c.flv")
