"""Odd videos, sound and damaged, made by ffmpeg and PyAV: the corpus of `docs/odd-videos.md`.

Each case has a name, a kind and a function that writes its file into a folder. The films show a test picture.
Run as a program, this file writes the table of outcomes into that page.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from odd_videos import change_packets, ffmpeg

Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """One file of the corpus.

    Attributes:
        name: Its name, which is also that of its row in the table.
        kind: "sound", "damaged", or "refused": what has to be said of it.
        make: Writes the file into a folder and returns its path.
    """

    name: str
    kind: str
    make: Make


def film(*encoding: str, suffix: str, source: str = "testsrc2=d=1:s=160x96:r=30", filters: str = "") -> Make:
    """A film of one second that ffmpeg encodes."""

    def make(folder: Path) -> Path:
        path = folder / f"film{suffix}"
        chain = ["-vf", filters] if filters else []
        ffmpeg("-f", "lavfi", "-i", source, *chain, *encoding, path)
        return path

    return make


def remuxed(make: Make, suffix: str, *options: str, before: tuple[str, ...] = ()) -> Make:
    """A film that is copied to another container without encoding it again."""

    def remux(folder: Path) -> Path:
        source = make(folder)
        path = folder / f"remuxed{suffix}"
        ffmpeg(*before, "-i", source, "-c", "copy", *options, path)
        return path

    return remux


def changed(make: Make, change: Callable[[bytes], bytes], suffix: str | None = None) -> Make:
    """A film whose bytes are changed."""

    def apply(folder: Path) -> Path:
        source = make(folder)
        path = folder / f"changed{suffix or source.suffix}"
        path.write_bytes(change(source.read_bytes()))
        return path

    return apply


def with_packets(make: Make, change: Callable[[int, bytes], bytes | None]) -> Make:
    """A film whose packets are changed or left out."""

    def apply(folder: Path) -> Path:
        source = make(folder)
        return change_packets(source, folder / f"packets{source.suffix}", change)

    return apply


def stamped(
    stamps: Callable[[int], float],
    suffix: str = ".mkv",
    count: int = 40,
    codec: str = "mpeg4",
    last: float | None = None,
) -> Make:
    """A film with these time stamps, in seconds, whose last picture lasts for `last` seconds."""

    def make(folder: Path) -> Path:
        import numpy as np

        path, base = folder / f"stamped{suffix}", Fraction(1, 1000)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=30)
            stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
            stream.codec_context.time_base = base
            packets: list[av.Packet] = []
            for number in range(count):
                image = np.full((96, 160, 3), (40 + 5 * number) % 256, np.uint8)
                image[20:60, number : number + 30] = 200
                frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = round(1000 * stamps(number)), base
                packets += stream.encode(frame)
            packets += stream.encode(None)
            if last is not None:
                packets[-1].duration = round(last / packets[-1].time_base)
            container.mux(packets)
        return path

    return make


X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
PLAIN = film(*X264, "-bf", "0", "-g", "12", suffix=".mp4")
ENCODERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "h264": (X264, (".mp4", ".mkv", ".mov", ".avi", ".ts", ".flv", ".h264", ".m4v", ".3gp", ".nut", ".mxf")),
    "h264 without B-frames": ((*X264, "-bf", "0"), (".mp4", ".mkv", ".avi", ".ts")),
    "h264 with a pyramid of B-frames": (
        (*X264, "-bf", "8", "-x264-params", "b-pyramid=normal"),
        (".mp4", ".ts", ".mkv"),
    ),
    "h264 with open groups": (
        (*X264, "-x264-params", "open-gop=1:keyint=8:bframes=3"),
        (".mp4", ".ts", ".mkv"),
    ),
    "h264 with intra refresh": ((*X264, "-x264-params", "intra-refresh=1:keyint=10"), (".mp4", ".ts")),
    "h264 in slices": ((*X264, "-x264-params", "slices=4"), (".mp4", ".ts")),
    "h264 of key frames": ((*X264, "-g", "1"), (".mp4", ".avi")),
    "h264 interlaced": ((*X264, "-flags", "+ilme+ildct", "-x264-params", "tff=1"), (".mp4", ".ts", ".mkv")),
    "h264 lossless": (("-c:v", "libx264", "-qp", "0", "-preset", "veryfast"), (".mkv",)),
    "h264 of 10 bits": (("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p10le"), (".mp4",)),
    "h264 4:4:4": (("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv444p"), (".mp4",)),
    "hevc": (
        ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"),
        (".mp4", ".mkv", ".ts", ".hevc", ".mov"),
    ),
    "hevc with open groups": (
        (
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:open-gop=1:keyint=8:bframes=3",
        ),
        (".mp4", ".ts"),
    ),
    "mpeg4": (("-c:v", "mpeg4"), (".mp4", ".avi", ".mkv", ".mov", ".3gp", ".nut", ".ts")),
    "mpeg4 with B-frames": (("-c:v", "mpeg4", "-bf", "2"), (".avi", ".mp4", ".mkv")),
    "xvid's tag": (("-c:v", "mpeg4", "-vtag", "xvid"), (".avi",)),
    "mpeg2": (("-c:v", "mpeg2video"), (".mpg", ".ts", ".vob", ".mkv", ".m2v", ".mov")),
    "mpeg2 with B-frames": (("-c:v", "mpeg2video", "-bf", "2"), (".mpg", ".ts", ".mkv", ".mxf")),
    "mpeg1": (("-c:v", "mpeg1video"), (".mpg", ".avi")),
    "vp8": (("-c:v", "libvpx", "-deadline", "realtime"), (".webm", ".mkv", ".ivf")),
    "vp8 with hidden pictures": (
        (
            "-c:v",
            "libvpx",
            "-auto-alt-ref",
            "1",
            "-lag-in-frames",
            "16",
            "-deadline",
            "good",
            "-cpu-used",
            "5",
        ),
        (".webm", ".mkv"),
    ),
    "vp9": (
        ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
        (".webm", ".mp4", ".mkv", ".ivf"),
    ),
    "vp9 with hidden pictures": (
        ("-c:v", "libvpx-vp9", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-cpu-used", "8"),
        (".webm", ".mp4"),
    ),
    "av1": (
        ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"),
        (".mp4", ".webm", ".mkv", ".ivf"),
    ),
    "mjpeg": (("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"), (".avi", ".mov", ".mkv", ".mjpeg")),
    "prores": (("-c:v", "prores_ks"), (".mov", ".mkv")),
    "dnxhd": (
        ("-c:v", "dnxhd", "-profile:v", "dnxhr_sq", "-pix_fmt", "yuv422p", "-s", "320x192"),
        (".mov", ".mxf"),
    ),
    "ffv1": (("-c:v", "ffv1"), (".mkv", ".avi", ".nut")),
    "huffyuv": (("-c:v", "huffyuv"), (".avi", ".mkv")),
    "png": (("-c:v", "png"), (".mov", ".avi")),
    "qtrle": (("-c:v", "qtrle"), (".mov",)),
    "cinepak": (("-c:v", "cinepak"), (".avi", ".mov")),
    "wmv2": (("-c:v", "wmv2"), (".wmv", ".asf", ".avi")),
    "msmpeg4": (("-c:v", "msmpeg4"), (".avi", ".wmv")),
    "flv1": (("-c:v", "flv"), (".flv",)),
    "h263": (("-c:v", "h263", "-s", "176x144"), (".3gp", ".avi")),
    "theora": (("-c:v", "libtheora"), (".ogv", ".mkv")),
    "raw pictures": (("-c:v", "rawvideo", "-pix_fmt", "yuv420p"), (".avi", ".mkv", ".nut")),
    "y4m": ((), (".y4m",)),
    "gif": ((), (".gif",)),
    "apng": (("-f", "apng"), (".apng",)),
}


def _sound() -> Iterator[Case]:
    for name, (encoding, suffixes) in ENCODERS.items():
        for suffix in suffixes:
            yield Case(f"{name} in {suffix}", "sound", film(*encoding, suffix=suffix))
    for rate in ("24000/1001", "25", "30000/1001", "50", "60", "120", "240", "12", "1", "1/4"):
        source = f"testsrc2=s=160x96:r={rate}:d={float(max(1, 12 / Fraction(rate))):g}"
        for suffix in (".mp4", ".mkv", ".avi"):
            yield Case(
                f"{rate} frames a second in {suffix}", "sound", film(*X264, suffix=suffix, source=source)
            )
    for size in ("17x9", "161x97", "2048x64", "64x2048", "16x16"):
        source = f"testsrc2=d=0.4:s={size}:r=30"
        yield Case(f"{size} pixels", "sound", film("-c:v", "ffv1", suffix=".mkv", source=source))
    for aspect in ("1/2", "4/3", "64/45", "2/1", "99/10", "1/100"):
        yield Case(f"pixels of {aspect}", "sound", film(*X264, suffix=".mp4", filters=f"setsar={aspect}"))
    for name, flags in {
        "fragments": "frag_keyframe+empty_moov",
        "index first": "faststart",
        "fragments of one frame": "frag_every_frame+empty_moov",
        "no edit list": "faststart+negative_cts_offsets",
    }.items():
        yield Case(f"mp4: {name}", "sound", film(*X264, "-movflags", flags, suffix=".mp4"))
    for start in ("0.2", "0.35", "0.8"):
        cut = film(*X264, "-g", "10", suffix=".mp4")
        for suffix in (".mp4", ".mkv", ".ts"):
            name = f"cut at {start} s without encoding in {suffix}"
            yield Case(name, "sound", remuxed(cut, suffix, before=("-ss", start)))
    for end in ("0.33", "0.7"):
        for suffix in (".mp4", ".mkv", ".ts"):
            yield Case(
                f"ended at {end} s without encoding in {suffix}", "sound", remuxed(PLAIN, suffix, "-t", end)
            )
    for offset in ("5", "3600", "-0.5"):
        for suffix in (".mp4", ".mkv", ".ts"):
            name = f"time stamps from {offset} s on in {suffix}"
            yield Case(name, "sound", remuxed(PLAIN, suffix, "-output_ts_offset", offset))
    patterns: dict[str, Callable[[int], float]] = {
        "pairs of frames": lambda n: n // 2 / 15 + (0.002 if n % 2 else 0),
        "bursts of five": lambda n: n // 5 / 6 + 0.001 * (n % 5),
        "a pause of 3 s": lambda n: n / 30 + (3 if n >= 20 else 0),
        "a jump of 10 hours": lambda n: n / 30 + (36_000 if n >= 20 else 0),
        "a time lapse": lambda n: 10.0 * n,
        "every third frame missing": lambda n: (n + n // 2) / 30,
        "a rate that falls": lambda n: n**2 / 1000 + n / 1000,
        "jitter": lambda n: n / 30 + random.Random(n).uniform(0, 0.012),
        "a last frame of its own": lambda n: n / 30 + (60 if n == 39 else 0),
    }
    for name, stamps in patterns.items():
        for suffix in (".mkv", ".mp4", ".mov"):
            yield Case(f"{name} in {suffix}", "sound", stamped(stamps, suffix))
    for title in (
        "Größe".encode("latin-1"),
        "步行".encode("gbk"),
        b"\xff\xfe\x00\x01",
        "歩く".encode("shift-jis"),
    ):
        mark = "Q" * len(title)
        for suffix in (".mp4", ".avi", ".mkv", ".mov"):
            tagged = film("-metadata", f"title={mark}", "-c:v", "mpeg4", suffix=suffix)
            swap = _replacing(mark.encode(), title)
            yield Case(f"title {title.hex()} in {suffix}", "sound", changed(tagged, swap))
    for text in (
        "xx:yy:zz.pqrs00000",
        "00-00-00.000000000",
        "00:00:01,000000000",
        "-1:00:00.000000000",
        "∞".encode().hex(),
    ):
        matroska = film("-c:v", "mpeg4", suffix=".mkv")
        swap = _replacing(b"00:00:01.000000000", text.encode().ljust(18, b"\0")[:18])
        yield Case(f"duration {text}", "sound", changed(matroska, swap))
    long_last = stamped(lambda n: n / 30, ".mp4", codec="libx264", last=5.0)
    yield Case("a last picture of 5 s in .mp4", "sound", long_last)
    yield Case("a last picture of 5 s in .flv", "sound", remuxed(long_last, ".flv"))
    # These codecs do not number their pictures. What is missing looks like a pause.
    for name, suffix in (("mpeg4", ".mkv"), ("vp8", ".webm"), ("vp9", ".webm"), ("mjpeg", ".mkv")):
        holes = with_packets(film(*ENCODERS[name][0], suffix=suffix), _without_two)
        yield Case(f"{name} in {suffix}: missing packets", "sound", holes)
    sound = ("-f", "lavfi", "-i", "sine=d=4", "-c:a", "aac")
    for suffix in (".mp4", ".mkv", ".ts", ".mov"):
        yield Case(f"sound that goes on in {suffix}", "sound", film(*sound, *X264, suffix=suffix))
    transport = film(*X264, "-g", "12", suffix=".ts")
    larger = film(*X264, suffix=".ts", source="testsrc2=d=1:s=320x192:r=30")
    yield Case("two transport streams joined", "sound", _joined(transport, transport))
    yield Case("transport stream that changes its size", "sound", _joined(transport, larger))
    yield Case("zeros after the end", "sound", changed(PLAIN, lambda data: data + bytes(500)))


def _replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def replace(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new)

    return replace


def _noise(content: bytes) -> bytes:
    return random.Random(0).randbytes(len(content))


def _zeros(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


def _without_two(number: int, content: bytes) -> bytes | None:
    return None if number in (5, 6) else content


def _wrong_times_of_showing(data: bytes) -> bytes:
    """Change two entries of the table of what is added to the times of decoding."""
    table, content = data.index(b"ctts") + 12, bytearray(data)
    content[table + 8 * 9 + 6] ^= 1
    content[table + 8 * 13 + 4] = 1
    return bytes(content)


def _damaged() -> Iterator[Case]:
    for suffix in (".mp4", ".mkv", ".mov", ".ts", ".avi", ".flv"):
        whole = (
            film(*X264, "-bf", "0", "-g", "12", "-movflags", "faststart", suffix=suffix)
            if suffix
            in (
                ".mp4",
                ".mov",
            )
            else film(*X264, "-bf", "0", "-g", "12", suffix=suffix)
        )
        for number, name, change in (
            (5, "noise in one packet", _noise),
            (5, "zeros in one packet", _zeros),
            (5, "half of one packet", lambda content: content[: len(content) // 2]),
            (12, "noise in a key frame", _noise),
        ):
            packets = with_packets(whole, lambda n, data, at=number, do=change: do(data) if n == at else data)
            yield Case(f"h264 in {suffix}: {name}", "damaged", packets)
        yield Case(f"h264 in {suffix}: missing packets", "damaged", with_packets(whole, _without_two))
    for share in (0.3, 0.5, 0.7):
        for suffix, options in (
            (".mp4", ("-movflags", "faststart")),
            (".mkv", ()),
            (".avi", ()),
            (".mov", ("-movflags", "faststart")),
        ):
            whole = film(*X264, *options, suffix=suffix)
            cut = changed(whole, lambda data, share=share: data[: int(len(data) * share)])
            yield Case(f"{suffix} broken off at {share:.0%}", "damaged", cut)
    for codec, (encoding, suffix) in {
        "mpeg4": (("-c:v", "mpeg4"), ".mkv"),
        "mpeg2": (("-c:v", "mpeg2video"), ".mkv"),
        "hevc": (ENCODERS["hevc"][0], ".mkv"),
        "vp9": (ENCODERS["vp9"][0], ".mkv"),
        "ffv1": (("-c:v", "ffv1"), ".mkv"),
    }.items():
        noise = with_packets(
            film(*encoding, suffix=suffix), lambda n, data: _noise(data) if n in (4, 5) else data
        )
        yield Case(f"{codec}: noise in two packets", "damaged", noise)
    for name in ("mpeg2", "mpeg2 with B-frames"):
        for suffix in (".mkv", ".ts"):
            holes = with_packets(film(*ENCODERS[name][0], suffix=suffix), _without_two)
            yield Case(f"{name} in {suffix}: missing packets", "damaged", holes)
    tables = changed(film(*X264, suffix=".mp4"), _wrong_times_of_showing)
    yield Case("mp4 with damage in its table of times", "damaged", tables)
    cut = changed(film("-c:v", "flv", suffix=".flv"), lambda data: data[: len(data) // 2])
    yield Case("flv1 in .flv broken off at 50%", "damaged", cut)
    transport = film(*X264, "-g", "12", suffix=".ts")
    for first, count in ((20, 3), (40, 1), (60, 10)):
        hole = changed(transport, lambda data, a=first, b=count: data[: 188 * a] + data[188 * (a + b) :])
        yield Case(f"transport stream without blocks {first}–{first + count - 1}", "damaged", hole)
    narrow = film(*X264, suffix=".ts", source="testsrc2=d=1:s=160x160:r=30")
    yield Case("transport stream that changes its shape", "damaged", _joined(transport, narrow))
    for other in ("mpeg2", "hevc"):
        second = film(*ENCODERS[other][0], suffix=".ts")
        yield Case(f"transport stream that changes to {other}", "damaged", _joined(transport, second))


def _joined(first: Make, second: Make) -> Make:
    def join(folder: Path) -> Path:
        for name, make in (("first", first), ("second", second)):
            (folder / name).mkdir()
            make(folder / name)
        path = folder / "joined.ts"
        parts = (next((folder / name).iterdir()).read_bytes() for name in ("first", "second"))
        path.write_bytes(b"".join(parts))
        return path

    return join


def _refused() -> Iterator[Case]:
    contents = {
        "an empty file": b"",
        "text": b"not a video\n" * 50,
        "zeros": bytes(5000),
        "noise": random.Random(1).randbytes(20_000),
        "a playlist": b"#EXTM3U\n#EXTINF:5,\nother.ts\n",
        "a page": b"<!DOCTYPE html><title>no video</title>" * 20,
    }
    for name, content in contents.items():
        for suffix in (".mp4", ".avi"):
            yield Case(f"{name} as {suffix}", "refused", _file(content, suffix))
    for share in (0.01, 0.5):
        tail = changed(film(*X264, suffix=".mp4"), lambda data, share=share: data[: int(len(data) * share)])
        yield Case(f"mp4 without its index, {share:.0%} of it", "refused", tail)
    yield Case("an animated .webp", "refused", film("-c:v", "libwebp_anim", suffix=".webp"))
    only_sound = ("-f", "lavfi", "-i", "sine=d=0.2", "-map", "1:a")
    for suffix in (".mp4", ".mkv", ".wav"):
        yield Case(f"only sound in {suffix}", "refused", film(*only_sound, suffix=suffix))


def _file(content: bytes, suffix: str) -> Make:
    def write(folder: Path) -> Path:
        path = folder / f"content{suffix}"
        path.write_bytes(content)
        return path

    return write


CASES = (*_sound(), *_damaged(), *_refused())
"""All cases; their names differ."""


def outcome(case: Case, folder: Path) -> tuple[str, str]:
    """Read a case's file to its end.

    Returns:
        Its kind as it turned out, and what is said of it.
    """
    from videopose.errors import InputError
    from videopose.pipeline.video.reader import open_video

    path = case.make(folder)
    try:
        with open_video(path) as video:
            count = sum(1 for _ in video.frames())
            times, damage = video.times, video.damaged
            width, height = video.size
    except InputError as error:
        return "refused", str(error).removeprefix(f"cannot read {path}: ")
    assert all(after - before > 0 for before, after in pairwise(times)), "times do not rise"
    told = "" if damage is None else f"; {damage}"
    return (
        "sound" if damage is None else "damaged",
        f"{count} frame{'s' * (count != 1)} of {width}×{height}{told}",
    )


def main() -> None:
    """Write the table of outcomes into the page."""
    page = Path(__file__).parents[1] / "docs" / "odd-videos.md"
    rows = ["| file | outcome |", "|---|---|"]
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            kind, told = outcome(case, Path(folder))
        rows.append(f"| {case.name} | {'refused: ' if kind == 'refused' else ''}{told} |")
    text = page.read_text(encoding="utf-8")
    page.write_text(text[: text.index("| file |")] + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
