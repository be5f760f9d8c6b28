"""Damaged files: what is reported, and that sound files are not."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from odd_videos import Change, change_packets, encode

from videopose.pipeline.video.damage import Damage, DamageRecord, damage_warning
from videopose.pipeline.video.reader import open_video

COUNT = 24


def only(numbers: Sequence[int], change: Callable[[bytes], bytes | None]) -> Change:
    return lambda number, content: change(content) if number in numbers else content


def noise(content: bytes) -> bytes:
    return random.Random(0).randbytes(len(content))


def zeros(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


def read(path: Path) -> tuple[list[bool], Damage | None]:
    with open_video(path) as video:
        marks = [frame.damaged for frame in video.frames()]
        return marks, video.damaged


H264 = ("libx264", {"bf": "0", "preset": "veryfast"})
CODECS = {
    "h264": H264,
    "h264 with B-frames": ("libx264", {"bf": "3", "preset": "veryfast"}),
    "hevc": ("libx265", {"x265-params": "log-level=none:bframes=2", "preset": "veryfast"}),
    "mpeg4": ("mpeg4", {}),
    "mpeg2": ("mpeg2video", {"bf": "2"}),
    "vp8": ("libvpx", {"deadline": "realtime"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    "mjpeg": ("mjpeg", {}),
}


NOT_STORED = {
    *((suffix, "vp8") for suffix in (".mp4", ".ts", ".avi", ".mov")),
    *((suffix, "vp9") for suffix in (".ts", ".avi", ".mov")),
    (".ts", "mjpeg"),
    (".avi", "hevc"),
}


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts", ".avi", ".mov"])
def test_sound_files_are_not_reported(name: str, suffix: str, tmp_path: Path) -> None:
    codec, options = CODECS[name]
    if (suffix, name) in NOT_STORED:
        pytest.skip(f"{name} is not stored in {suffix}")
    path = encode(tmp_path / f"sound{suffix}", codec, options)
    marks, damage = read(path)
    assert damage is None
    assert len(marks) == COUNT
    assert not any(marks)


@pytest.mark.parametrize(
    "name", ["h264", "h264 with B-frames", "hevc", "mpeg4", "mpeg2", "vp8", "vp9", "mjpeg"]
)
def test_packets_of_noise_are_reported(name: str, tmp_path: Path) -> None:
    sound = encode(tmp_path / "sound.mkv", *CODECS[name])
    marks, damage = read(change_packets(sound, tmp_path / "noise.mkv", only((4, 5), noise)))
    assert damage is not None
    assert "could not be decoded" in str(damage) or damage.frames
    # what follows the next key frame is sound, and what comes before the damage is
    assert not any(marks[:2])
    assert not any(marks[-10:])
    assert len(marks) >= COUNT - 8


@pytest.mark.parametrize("name", ["h264", "mpeg4"])
def test_frames_that_the_decoder_conceals(name: str, tmp_path: Path) -> None:
    sound = encode(tmp_path / "sound.mkv", *CODECS[name])
    marks, damage = read(change_packets(sound, tmp_path / "zeros.mkv", only([4], zeros)))
    assert damage is not None
    # the frame and those that are predicted from it, up to the next key frame
    assert damage.frames == tuple(range(4, 12))
    assert [number for number, marked in enumerate(marks) if marked] == list(range(4, 12))
    assert str(damage) == "8 frames are damaged, or predicted from damaged ones (4–11)"


def test_damage_of_the_last_picture_is_always_found(tmp_path: Path) -> None:
    # With threads, the decoder gave this picture away before it was marked, about every third time.
    sound = encode(tmp_path / "sound.mkv", *CODECS["h264 with B-frames"])
    path = change_packets(sound, tmp_path / "zeros.mkv", only([0], zeros))
    short = change_packets(path, tmp_path / "short.mkv", only(range(1, COUNT), lambda content: None))
    for _ in range(12):
        marks, damage = read(short)
        assert damage is not None
        assert marks == [True]


def test_a_jpeg_without_its_end(tmp_path: Path) -> None:
    sound = encode(tmp_path / "sound.avi", *CODECS["mjpeg"])
    cut = change_packets(sound, tmp_path / "cut.avi", only([4], lambda content: content[: len(content) // 2]))
    _, damage = read(cut)
    assert damage is not None
    assert damage.frames == (4,)
    # not if none of the pictures has the mark, as with some cameras
    without = change_packets(
        sound, tmp_path / "without.avi", lambda number, content: content.rstrip(b"\0")[:-2]
    )
    assert read(without)[1] is None


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_missing_packets(suffix: str, tmp_path: Path) -> None:
    sound = encode(tmp_path / "sound.mkv", *H264)
    _, damage = read(change_packets(sound, tmp_path / f"holes{suffix}", only((4, 5), lambda content: None)))
    assert damage is not None
    assert damage.frames == tuple(range(4, 10))
    assert "predicted from pictures that are missing (4–9)" in str(damage)


def test_a_hole_in_a_transport_stream(tmp_path: Path) -> None:
    path = encode(tmp_path / "sound.ts", *H264)
    content = path.read_bytes()
    middle = len(content) // 188 // 2 * 188
    path.write_bytes(content[:middle] + content[middle + 5 * 188 :])
    _, damage = read(path)
    assert damage is not None
    assert damage.frames


def test_a_codec_that_changes_in_mid_stream(tmp_path: Path) -> None:
    first = encode(tmp_path / "first.ts", *H264)
    second = encode(tmp_path / "second.ts", "mpeg2video", {})
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    marks, damage = read(joined)
    assert len(marks) >= COUNT
    assert damage is not None
    assert "could not be decoded" in str(damage)
    assert "after the last frame)" in str(damage)


def test_an_avi_broken_off_says_how_long_it_was(tmp_path: Path) -> None:
    path = encode(tmp_path / "sound.avi", "mpeg4", {})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    marks, damage = read(path)
    assert damage is not None
    assert f"it breaks off at {len(marks) / 25:.2f} s of the {COUNT / 25:.2f} s that it announces" in str(
        damage
    )


def test_lost_packets_do_not_shift_the_pictures_behind_them(tmp_path: Path) -> None:
    # libav's decoder of MPEG-2 always waits for B pictures, and says nothing of packets that it leaves out.
    sound = encode(tmp_path / "sound.mkv", "mpeg2video", {})
    with open_video(change_packets(sound, tmp_path / "noise.mkv", only((4, 5), noise))) as video:
        times = [frame.time for frame in video.frames()]
        assert "(just before frame 4)" in str(video.damaged)
    assert times == pytest.approx([n / 25 for n in range(COUNT) if n not in (4, 5)], abs=2e-3)


def test_another_shape_in_mid_stream_is_reported() -> None:
    record = DamageRecord(reshaped=[3, 4])
    assert str(record.damage()) == "2 frames are of another shape than the first one (3–4)"


def test_what_a_pose_table_records() -> None:
    damage = DamageRecord(corrupt=[0, 1, 2, 7], reasons=["3 of its 9 packets could not be decoded"]).damage()
    assert damage is not None
    text = "4 frames are damaged, or predicted from damaged ones (0–2, 7); "
    text += "3 of its 9 packets could not be decoded"
    assert damage.describe() == {"frames": [0, 1, 2, 7], "warning": text}
    assert damage_warning(damage.describe()) == text
    assert damage_warning("of an earlier version") == "of an earlier version"
    assert damage_warning(None) is None
    assert DamageRecord().damage() is None


def test_many_ranges_are_cut_short() -> None:
    text = str(DamageRecord(corrupt=list(range(0, 100, 2))).damage())
    assert text.endswith("(0, 2, 4, 6, 8, 10, 12, 14, …)")
