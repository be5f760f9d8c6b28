import gc
import itertools
import os
import socket
import subprocess
import weakref
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from PIL import Image as Pictures

from videopose.errors import InputError, UsageError
from videopose.pipeline.downloads import assets
from videopose.pipeline.video.orientation import Orientation
from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.time_stamps import Clock
from videopose.pipeline.video.writer import ffmpeg_executable

Image = NDArray[np.uint8]
COLOUR = (200, 30, 60)


@pytest.fixture(scope="module")
def demo(demo_clip: Path) -> Path:
    return demo_clip


def picture(width: int, height: int, step: int = 0) -> Image:
    """Four quarters of different colours, so that every turn and mirroring shows."""
    image = np.empty((height, width, 3), np.uint8)
    w, h = width // 2, height // 2
    image[:h, :w], image[:h, w:] = (200, 30, 60), (30, 200, 60)
    image[h:, :w], image[h:, w:] = (40, 60, 200), (10 * step, 128, 128)
    return image


def write(
    path: Path,
    images: Sequence[Image],
    *,
    stamps: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 1000),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    setup: Any = lambda stream: None,
    bits: Any = None,
) -> Path:
    """A video of `images`, by default 40 ms apart."""
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = time_base
        setup(stream)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels, **(bits or {}))
            frame.pts = stamps[number] if stamps else 40 * number
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path, **span: float) -> tuple[list[int], list[float], list[Image]]:
    with open_video(path) as video:
        frames = list(video.frames(**span))
    return [f.index for f in frames], [f.time for f in frames], [f.image for f in frames]


def ffmpeg(*arguments: str | Path) -> bytes:
    command = [ffmpeg_executable(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def test_the_demo_clip_as_another_reader_sees_it(demo: Path) -> None:
    with open_video(demo) as video:
        assert (video.path, video.size, video.rate) == (demo, (1768, 994), 30.0)
        assert (video.frame_count, video.rotation, video.mirrored) == (230, 0, False)
        assert video.duration == pytest.approx(230 / 30, abs=1e-3)
        frames = list(itertools.islice(video.frames(), 10))
    capture = cv2.VideoCapture(str(demo))
    for number, frame in enumerate(frames):
        seen, other = capture.read()
        assert seen
        assert frame.index == number
        assert frame.time == pytest.approx(number / 30, abs=1e-6)
        assert frame.image.shape == (994, 1768, 3)
        assert frame.image.dtype == np.uint8
        difference = frame.image.astype(int) - other[:, :, ::-1]
        assert np.abs(difference).mean() < 6  # OpenCV takes BT.709 for BT.601
        assert np.corrcoef(frame.image[::8, ::8].ravel(), other[::8, ::8, ::-1].ravel())[0, 1] > 0.995


def test_real_time_stamps_of_uneven_frames(tmp_path: Path) -> None:
    stamps = [0, 40, 120, 130, 500, 533]
    images = [picture(64, 48, n) for n in range(6)]
    for name in ("uneven.mp4", "uneven.mkv"):
        indices, times, _ = read(write(tmp_path / name, images, stamps=stamps))
        assert indices == list(range(6))
        assert times == pytest.approx([s / 1000 for s in stamps], abs=1e-3)


def test_time_counts_from_the_first_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "late.mkv", [picture(64, 48)] * 3, stamps=[5000, 5040, 5080])
    assert read(path)[1] == pytest.approx([0, 0.04, 0.08])


def test_a_span_keeps_index_and_time_true(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [picture(64, 48, n) for n in range(20)])
    with open_video(path) as video:
        frames = list(video.frames(start=0.2, end=0.4))
        assert [f.index for f in frames] == [5, 6, 7, 8, 9]
        assert [f.time for f in frames] == pytest.approx([0.2, 0.24, 0.28, 0.32, 0.36])
        assert video.times == pytest.approx([0.04 * n for n in range(10)])
        again = list(video.frames(start=0.2))
        assert len(again) == 15
        assert len(video.times) == 20
        np.testing.assert_array_equal(again[0].image, frames[0].image)


@pytest.mark.parametrize(("start", "end"), [(-1.0, None), (2.0, 1.0), (1.0, 1.0), (float("nan"), None)])
def test_a_span_that_cannot_be(tmp_path: Path, start: float, end: float | None) -> None:
    path = write(tmp_path / "a.mp4", [picture(64, 48)])
    with open_video(path) as video, pytest.raises(UsageError):
        video.frames(start=start, end=end)


def test_a_span_after_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [picture(64, 48)] * 5)
    with (
        open_video(path) as video,
        pytest.raises(UsageError, match=r"no frame from 9 s on: it ends at 0.16 s"),
    ):
        list(video.frames(start=9))


@pytest.mark.slow
def test_frames_are_not_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [picture(64, 48, n) for n in range(10)])
    alive = []
    with open_video(path) as video:
        for frame in video.frames():
            alive.append(weakref.ref(frame.image))
            del frame
            gc.collect()
            assert sum(reference() is not None for reference in alive) <= 1
    assert len(alive) == 10


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_upright_as_ffmpeg_turns_it(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    def turn(stream: Any) -> None:
        stream.set_display_rotation(degrees, hflip=mirrored)

    path = write(tmp_path / "turned.mp4", [picture(64, 48, n) for n in range(3)], setup=turn)
    with open_video(path) as video:
        size = (48, 64) if degrees in (90, 270) else (64, 48)
        assert (video.size, video.mirrored) == (size, mirrored)
        images = [frame.image for frame in video.frames()]
    raw = ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-sws_flags", "bilinear", "-")
    expected = np.frombuffer(raw, np.uint8).reshape(3, size[1], size[0], 3)
    np.testing.assert_array_equal(np.stack(images), expected)
    assert all(image.flags.c_contiguous for image in images)


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
def test_rotation_and_mirroring_say_what_is_done(transpose: bool, flip_x: bool, flip_y: bool) -> None:
    image = picture(6, 4)
    orientation = Orientation(transpose, flip_x, flip_y)
    expected = image[:, ::-1] if orientation.mirrored else image
    expected = np.rot90(expected, -orientation.rotation // 90)  # rot90 turns the other way
    np.testing.assert_array_equal(orientation.apply(image), expected)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("stated", [0, 90])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_user_s_turn_comes_after_the_file_s(
    tmp_path: Path, rotate: int, stated: int, mirrored: bool
) -> None:
    def turn(stream: Any) -> None:
        stream.set_display_rotation(stated, hflip=mirrored)

    path = write(tmp_path / "turned.mp4", [picture(64, 48)], setup=turn)
    with open_video(path) as video:
        upright = next(iter(video.frames())).image
    with open_video(path, rotate=rotate) as video:
        image = next(iter(video.frames())).image
        assert video.size == image.shape[1::-1]
        assert video.mirrored == mirrored
    np.testing.assert_array_equal(image, np.rot90(upright, -rotate // 90))  # rot90 turns the other way
    assert image.flags.c_contiguous


def test_a_turn_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "video.mp4", [picture(64, 48)])
    with (
        pytest.raises(UsageError, match="--rotate takes 0, 90, 180 or 270, found 45"),
        open_video(path, rotate=45),
    ):
        pass


def test_odd_size(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.mkv", [picture(97, 53)] * 2, codec="ffv1", pixels="bgr0")
    with open_video(path) as video:
        assert video.size == (97, 53)
        for frame in video.frames():
            np.testing.assert_array_equal(frame.image, picture(97, 53))


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    def anamorphic(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    path = write(tmp_path / "dv.mp4", [picture(720, 576)], setup=anamorphic)
    with open_video(path) as video:
        assert video.size == (960, 576)
        image = next(iter(video.frames())).image
    assert image.shape == (576, 960, 3)
    assert np.abs(image[100, 470].astype(int) - COLOUR).max() < 8  # left of the middle
    assert np.abs(image[100, 490].astype(int) - (30, 200, 60)).max() < 8  # right of it


@pytest.mark.parametrize(
    ("codec", "pixels", "colourspace"),
    [
        ("libx264", "yuv420p", "ITU709"),
        ("libx264", "yuv420p", "ITU601"),
        ("libx264", "yuvj420p", "ITU709"),
        ("libx264", "yuv444p", "ITU709"),
        ("libx264", "yuv420p10le", "ITU709"),
        ("libx265", "yuv420p10le", "BT2020"),
        ("ffv1", "bgra", None),
    ],
)
def test_colours_of_many_formats(tmp_path: Path, codec: str, pixels: str, colourspace: str | None) -> None:
    full = pixels.startswith("yuvj")

    def tag(stream: Any) -> None:
        if colourspace:
            stream.codec_context.colorspace = {"ITU709": 1, "ITU601": 5, "BT2020": 9}[colourspace]
            stream.codec_context.color_range = 2 if full else 1
        if codec == "libx265":
            # Clips shorter than x265's run of B-frames get decode times out of unset memory.
            stream.codec_context.options = {"x265-params": "log-level=none:bframes=0"}

    bits = {"dst_colorspace": colourspace, "dst_color_range": "JPEG" if full else "MPEG"}
    if colourspace is None:
        bits = {}
    path = write(
        tmp_path / "colour.mkv", [picture(64, 48)] * 2, codec=codec, pixels=pixels, setup=tag, bits=bits
    )
    image = read(path)[2][0]
    assert image.dtype == np.uint8
    assert np.abs(image[10, 10].astype(int) - COLOUR).max() <= 6


def test_grey(tmp_path: Path) -> None:
    path = write(tmp_path / "grey.mkv", [picture(64, 48)], codec="ffv1", pixels="gray")
    image = read(path)[2][0]
    assert image.shape == (48, 64, 3)
    assert np.ptp(image.astype(int), axis=2).max() <= 1


def test_hdr_white_is_bright_and_order_is_kept(tmp_path: Path) -> None:
    def hdr(stream: Any) -> None:
        stream.codec_context.color_trc = 16
        stream.codec_context.colorspace = 9
        stream.codec_context.color_range = 1

    ramp = np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], 48, 0).repeat(3, 2)
    bits = {"dst_colorspace": "BT2020", "dst_color_range": "MPEG"}
    path = write(tmp_path / "hdr.mkv", [ramp], codec="ffv1", pixels="yuv444p10le", setup=hdr, bits=bits)
    row = read(path)[2][0][24, :, 1].astype(int)
    assert row[0] == 0
    assert (np.diff(row) >= 0).all()
    assert row[round(0.58 * 63)] > 220  # the code of 203 cd/m², HDR's reference white
    assert row[-1] > 250


def test_an_animated_gif(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:s=97x53:r=10", path)
    with open_video(path) as video:
        frames = list(video.frames())
        assert video.size == (97, 53)
    assert len(frames) == 10
    assert [f.time for f in frames] == pytest.approx([0.1 * n for n in range(10)])


def test_sound_and_cover_pictures_are_passed_over(tmp_path: Path) -> None:
    cover, path = tmp_path / "cover.png", tmp_path / "film.mkv"
    cv2.imwrite(str(cover), picture(32, 32))
    video = write(tmp_path / "picture.mp4", [picture(64, 48, n) for n in range(5)])
    inputs: list[str | Path] = ["-f", "lavfi", "-i", "sine=d=1", "-i", video, "-attach", cover]
    kind = ["-metadata:s:t", "mimetype=image/png", "-c:v", "copy", "-map", "0:a", "-map", "1:v"]
    ffmpeg(*inputs, *kind, path)
    with av.open(str(path)) as container:  # the file is as meant: sound, video, picture
        assert container.streams[0].type == "audio"
        assert len(container.streams.video) == 2
    with open_video(path) as reader:
        assert reader.size == (64, 48)
        assert len(list(reader.frames())) == 5
        assert reader.damaged is None  # the sound goes on after the picture


def test_frames_without_time_stamps(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h264", [picture(64, 48, n) for n in range(6)])
    with open_video(path) as video:
        frames = list(video.frames())
        assert len(frames) == 6
        assert [f.time for f in frames] == pytest.approx([n / video.rate for n in range(6)])


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([None, None, None], [0, 0.04, 0.08]),
        ([1.0, 1.04, None, 1.12], [0, 0.04, 0.08, 0.12]),
        ([0, 0.04, 0.04, 0.08], [0, 0.04, 0.044, 0.08]),
        ([0, 0.08, 0.04, 0.12], [0, 0.08, 0.084, 0.12]),
        ([0, 10.0, 10.04, 0.0, 0.04], [0, 10.0, 10.04, 10.08, 10.12]),
        ([0, 3600.0], [0, 3600.0]),
    ],
)
def test_clock(stamps: list[float | None], times: list[float]) -> None:
    clock = Clock(0.04)
    assert [clock.tick(stamp) for stamp in stamps] == pytest.approx(times)


def test_a_file_that_breaks_off_gives_the_frames_before(
    demo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(demo.read_bytes()[:600_000])
    with open_video(cut) as video:
        count = sum(1 for _ in video.frames())
        assert 5 < count < 100
        assert len(video.times) == count
        assert video.damaged is not None
        assert "breaks off at" in str(video.damaged)
        assert "7.67 s" in str(video.damaged)
    assert capfd.readouterr() == ("", "")


def test_a_matroska_file_that_breaks_off(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), np.uint8)
    whole = write(tmp_path / "whole.mkv", list(noise))
    with open_video(whole) as video:
        assert len(list(video.frames())) == 30
        assert video.damaged is None
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with open_video(cut) as video:
        assert 5 < len(list(video.frames())) < 25
        assert video.damaged is not None


def test_decoding_goes_on_after_a_damaged_stretch(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 48, 64, 3), np.uint8)
    path = write(tmp_path / "hole.mp4", list(noise), setup=lambda s: setattr(s, "gop_size", 10))
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size and p.pos is not None]
    with path.open("r+b") as file:
        for position, size in packets[20:30]:
            file.seek(position)
            file.write(b"\xff" * size)
    with open_video(path) as video:
        times = [frame.time for frame in video.frames()]
        assert video.damaged is not None
        assert "could not be decoded" in str(video.damaged)
    assert times[-1] == pytest.approx(59 * 0.04, abs=0.09)
    assert 40 <= len(times) < 60
    assert capfd.readouterr() == ("", "")


def audio_only(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", path)


def audio_with_cover(path: Path) -> None:
    cover = path.with_name("cover.png")
    cv2.imwrite(str(cover), picture(32, 32))
    tags = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic"]
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", "-i", cover, *tags, "-f", "mp4", path)


def text(path: Path) -> None:
    path.write_text("This is no video.\n" * 500)


def without_frames(path: Path) -> None:
    """A true header of 230 frames, and then nothing."""
    content = assets.fetch("demo.mp4").read_bytes()
    path.write_bytes(content[: content.index(b"mdat") + 4])


def without_header(path: Path) -> None:
    """The index of an ordinary mp4 comes last; cut off, nothing can be read."""
    write(path, [picture(64, 48)] * 5)
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (audio_only, "it holds only sound"),
        (audio_with_cover, "it holds only sound"),
        (text, "not a video"),
        pytest.param(without_frames, "no frame of its video can be decoded", marks=pytest.mark.network),
        (without_header, "not a video, or too damaged to open"),
        (Path.touch, "not a video"),
        (Path.mkdir, "it is a folder"),
        (lambda path: None, "there is no such file"),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, make: Any, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "input.mp4"
    make(path)
    with pytest.raises(InputError) as caught, open_video(path):
        pass
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_name_is_never_taken_for_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.mp4", [picture(64, 48)]).rename("data:a, b%03d.mp4")
    with open_video("data:a, b%03d.mp4") as video:
        assert video.size == (64, 48)
    with pytest.raises(InputError), open_video("concat:data:a, b%03d.mp4"):
        pass


def test_a_playlist_cannot_reach_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        path = tmp_path / "list.m3u8"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(InputError), open_video(os.fspath(path)):
            pass
        with pytest.raises(BlockingIOError):  # nobody called
            server.accept()


@pytest.mark.parametrize(("tag", "top_left"), [(1, "red"), (3, "white"), (6, "blue"), (8, "green")])
def test_a_still_picture_is_turned_by_its_exif(tmp_path: Path, tag: int, top_left: str) -> None:
    colours = {"red": (220, 0, 0), "green": (0, 180, 0), "blue": (0, 0, 220), "white": (255, 255, 255)}
    pixels = np.zeros((64, 96, 3), np.uint8)
    for (row, column), name in zip(((0, 0), (0, 1), (1, 0), (1, 1)), colours, strict=True):
        pixels[32 * row : 32 * row + 32, 48 * column : 48 * column + 48] = colours[name]
    exif = PIL.Image.Exif()
    exif[0x0112] = tag
    exif[0x010F] = "a maker"
    PIL.Image.fromarray(pixels).save(tmp_path / "still.jpg", exif=exif, quality=95)
    with open_video(tmp_path / "still.jpg") as video:
        (frame,) = video.frames()
    assert frame.image.shape == ((96, 64, 3) if tag in (6, 8) else (64, 96, 3))
    np.testing.assert_allclose(frame.image[12, 12], colours[top_left], atol=12)


def test_of_an_avif_sequence_the_moving_stream_is_read(tmp_path: Path) -> None:
    shades = [Pictures.new("RGB", (64, 64), (60 * number, 0, 0)) for number in range(4)]
    shades[0].save(tmp_path / "a.avif", save_all=True, append_images=shades[1:], duration=100)
    with open_video(tmp_path / "a.avif") as video:
        assert len(list(video.frames())) == 4
