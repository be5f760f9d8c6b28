"""Time stamps as files have them: in decoding order, in pairs, missing, stuck, in free text."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from odd_videos import encode, ffmpeg

from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.time_stamps import Clock, DecodingOrder
from videopose.pipeline.video.writer import ffmpeg_executable


def times_of(path: Path, fps: float | None = None) -> list[float]:
    with open_video(path, fps=fps) as video:
        for _ in video.frames():
            pass
        return video.times


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libx264 with pyramid"])
@pytest.mark.parametrize("remuxed", [None, ".mp4", ".mkv", ".mov"])
def test_stamps_in_decoding_order(codec: str, remuxed: str | None, tmp_path: Path) -> None:
    options = (
        {"bf": "3", "b-pyramid": "normal" if "pyramid" in codec else "none"}
        if "264" in codec
        else {"bf": "2"}
    )
    path = encode(tmp_path / "b.avi", codec.split()[0], options, count=40)
    if remuxed:
        with av.open(str(path)) as given, av.open(str(tmp_path / f"b{remuxed}"), "w") as container:
            stream = container.add_stream_from_template(given.streams.video[0])
            for packet in given.demux(video=0):
                if packet.size:
                    packet.pts = packet.dts
                    packet.stream = stream
                    container.mux(packet)
        path = tmp_path / f"b{remuxed}"
    times = times_of(path)
    assert len(times) == 40
    assert np.diff(times) == pytest.approx(1 / 25, abs=2e-3)


def shown(order: DecodingOrder, *stamps: int, reorders: bool = True) -> list[int | None]:
    return [order.shown(stamp, reorders=reorders) for stamp in stamps]


def test_pictures_take_the_earliest_stamp() -> None:
    order = DecodingOrder()
    for stamp in range(4):
        order.sent(stamp)
    assert shown(order, 0, 3, 1, 2) == [0, 1, 2, 3]


def test_presentation_stamps_are_kept() -> None:
    order = DecodingOrder()
    for stamp in (0, 3, 1, 2):
        order.sent(stamp)
    assert shown(order, 0, 2, 3) == [0, 2, 3]  # 1 gave no picture
    plain = DecodingOrder()
    for stamp in range(3):
        plain.sent(stamp)
    assert shown(plain, 0, 2, reorders=False) == [0, 2]


def test_avi_counts_decoding_times() -> None:
    order = DecodingOrder(by_decoding=True)
    for stamp, decoding in ((1, 0), (2, 1), (100, 2), (101, 100), (102, 101)):  # a pause before the fourth
        order.sent(stamp, decoding)
    assert shown(order, 1, 100, 2, 101, 102) == [1, 2, 3, 101, 102]


def test_lost_packets_do_not_shift_the_others_for_long() -> None:
    order = DecodingOrder()
    found = []
    for stamp in range(100):
        order.sent(stamp)
        if stamp not in (5, 6):
            found += shown(order, stamp)
    assert found[:5] == list(range(5))
    assert found[30:] == list(range(32, 100))


@pytest.mark.parametrize("stamp", [0.0, 0.2])
def test_stamps_that_are_stuck(stamp: float) -> None:
    clock = Clock(0.04)
    times = [clock.tick(0.0), *(clock.tick(stamp) for _ in range(50))]
    assert np.diff(times).min() > 0
    assert times[-1] == pytest.approx(stamp + 48 * 0.04, abs=0.15)


@pytest.mark.parametrize(("name", "rate"), [("a.h264", 30), ("a.h264", 60), ("a.m2v", 24), ("a.hevc", 50)])
def test_raw_streams_run_at_the_rate_of_their_pictures(name: str, rate: int, tmp_path: Path) -> None:
    codec = {"a.h264": "libx264", "a.m2v": "mpeg2video", "a.hevc": "libx265"}[name]
    quiet = ["-x265-params", "log-level=none"] if codec == "libx265" else []
    path = tmp_path / name
    form = ["-f", "mpeg2video"] if name == "a.m2v" else []
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=d=1:s=160x96:r={rate}", "-c:v", codec, *quiet, *form, path)
    with open_video(path) as video:
        assert video.rate == rate
    assert np.diff(times_of(path)) == pytest.approx(1 / rate)


@pytest.mark.parametrize(
    ("size", "rate", "pixels"), [("720x480", "30000/1001", "yuv411p"), ("720x576", "25", "yuv420p")]
)
@pytest.mark.parametrize("suffix", [".dv", ".avi", ".mkv"])
def test_dv(size: str, rate: str, pixels: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=d=0.4:s={size}:r={rate}", "-c:v", "dvvideo", "-pix_fmt", pixels, path
    )
    with open_video(path) as video:
        assert video.rate == pytest.approx(float(Fraction(rate)), rel=1e-3)
        assert video.frame_count is None or video.frame_count < 15
    assert np.diff(times_of(path)) == pytest.approx(float(1 / Fraction(rate)), abs=2e-3)


def test_fps_replaces_the_stamps(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", "libx264", {}, count=10)
    assert times_of(path, fps=50) == pytest.approx([n / 50 for n in range(10)])
    with open_video(path, fps=50) as video:
        assert video.rate == 50
        assert [frame.index for frame in video.frames(start=0.1)] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    "text", ["xx:yy:zz.pqrs00000", "00-00-00.000000000", "00:00:01,000", "1e9:0:0", "nan:00:00", ""]
)
def test_durations_are_free_text(text: str, tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", "libx264", {}, count=10)
    content = path.read_bytes()
    place = content.index(b"00:00:00.4")
    size = len("00:00:00.400000000")
    path.write_bytes(content[:place] + text.encode().ljust(size, b"\0")[:size] + content[place + size :])
    with open_video(path) as video:
        assert len(list(video.frames())) == 10
        if text != "00:00:01,000":
            assert video.damaged is None


@pytest.mark.parametrize(
    "title", ["Aufnahme für Größe".encode("latin-1"), "步行".encode("gbk"), b"\xff\xfe\x00"]
)
@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_tags_are_free_text(title: bytes, suffix: str, tmp_path: Path) -> None:
    plain = tmp_path / f"plain{suffix}"
    mark = "Q" * len(title)
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=d=0.2:s=160x96:r=25",
        "-metadata",
        f"title={mark}",
        "-c:v",
        "mpeg4",
        plain,
    )
    content = plain.read_bytes()
    assert mark.encode() in content
    path = tmp_path / f"tagged{suffix}"
    path.write_bytes(content.replace(mark.encode(), title))
    with open_video(path) as video:
        assert len(list(video.frames())) == 5
        assert video.damaged is None


@pytest.mark.parametrize(
    ("aspect", "width"), [("10/99", 160), ("99/10", 160), ("4/3", 213), ("2/1", 320), ("1/2", 80)]
)
def test_aspect_ratios_that_are_not_credible_are_passed_over(aspect: str, width: int, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=d=0.2:s=160x96:r=25",
        "-vf",
        f"setsar={aspect}",
        "-c:v",
        "libx264",
        path,
    )
    with open_video(path) as video:
        assert video.size == (width, 96)


@pytest.mark.parametrize("last", [0.2, 3.0, 30.0])
def test_a_last_picture_that_is_shown_for_long(last: float, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    base = Fraction(1, 1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.time_base = base
        packets = []
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 20 * number, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = 40 * number, base
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for number, packet in enumerate(packets):
            packet.duration = 40 if number < 9 else round(1000 * last)
            container.mux(packet)
    with open_video(path) as video:
        assert len(list(video.frames())) == 10
        assert video.duration is not None
        assert video.duration > 0.3 + 0.9 * last
        assert video.damaged is None


def test_an_avi_whose_last_picture_stays(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=d=1:s=160x96:r=25", "-c:v", "mpeg4", tmp_path / "a.mp4")
    slow = ["-bsf:v", "setts=duration=if(eq(N\\,24)\\,75000\\,DURATION)"]
    ffmpeg("-i", tmp_path / "a.mp4", "-c", "copy", *slow, tmp_path / "a.avi")
    with open_video(tmp_path / "a.avi") as video:
        assert len(list(video.frames())) == 25
        assert video.damaged is None
    content = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 3])
    with open_video(tmp_path / "cut.avi") as video:
        assert len(list(video.frames())) < 25
        assert video.damaged is not None


@pytest.mark.parametrize("pause", [1.0, 20.0])
def test_a_pause_in_an_avi_with_b_frames(pause: float, tmp_path: Path) -> None:
    shift = f"setpts=PTS+gt(N\\,9)*{pause}/TB"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=d=1:s=160x96:r=25", "-vf", shift, "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-bf", "3", tmp_path / "a.avi"),
    )
    steps = np.diff(times_of(tmp_path / "a.avi"))
    assert len(steps) == 24
    assert steps.max() == pytest.approx(pause + 0.04, abs=0.05)
    assert np.delete(steps, steps.argmax()) == pytest.approx(0.04, abs=0.01)


def test_a_gif_whose_last_picture_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=d=1:s=96x64:r=10", "-final_delay", "500", path)
    with open_video(path) as video:
        assert len(list(video.frames())) == 10
        assert video.damaged is None
    assert ffmpeg_executable()
