"""Files with damage of many kinds, made by Hypothesis, and the check that a loader survives them.

A loader has a small sound file, the seed. Bytes of it are changed, cut, repeated and replaced by numbers and
words that have caused trouble elsewhere. In archives the members are damaged, too, so that checksums fit.
200 damaged files are tried for each loader; with the environment variable HYPOTHESIS_PROFILE=long, 20,000.
"""

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory import with_memory

from videopose.errors import VideoposeError

settings.register_profile("short", max_examples=200, deadline=None, database=None, derandomize=True)
settings.register_profile("long", max_examples=20_000, deadline=None, database=None)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
_LONGEST = 1 << 20  # bytes of a damaged file
_TRACED = 5  # of so many files one is loaded with its memory traced, which takes up to three times as long
_MOST_MEMORY = 200 << 20  # bytes that no damaged file may need


@dataclass(frozen=True)
class Case:
    """A loader, the name of its file, and what writes a sound one.

    Attributes:
        name: The name of the file.
        write: Writes a sound file.
        load: Reads it.
        refused: Whether the sound file is refused, too, because a complete one would be too large for a test.
        errors: What the loader may raise.
    """

    name: str
    write: Callable[[Path], object]
    load: Callable[[Path], Any]
    refused: bool = False
    errors: type[Exception] = VideoposeError


_WORDS = st.sampled_from(
    [b"", b"0", b"-1", b"1e9", b"1e400", b"-1e308", b"nan", b"NaN", b"Infinity", b"null", b"true", b"[]",
     b"{}", b'"x"', b"9" * 25, b"4294967295", b"1.5", b"\x00" * 8, b"\xff" * 8, b"\xff\xfe", b"[" * 3000,
     b"{a: " * 3000, b"\n", b" ", b"2147483648", b"&a [*a]"]
)  # fmt: skip


@st.composite
def _damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Return bytes with one to four places changed."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 1, 2, 4, 8, 40, 1 << 20])))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            content = content[:start] + draw(st.binary(max_size=8)) + content[end:]
        elif kind == 1:
            content = (
                content[:start] + content[start:end] * draw(st.sampled_from([0, 2, 3, 100])) + content[end:]
            )
        else:
            content = _replaced(draw, content, start)
        content = content[:_LONGEST]  # (the memory of a sound loader grows with the file)
    return content


def _replaced(draw: st.DrawFn, content: bytes, start: int) -> bytes:
    """Return bytes with the next number or word after `start` replaced."""
    at = next((i for i in range(start, len(content)) if chr(content[i]).isalnum()), start)
    end = next(
        (i for i in range(at, len(content)) if not (chr(content[i]).isalnum() or content[i] in b".-+")), at
    )
    return content[:at] + draw(_WORDS) + content[end:]


@st.composite
def _damaged_file(draw: st.DrawFn, content: bytes) -> bytes:
    """Return a damaged file; of an archive, mostly with a damaged member and right checksums."""
    if not content.startswith(b"PK") or draw(st.integers(0, 3)) == 0:
        return draw(_damaged(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
        kinds = {member.filename: member.compress_type for member in archive.infolist()}
    name = draw(st.sampled_from(sorted(members)))
    members[name] = draw(_damaged(members[name]))
    rebuilt = io.BytesIO()
    with zipfile.ZipFile(rebuilt, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data, compress_type=kinds[member])
    return rebuilt.getvalue()


def _refusal(case: Case, path: Path) -> str:
    """Return the message with which a loader refuses a file; "" if it reads it."""
    try:
        case.load(path)
    except case.errors as error:
        return str(error)
    return ""


def check_survives(case: Case, folder: Path) -> None:
    """Load many damaged files. Fails unless each is read, or refused in one line, in bounded memory."""
    path = folder / case.name
    case.write(path)
    assert (_refusal(case, path) != "") == case.refused

    @settings(PROFILE, suppress_health_check=list(HealthCheck))
    @given(content=_damaged_file(path.read_bytes()))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        message, grown = with_memory(lambda: _refusal(case, path), traced=crc32(content) % _TRACED == 0)
        assert grown < _MOST_MEMORY
        assert "\n" not in message
        assert len(message) < 2000
        assert "allow_pickle" not in message
        assert "weights_only" not in message

    check()
