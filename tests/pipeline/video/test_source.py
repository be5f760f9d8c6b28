import os
import socket
from pathlib import Path

import pytest

from videopose.errors import InputError
from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.source import check_source


def _refusal(path: Path | str) -> str:
    with pytest.raises(InputError) as caught, open_video(path):
        pytest.fail("it was opened")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError) as beforehand:
        check_source(path)
    assert str(beforehand.value) == str(caught.value)
    return str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and sockets have names on POSIX only")
def test_pipes_devices_and_sockets_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "it is a pipe" in _refusal(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to("/dev/zero")
    assert "it is a device" in _refusal(tmp_path / "link.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp4"))
        assert "it is a socket" in _refusal(tmp_path / "socket.mp4")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("live.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://example.org/1.ts\n"),
        ("other.m3u8", "\ufeff#EXTM3U\n#EXTINF:6,\n/etc/passwd\n"),
        ("names.m3u", "film.mp4\n"),
        ("parts.txt", "ffconcat version 1.0\nfile film.mp4\n"),
        ("parts.mp4", "file 'film.mp4'\nfile 'film2.mp4'\n"),
        ("dash.mp4", '<?xml version="1.0"?>\n<!-- made by x -->\n<MPD type="dynamic"></MPD>'),
        ("smooth.mp4", "<SmoothStreamingMedia MajorVersion='2'/>"),
        ("session.mp4", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\n"),
        ("radio.mp4", "[playlist]\nFile1=film.mp4\n"),
        ("shortcut.mp4", "[InternetShortcut]\nURL=http://example.org/\n"),
    ],
)
def test_what_leads_to_other_files_is_refused(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert "it is a playlist, which leads to other files" in _refusal(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("http://example.org/a.mp4", "it is an address"),
        ("-", "the standard input"),
        ("x" * 300, "the name is too long"),
        ("a\0b.mp4", "null character"),
        ("none.mp4", "there is no such file"),
    ],
)
def test_names_of_no_file(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in _refusal(name)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert "it is empty" in _refusal(tmp_path / "empty.mp4")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04")
    assert "it is a pose table" in _refusal(tmp_path / "a.npz")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    assert "symbolic links" in _refusal(tmp_path / "loop.mp4")


@pytest.mark.parametrize("name", ["notes.txt", "art.ans", "one.nfo"])
def test_text_is_no_video(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("no video\n" * 100)
    with pytest.raises(InputError, match="it is not a video"), open_video(tmp_path / name):
        pytest.fail("it was opened")


def test_a_name_that_is_not_utf8(tmp_path: Path, clip: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    strange.write_bytes(clip.read_bytes())
    with open_video(strange) as video:
        assert sum(1 for _ in video.frames()) == 46
