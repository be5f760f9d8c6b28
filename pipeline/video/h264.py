"""Find missing pictures in an H.264 stream by the frame numbers of its pictures.

The decoder shows a stream from which packets are missing without a word. But reference pictures are numbered,
so a gap in the numbers tells (ITU-T H.264, §7.3 and §7.4.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SLICE, _IDR_SLICE, _SPS = 1, 5, 7
_HEAD = 64  # bytes of a NAL unit that are read; the fields stand at its beginning
_SPS_HEAD = 1024
_WITH_CHROMA_FORMAT = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)  # profiles


@dataclass(frozen=True)
class _SequenceParameters:
    """What is needed of a sequence parameter set.

    Attributes:
        bits: Of a frame number.
        order_bits: Of a picture's place in the order of showing; 0 if it is not stated.
        fields: Whether pictures may be single fields.
        separate_planes: Whether slices begin with a plane's number.
        gaps_allowed: Whether an encoder may leave numbers out.
    """

    bits: int
    order_bits: int
    fields: bool
    separate_planes: bool
    gaps_allowed: bool


@dataclass(frozen=True)
class Order:
    """A picture's place in the order of showing.

    Attributes:
        place: The lowest bits of the place (`pic_order_cnt_lsb`).
        bits: How many bits these are.
        restarts: Whether places are counted from here on.
    """

    place: int
    bits: int
    restarts: bool


class FrameNumbers:
    """Follow the frame numbers of an H.264 stream.

    Args:
        extradata: The stream's header: `avcC` or start codes.

    Attributes:
        order: The place of the last packet's picture in the order of showing; None if it is not stated.
        second_field: Whether the last packet holds the second field of the picture before.
    """

    def __init__(self, extradata: bytes | None) -> None:
        self._parameters: _SequenceParameters | None = None
        self.order: Order | None = None
        self.second_field = False
        self._first_field: tuple[int, int] | None = None  # frame number, 1 for the bottom field
        self._length_size = 0  # bytes of a NAL unit's length; 0 if NAL units follow start codes
        self._previous: int | None = None
        header = extradata or b""
        if header[:1] == b"\x01" and len(header) > 6:
            self._length_size = (header[4] & 3) + 1
            size = int.from_bytes(header[6:8], "big")
            self._read_parameters(header[8 : 8 + size])
        else:
            for unit in _after_start_codes(memoryview(header)):
                if unit[:1] and unit[0] & 31 == _SPS:
                    self._read_parameters(bytes(unit[:_SPS_HEAD]))

    def gap_before(self, packet: memoryview) -> bool:
        """Whether pictures are missing between the packet before and this one."""
        self.order, self.second_field = None, False
        units = _by_length(packet, self._length_size) if self._length_size else _after_start_codes(packet)
        for unit in units:
            if not len(unit):
                continue
            kind, reference = unit[0] & 31, unit[0] >> 5 & 3
            if kind == _SPS:
                self._read_parameters(bytes(unit[:_SPS_HEAD]))
            elif kind in (_SLICE, _IDR_SLICE):
                return self._follow(bytes(unit[:_HEAD]), idr=kind == _IDR_SLICE, reference=reference > 0)
        return False

    def _read_parameters(self, unit: bytes) -> None:
        try:
            self._parameters = _parse_parameters(unit)
        except IndexError:  # shorter than its fields
            self._parameters = None

    def _follow(self, unit: bytes, *, idr: bool, reference: bool) -> bool:
        parameters = self._parameters
        if parameters is None or parameters.gaps_allowed:
            return False
        try:
            bits = _Bits(unit)
            bits.skip_golomb(3)  # first macroblock, slice type, parameter set
            if parameters.separate_planes:
                bits.take(2)
            number = bits.take(parameters.bits)
            if parameters.fields and bits.take(1):
                self._note_field(number, bits.take(1))
            else:
                self._first_field = None
            if idr:
                bits.golomb()
            if parameters.order_bits:
                self.order = Order(bits.take(parameters.order_bits), parameters.order_bits, idr)
        except IndexError:
            return False
        before, self._previous = self._previous, number if reference or idr else self._previous
        if idr or before is None:
            return False
        return number not in (before, (before + 1) % (1 << parameters.bits))

    def _note_field(self, number: int, bottom: int) -> None:
        self.second_field = self._first_field == (number, 1 - bottom)
        self._first_field = None if self.second_field else (number, bottom)


class _Bits:
    """Reads bits and Exp-Golomb codes (§9.1) of a NAL unit; IndexError at its end."""

    def __init__(self, unit: bytes) -> None:
        self._data, self._at = unit[1:].replace(b"\0\0\3", b"\0\0"), 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | (self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1)
            self._at += 1
        return value

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.take(zeros)

    def skip_golomb(self, count: int) -> None:
        for _ in range(count):
            self.golomb()

    def signed_golomb(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _parse_parameters(unit: bytes) -> _SequenceParameters:
    """Read a sequence parameter set (§7.3.2.1.1)."""
    bits = _Bits(unit)
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    bits.golomb()
    separate_planes = False
    if profile in _WITH_CHROMA_FORMAT:
        chroma = bits.golomb()
        separate_planes = chroma == 3 and bits.take(1) == 1
        bits.skip_golomb(2)  # depths
        bits.take(1)  # lossless
        if bits.take(1):
            for number in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    size = bits.golomb() + 4
    order, order_bits = bits.golomb(), 0
    if order == 0:
        order_bits = bits.golomb() + 4
    elif order == 1:
        bits.take(1)
        bits.skip_golomb(2)  # offsets
        bits.skip_golomb(min(bits.golomb(), 255))
    bits.golomb()  # reference pictures
    gaps_allowed = bits.take(1) == 1
    bits.skip_golomb(2)  # width and height
    fields = bits.take(1) == 0
    return _SequenceParameters(min(size, 16), min(order_bits, 16), fields, separate_planes, gaps_allowed)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


def _by_length(packet: memoryview, length_size: int) -> Iterator[memoryview]:
    """Yield the NAL units of a packet in which each follows its length."""
    at = 0
    while at + length_size < len(packet):
        size = int.from_bytes(packet[at : at + length_size], "big")
        at += length_size
        yield packet[at : at + size]
        at += size


def _after_start_codes(packet: memoryview) -> Iterator[memoryview]:
    """Yield the NAL units of a packet in which each follows a start code; they may end with the next code."""
    data = bytes(packet)
    at = data.find(b"\0\0\1")
    while at >= 0:
        yield packet[at + 3 : at + 3 + _SPS_HEAD]
        at = data.find(b"\0\0\1", at + 3)
