"""H.264's numbers of pictures: frame numbers, and places in the order of showing."""

from pathlib import Path

import av
import pytest
from odd_videos import change_packets, encode

from videopose.pipeline.video.h264 import FrameNumbers, Order
from videopose.pipeline.video.picture_order import PictureOrder
from videopose.pipeline.video.reader import open_video

B_FRAMES = {"bf": "3", "b-pyramid": "none", "preset": "veryfast"}


def packets(path: Path) -> tuple[bytes | None, list[tuple[bytes, bool]]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = [(bytes(packet), packet.is_keyframe) for packet in container.demux(stream) if packet.size]
        return stream.codec_context.extradata, found


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".h264"])  # by length, and by start codes
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_sound_streams_have_no_gap(suffix: str, profile: str, tmp_path: Path) -> None:
    options = {"profile": profile, "preset": "veryfast", "bf": "0" if profile == "baseline" else "2"}
    header, found = packets(encode(tmp_path / f"a{suffix}", "libx264", options, count=60))
    numbers = FrameNumbers(header)
    orders = []
    for content, _ in found:
        assert not numbers.gap_before(memoryview(content))
        orders.append(numbers.order)
    if profile != "baseline":
        assert all(orders)
        assert orders[0] == Order(0, orders[0].bits, True) if orders[0] else False


def test_a_missing_reference_picture_is_a_gap(tmp_path: Path) -> None:
    header, found = packets(encode(tmp_path / "a.mp4", "libx264", {"bf": "0", "preset": "veryfast"}))
    numbers = FrameNumbers(header)
    gaps = [numbers.gap_before(memoryview(content)) for n, (content, _) in enumerate(found) if n != 5]
    assert gaps.index(True) == 5
    assert sum(gaps) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\0\0\1", b"\0\0\1\x67", b"\0\0\1\x65", b"\xff" * 99, bytes(99)]
)
@pytest.mark.parametrize(
    "header", [None, b"", b"\1", b"\1\0\0\0\3\1\0\x40" + b"\xff" * 9, b"\0\0\1\x67" + b"\xff" * 40]
)
def test_what_is_no_stream_tells_nothing(header: bytes | None, content: bytes) -> None:
    numbers = FrameNumbers(header)
    assert not numbers.gap_before(memoryview(content))
    assert not numbers.gap_before(memoryview(content))


def test_pictures_from_which_none_is_predicted_can_be_missing(tmp_path: Path) -> None:
    whole = encode(tmp_path / "a.mkv", "libx264", B_FRAMES, count=40, key_frames=40)
    # The first byte of a NAL unit, after its length, is 1 if no picture is predicted from its slice.
    disposable = [n for n, (content, _) in enumerate(packets(whole)[1]) if content[4] == 1]
    dropped = disposable[4:6]
    assert len(dropped) == 2
    holes = change_packets(whole, tmp_path / "b.mkv", lambda n, content: None if n in dropped else content)
    with open_video(holes) as video:
        assert len(list(video.frames())) == 38
        assert str(video.damaged) == "2 pictures are missing between others"
        assert video.damaged is not None
        assert video.damaged.frames == ()
    with open_video(whole) as video:
        assert len(list(video.frames())) == 40
        assert video.damaged is None


def count_missing(places: list[int], stamps: list[int], bits: int = 6) -> int:
    order = PictureOrder()
    for place, stamp in zip(places, stamps, strict=True):
        order.picture(Order(place % (1 << bits), bits, place == 0), stamp)
    return order.missing()


def test_places_are_counted_over_their_limit_and_over_chunks() -> None:
    every = list(range(0, 4000, 2))
    assert count_missing(every, every) == 0
    some = [place for place in every if place not in (100, 1200, 1202, 3998)]
    assert count_missing(some, some) == 3  # the last one cannot be missed


def test_places_that_are_left_out_on_purpose() -> None:
    uneven = [0, 2, 6, 8, 12, 14, 18, 20, 24]  # a third is missing
    assert count_missing(uneven, uneven) == 0
    places = [*range(0, 40, 2), *range(44, 80, 2)]
    assert count_missing(places, list(range(len(places)))) == 0  # time stamps have no gap there


class Bits:
    """Writes bits and Exp-Golomb codes."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, value: int, count: int) -> "Bits":
        self.text += f"{value:0{count}b}"
        return self

    def golomb(self, *values: int) -> "Bits":
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def unit(self, kind: int) -> bytes:
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        return b"\0\0\1" + bytes([kind]) + int(text, 2).to_bytes(len(text) // 8, "big")


def field(number: int, bottom: int, place: int) -> memoryview:
    bits = Bits().golomb(0, 0, 0).put(number, 4).put(1, 1).put(bottom, 1).put(place, 4)
    return memoryview(bits.unit(0x61))


def test_two_fields_are_one_picture() -> None:
    # profile 77, frame numbers and places of 4 bits, one reference, 16×32 pixels, pictures may be fields
    header = Bits().put(77, 8).put(0, 16).golomb(0, 0, 0, 0, 1).put(0, 1).golomb(0, 0).put(0, 1).unit(0x67)
    numbers = FrameNumbers(header)
    seconds, gaps = [], []
    for number in (1, 2, 3, 5):
        for bottom in (0, 1):
            gaps.append(numbers.gap_before(field(number, bottom, 2 * number + bottom)))
            seconds.append(numbers.second_field)
            assert numbers.order == Order(2 * number + bottom, 4, False)
    assert seconds == [False, True] * 4
    assert gaps == [False] * 6 + [True, False]
