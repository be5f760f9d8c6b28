"""Real H.264 files, with the tags that phones write put into them byte by byte."""

import io
import math
import os
import random
import struct
from pathlib import Path

import av
import numpy as np
import pytest

from videopose.pipeline.camera_metadata import mp4
from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.camera_metadata.gopro import field_of_view
from videopose.pipeline.camera_metadata.known_camera import first_possible
from videopose.pipeline.camera_metadata.mp4 import Mp4
from videopose.pipeline.camera_metadata.quicktime import focal_lengths
from videopose.pipeline.video.reader import open_video

KEY = "com.apple.quicktime.camera.focal_length.35mm_equivalent"


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def metadata(values: dict[str, tuple[int, bytes]], *, iso: bool = False) -> bytes:
    """A `meta` box with the values of these keys: type and bytes."""
    keys = b"".join(box(b"mdta", name.encode()) for name in values)
    items = [
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", kind, 0), value))
        for number, (kind, value) in enumerate(values.values(), 1)
    ]
    handler = box(b"hdlr", bytes(8), b"mdta", bytes(14))
    inside = (handler, box(b"keys", struct.pack(">II", 0, len(values)), keys), box(b"ilst", *items))
    return box(b"meta", bytes(4) if iso else b"", *inside)


def insert(source: Path, target: Path, into: tuple[bytes, ...], added: bytes) -> Path:
    """Append a box to the last one at a path below `moov`, which ends the file; sizes above it grow along."""
    data = bytearray(source.read_bytes())
    with source.open("rb") as file:
        boxes = Mp4(file)
        way = [boxes.movie]
        for kind in into:
            way.append(list(boxes.find(kind, within=way[-1]))[-1])
    assert way[0].end == len(data)
    data[way[-1].end : way[-1].end] = added
    for grown in way:
        at = grown.start - 8
        data[at : at + 4] = struct.pack(">I", struct.unpack(">I", data[at : at + 4])[0] + len(added))
    target.write_bytes(data)
    return target


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of 320 × 180 pixels, and a sound track before them; nothing tells of a lens."""
    path = tmp_path_factory.mktemp("plain") / "plain.mov"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=48000)
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for n in range(8):
            image = np.full((180, 320, 3), 30 * n, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            tone = av.AudioFrame.from_ndarray(np.zeros((2, 1920), np.float32), format="fltp", layout="stereo")
            tone.sample_rate, tone.pts = 48000, 1920 * n
            container.mux(sound.encode(tone))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


def told(path: Path) -> tuple[float, str]:
    """The focal length in pixels, from the file as it decodes, and its source."""
    with open_video(path) as video:
        assert len(list(video.frames())) == 8
        lens, source = find_camera(path, FocalLength(), video.size)
    assert lens.linear
    assert (lens.intrinsics.cx, lens.intrinsics.cy) == (video.size[0] / 2, video.size[1] / 2)
    assert lens.intrinsics.fx == lens.intrinsics.fy
    return lens.intrinsics.fx, source


def pixels(millimetres: float) -> float:
    return pytest.approx(millimetres / math.hypot(36, 24) * math.hypot(320, 180), rel=1e-6)


ASSUMED = (pytest.approx(160 * math.sqrt(3)), "assumed: 60° across the longer side")


@pytest.mark.parametrize(
    ("kind", "value", "millimetres"),
    [
        (1, b"26", 26),
        (1, b"50.00mm", 50),
        (1, b" 13.5 mm\0", 13.5),
        (2, "77".encode("utf-16-be"), 77),
        (21, b"\x1a", 26),
        (21, struct.pack(">h", 120), 120),
        (22, struct.pack(">I", 27), 27),
        (67, struct.pack(">i", 24), 24),
        (74, struct.pack(">q", 24), 24),
        (76, struct.pack(">H", 300), 300),
        (23, struct.pack(">f", 26.3), 26.3),
        (24, struct.pack(">d", 28.25), 28.25),
    ],
)
@pytest.mark.parametrize("iso", [False, True])
def test_the_video_track_tells(
    plain: Path, tmp_path: Path, kind: int, value: bytes, millimetres: float, iso: bool
) -> None:
    meta = metadata(
        {"com.apple.quicktime.camera.lens_model": (1, b"back camera 4.25mm"), KEY: (kind, value)}, iso=iso
    )
    focal, source = told(insert(plain, tmp_path / "tagged.mov", (b"trak",), meta))
    assert focal == pixels(millimetres)
    assert source == f"QuickTime metadata: {millimetres:g} mm (35 mm equivalent)".replace("26.3", f"{26.3:g}")


def test_the_track_counts_before_the_movie(plain: Path, tmp_path: Path) -> None:
    movie = insert(plain, tmp_path / "movie.mov", (), metadata({KEY: (1, b"26")}))
    assert told(movie)[0] == pixels(26)
    assert told(insert(movie, tmp_path / "both.mov", (b"trak",), metadata({KEY: (1, b"52")})))[0] == pixels(
        52
    )


def test_user_data_of_the_movie(plain: Path, tmp_path: Path) -> None:
    added = box(b"udta", metadata({KEY: (67, struct.pack(">i", 35))}), bytes(4))
    assert told(insert(plain, tmp_path / "tagged.mp4", (), added))[0] == pixels(35)


def test_what_ffmpeg_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "converted.mp4"
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags+faststart"}) as container:
        container.metadata.update({"com.android.version": "14", KEY: "26"})
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for n in range(8):
            image = np.full((180, 320, 3), 30 * n, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
    assert told(path) == (pixels(26), "QuickTime metadata: 26 mm (35 mm equivalent)")


def test_a_turned_video_has_the_same_focal_length(plain: Path, tmp_path: Path) -> None:
    path = insert(plain, tmp_path / "tagged.mov", (b"trak",), metadata({KEY: (1, b"26")}))
    lens, _ = find_camera(path, FocalLength(), (180, 320))
    assert lens.intrinsics.fx == pixels(26)
    assert (lens.intrinsics.cx, lens.intrinsics.cy) == (90, 160)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (1, b"0"),
        (1, b"-26"),
        (1, b"nan"),
        (1, b"back camera"),
        (1, b""),
        (1, b"9" * 5000),
        (21, b"\0"),
        (21, b"\xff"),
        (22, b"\xff" * 8),
        (22, b"\x01" * 9),
        (23, struct.pack(">f", math.nan)),
        (23, struct.pack(">f", math.inf)),
        (23, b"\0\0"),
        (24, struct.pack(">d", 1e300)),
        (13, b"\xff\xd8\xff"),
        (0, b"26"),
    ],
)
def test_values_that_no_lens_has_are_passed_over(
    plain: Path, tmp_path: Path, kind: int, value: bytes
) -> None:
    assert told(insert(plain, tmp_path / "odd.mov", (b"trak",), metadata({KEY: (kind, value)}))) == ASSUMED


@pytest.mark.parametrize("track", [box(b"trak", metadata({KEY: (1, b"26")})), box(b"meta", bytes(2)), b""])
def test_files_that_do_not_tell(plain: Path, tmp_path: Path, track: bytes) -> None:
    assert told(insert(plain, tmp_path / "silent.mov", (), track)) == ASSUMED


def test_a_sound_track_does_not_count(plain: Path, tmp_path: Path) -> None:
    sound = box(
        b"trak", metadata({KEY: (1, b"26")}), box(b"mdia", box(b"hdlr", bytes(8), b"soun", bytes(13)))
    )
    with insert(plain, tmp_path / "sound.mov", (), sound).open("rb") as file:
        assert list(focal_lengths(Mp4(file))) == []


def test_other_name_spaces_do_not_count(plain: Path, tmp_path: Path) -> None:
    meta = metadata({KEY: (1, b"26")}).replace(b"mdtacom.", b"udtacom.")
    assert told(insert(plain, tmp_path / "other.mov", (b"trak",), meta)) == ASSUMED


def test_absent_files_and_files_that_are_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mov").write_text("not a movie at all, but long enough for a header or two")
    (tmp_path / "empty.mov").touch()
    for name in ("absent.mov", "text.mov", "empty.mov", "folder-that-is-not-there/clip.mov"):
        lens, source = find_camera(tmp_path / name, FocalLength(), (320, 180))
        assert (lens.intrinsics.fx, source) == ASSUMED


@pytest.mark.parametrize(
    ("size", "content"),
    [
        (0, b""),  # "to the end of the file", inside another box
        (4, b""),  # shorter than its own header
        (1, struct.pack(">Q", 2**63)),
        (1, struct.pack(">Q", 3)),
        (0xFFFFFFFF, b""),
    ],
)
def test_sizes_are_not_believed(plain: Path, tmp_path: Path, size: int, content: bytes) -> None:
    before = struct.pack(">I4s", size, b"junk") + content
    after = metadata({KEY: (1, b"26")})
    path = insert(plain, tmp_path / "odd.mov", (b"trak",), before + after)
    with path.open("rb") as file:
        assert list(focal_lengths(Mp4(file))) == []


def test_a_64_bit_size_and_a_size_to_the_end_of_the_file(plain: Path, tmp_path: Path) -> None:
    data = plain.read_bytes()
    movie = data.index(b"moov") - 4
    content = data[movie + 8 :] + metadata({KEY: (1, b"26")})
    for header in (struct.pack(">I4sQ", 1, b"moov", 16 + len(content)), struct.pack(">I4s", 0, b"moov")):
        assert list(focal_lengths(Mp4(io.BytesIO(data[:movie] + header + content)))) == ["26"]


def test_a_file_of_very_many_or_very_deep_boxes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4, "MOST_BOXES", 500)
    many = Mp4(io.BytesIO(box(b"moov", *[box(b"trak", box(b"mdia", box(b"hdlr", bytes(30))))] * 3000)))
    assert list(focal_lengths(many)) == []
    assert list(many.children(many.movie)) == []
    deep = b""
    for kind in (b"meta", b"udta", b"trak", b"moov") * 2000:
        deep = box(kind, deep)
    assert list(focal_lengths(Mp4(io.BytesIO(deep)))) == []


def test_a_box_that_is_too_large_to_be_read() -> None:
    names = metadata({"x" * (mp4.MOST_BYTES + 1): (1, b"26"), KEY: (1, b"26")})
    assert list(focal_lengths(Mp4(io.BytesIO(box(b"moov", names))))) == []


def test_no_damage_does_more_than_hide_the_value(plain: Path, tmp_path: Path) -> None:
    """Every truncation of the tags, and 3000 files with a few bytes changed."""
    gopro = b"ZFOVf\x04\x00\x01" + struct.pack(">f", 90) + b"VFOVc\x01\x00\x01L\0\0\0"
    device = b"DEVC\0\x01" + struct.pack(">H", len(gopro)) + gopro
    first = insert(plain, tmp_path / "first.mov", (b"trak",), metadata({KEY: (23, struct.pack(">f", 26))}))
    path = insert(first, tmp_path / "second.mov", (), box(b"udta", box(b"GPMF", device)))
    data = path.read_bytes()
    start = data.index(b"moov") - 4
    chance = random.Random(0)
    found = []
    for number in range(3000 + len(data) - start):
        if number < 3000:
            changed = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                changed[chance.randrange(start, len(data))] = chance.choice(
                    (0, 1, 8, 255, chance.randrange(256))
                )
        else:
            changed = data[: start + number - 3000]
        file = Mp4(io.BytesIO(changed))
        found.append(first_possible(focal_lengths(file)))
        if (view := field_of_view(file)) is not None:
            lens, _ = view.camera((320, 180))
            assert lens.parameters.isfinite().all()
    assert found.count(26) > 1000
    assert found.count(None) > 100


def test_a_folder_or_a_file_that_may_not_be_read(plain: Path, tmp_path: Path) -> None:
    assert find_camera(tmp_path, FocalLength(), (320, 180))[1] == ASSUMED[1]
    closed = tmp_path / "closed.mov"
    closed.write_bytes(plain.read_bytes())
    closed.chmod(0)
    if os.geteuid() != 0:
        assert find_camera(closed, FocalLength(), (320, 180))[1] == ASSUMED[1]
