"""Headers of a few bytes that declare huge pictures: they are refused before memory is allocated."""

import io
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from odd_videos import ffmpeg
from PIL import Image

from videopose.errors import InputError
from videopose.pipeline.video.picture_size import MOST_PIXELS, objection_to_size
from videopose.pipeline.video.reader import open_video


def _png(width: int, height: int) -> bytes:
    """A grey PNG of which the first rows are there."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = zlib.compress(bytes((1 + width) * min(height, 64)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 99, 200)).save(file, "jpeg")
    content = bytearray(file.getvalue())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _gif(path: Path, side: int) -> None:
    shades = [Image.new("P", (64, 64), shade) for shade in range(3)]
    shades[0].save(path, "gif", save_all=True, append_images=shades[1:])
    content = bytearray(path.read_bytes())
    content[6:10] = struct.pack("<HH", side, side)
    path.write_bytes(content)


def _film(path: Path, codec: str, pictures: list[bytes]) -> None:
    """A film of 64×64 pixels, by its container, of these pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = 64, 64
        stream.pix_fmt = "gray" if codec == "png" else "yuvj420p"
        for number, content in enumerate(pictures):
            packet = av.Packet(content)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 25), stream, True
            container.mux(packet)


def _vp8(path: Path, side: int) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.2", "-c:v", "libvpx", path)
    content = bytearray(path.read_bytes())
    frame = content.index(b"\x9d\x01\x2a")
    content[frame + 3 : frame + 7] = struct.pack("<HH", side, side)
    content[12:16] = struct.pack("<HH", side, side)
    path.write_bytes(content)


def _wide_pixels(path: Path, side: int) -> None:
    """Pixels that are made square by scaling the picture to 3 times its width."""
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"color=s={side}x{side}:d=0.04",
        "-vf",
        "setsar=3/1",
        "-preset",
        "ultrafast",
        path,
    )


WRITERS: dict[str, tuple[Callable[[Path, int], object], int]] = {
    "a.gif": (_gif, 12_000),
    "b.gif": (_gif, 40_000),
    "a.mov": (lambda path, side: _film(path, "png", [_png(side, side)] * 3), 12_000),
    "b.mov": (lambda path, side: _film(path, "png", [_png(side, side)] * 3), 60_000),
    "a.avi": (lambda path, side: _film(path, "mjpeg", [_jpeg(side, side)] * 3), 60_000),
    "a.ivf": (_vp8, 16_383),
    "a.png": (lambda path, side: path.write_bytes(_png(side, side)), 60_000),
    "a.jpg": (lambda path, side: path.write_bytes(_jpeg(side, side)), 20_000),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_video_that_declares_huge_pictures_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    write, side = WRITERS[name]
    write(tmp_path / name, side)
    with pytest.raises(InputError) as error, open_video(tmp_path / name):
        pass
    assert str(error.value) == (
        f"cannot read {tmp_path / name}: its pictures have {side}×{side} pixels; those of up to 134,217,728 "
        "pixels are read, so scale it down first"
    )


def test_a_sequence_names_the_first_picture(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(_png(12_000, 12_000))
    first = r"none of its 2 .* 0\.png: its pictures have 12000×12000"
    with pytest.raises(InputError, match=first), open_video(tmp_path):
        pass


def test_a_huge_picture_among_others_is_told(tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    _film(film, "mjpeg", [_jpeg(64, 64), _jpeg(60_000, 60_000), _jpeg(64, 64)])
    with open_video(film) as video:
        assert [frame.image.shape for frame in video.frames()] == [(64, 64, 3)] * 2
        assert video.damaged is not None
        assert str(video.damaged) == "1 of its 3 packets could not be decoded (just before frame 1)"


def test_pixels_that_are_made_square_count() -> None:
    assert objection_to_size(16_384, 8192) is None  # film for 360°
    assert objection_to_size(7680, 4320) is None
    assert objection_to_size(3 * 8192, 8192) is not None
    assert MOST_PIXELS == 16_384 * 8192


@pytest.mark.slow  # 2 s and 1 GB for one picture
def test_the_largest_film_for_360_degrees_is_read(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=16384x8192:d=0.04", "-preset", "ultrafast", film)
    with open_video(film) as video:
        assert [frame.image.shape for frame in video.frames()] == [(8192, 16384, 3)]
    _wide_pixels(tmp_path / "wide.mp4", 8192)
    with pytest.raises(InputError, match="24576×8192"), open_video(tmp_path / "wide.mp4"):
        pass
