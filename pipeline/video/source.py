"""Check that a path names a file that can be read as a video, before it is opened.

Some files never end, block, or lead to other files. They are refused by their kind and by their first bytes.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from functools import cache
from pathlib import Path

import av
from av.format import ContainerFormat

from ...errors import InputError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_PLAYLIST_SUFFIXES = frozenset(
    ".m3u .m3u8 .pls .asx .wax .wvx .smil .smi .xspf .mpd .sdp .ism .ismc .ffconcat .cue .strm .url".split()
)
_PLAYLIST = re.compile(
    rb"\s*(#EXTM3U|#EXTINF|#EXT-X-|ffconcat|file\s+['\"\w/]|v=0\r?\no=|\[playlist\]|\[reference\]|\[InternetShortcut\]"
    rb"|(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(MPD|SmoothStreamingMedia|CompositionPlaylist|asx|smil|playlist)\b)",
    re.IGNORECASE | re.DOTALL,
)
_LEADING_ELSEWHERE = frozenset(
    "hls applehttp dash concat imf sdp rtp rtsp sap image2 image2pipe webm_dash_manifest lavfi alsa fbdev "
    "oss kmsgrab x11grab xcbgrab video4linux2 v4l2 pulse jack avfoundation dshow gdigrab vfwcap tty "
    "ffmetadata avisynth vapoursynth cdxl".split()
)


def check_source(path: str | os.PathLike[str]) -> None:
    """Check that a path names a regular file that is neither empty, nor a playlist, nor a pose table.

    Args:
        path: The path of a video, as the user gave it.

    Raises:
        InputError: It is none of these.
    """
    text = os.fspath(path)
    if reason := _objection(text):
        raise InputError(f"cannot read {text or 'a file without a name'}: {reason}")


def _objection(text: str) -> str | None:
    """Return why a file cannot be a video, as a clause; None if it may be one."""
    if not text:
        return "the name is empty"
    if "\0" in text:
        return "no name of a file has a null character"
    try:
        status = os.stat(text)
    except OSError as error:
        return _missing(text, error)
    if stat.S_ISDIR(status.st_mode):
        return "it is a folder"
    for is_of_kind, name in _KINDS:
        if is_of_kind(status.st_mode):
            return f"it is {name}; videos are read from files, so save it to one first"
    try:
        with open(text, "rb") as file:
            head = file.read(4096)
    except PermissionError:
        return "permission denied"
    except OSError as error:
        return error.strerror or str(error)
    return _objection_to_content(Path(text), head)


def _missing(text: str, error: OSError) -> str:
    if _ADDRESS.match(text):
        return "it is an address, and videos are read from files; download it first"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if text == "-":
            return "videos are not read from the standard input; save it to a file first"
        return "there is no such file"
    if error.errno == errno.ENAMETOOLONG:
        return "the name is too long"
    return (error.strerror or str(error)).lower()


def _objection_to_content(path: Path, head: bytes) -> str | None:
    if not head:
        return "it is empty, so it is not a video"
    if _PLAYLIST.match(head.removeprefix(b"\xef\xbb\xbf")) or path.suffix.lower() in _PLAYLIST_SUFFIXES:
        return "it is a playlist, which leads to other files; name the video itself"
    if path.suffix.lower() == ".npz" and head.startswith(b"PK"):
        return "it is a pose table, not a video; `videopose lift` and `videopose render` read those"
    return None


@cache
def allowed_formats() -> str:
    """Return libav's list of the formats that may be read: all but devices, playlists and the like."""
    names = {name for formats in av.formats_available for name in _names(formats)}
    return ",".join(sorted(names - _LEADING_ELSEWHERE))


def _names(name: str) -> list[str]:
    """Return all names of a format that can be read."""
    try:
        return [name, *ContainerFormat(name, "r").name.split(",")]
    except ValueError:  # can be written only
        return []
