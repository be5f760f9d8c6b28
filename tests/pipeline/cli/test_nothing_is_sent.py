"""Nothing leaves the machine, and files are written only where they belong: what strace shows."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from videopose.pipeline.downloads import assets

STRACE = shutil.which("strace")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(STRACE is None, reason="strace shows what a program asks the system for"),
]

_LOCAL = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"|AF_UNIX|AF_NETLINK|AF_UNSPEC')
_CALLS = (
    "connect,sendto,sendmsg,sendmmsg,bind,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,"
)
_CALLS += "link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,mknod,mknodat"
_HARMLESS = ("/dev/null", "/dev/tty", "/proc/self/", "/dev/shm/")
_EXCHANGED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def trace(command: Sequence[str], folder: Path, **environment: str) -> list[str]:
    """Run a command in a folder, with an empty home and private temporary folder; return its system calls."""
    assert STRACE is not None
    for name in ("home", "private"):
        (folder / name).mkdir()
    values = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))},
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "private"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    strace = [
        STRACE,
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-s",
        "300",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(folder / "calls"),
    ]
    done = subprocess.run(
        [*strace, *command], cwd=folder, env=values, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return (folder / "calls").read_text(errors="replace").splitlines()


def sent(calls: Sequence[str]) -> list[str]:
    """The calls that reach another machine."""
    network = (line for line in calls if re.search(r"\b(connect|send\w+|bind)\(", line))
    return [line for line in network if "sa_family" in line and not _LOCAL.search(line)]


def written(calls: Sequence[str], folder: Path) -> set[str]:
    """The files and folders that were written, made or renamed."""
    names = set()
    for line in calls:
        opens = re.search(r"\b(open|openat|openat2)\(", line)
        if re.search(r"\b(connect|send\w+|bind)\(", line) or re.search(r"= -1 E[A-Z]+", line):
            continue
        if opens and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE", line):
            continue
        names |= {os.path.normpath(folder / name) for name in _EXCHANGED.findall(line)}
    return {name for name in names if not name.startswith(_HARMLESS)}


def test_infer_sends_nothing_and_writes_where_it_should(clip: Path, tmp_path: Path) -> None:
    shutil.copy(clip, tmp_path / "clip.mp4")
    (tmp_path / "results").mkdir()
    words = ["infer", "clip.mp4", "--end", "0.4", "--output", "results", "--export", "glb", "--export", "bvh"]
    cache = assets.cache_folder()
    calls = trace(
        [sys.executable, "-m", "videopose", *words],
        tmp_path,
        VIDEOPOSE_CACHE=str(cache),
        PYTHONPATH=str(Path(__file__).parents[4]),
    )
    assert not sent(calls)
    allowed = tuple(str(place) for place in (tmp_path / "results", tmp_path / "private", cache))
    assert not {name for name in written(calls, tmp_path) if not name.startswith(allowed)}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["calls", "clip.mp4", "home", "private", "results"]
    assert not list((tmp_path / "home").iterdir())
    assert not list((tmp_path / "private").iterdir())
    assert {p.name for p in (tmp_path / "results").iterdir()} >= {"clip.npz", "clip.3d.mp4"}


MODULES = (
    "torch",
    "torchvision",
    "cv2",
    "av",
    "scipy.signal",
    "matplotlib.figure",
    "pydantic",
    "safetensors.torch",
    "h5py",
    "PIL.Image",
    "rich.progress",
    "mkdocs.commands.build",
    "material.plugins.search.plugin",
    "mkdocstrings",
)
"""What the commands and the documentation import."""


def test_what_is_imported_sends_nothing_and_writes_nothing(tmp_path: Path) -> None:
    program = f"""
import importlib, contextlib
from videopose.pipeline.cli import main
with contextlib.suppress(SystemExit):
    main.main(["--help"])
for name in {MODULES!r}:
    with contextlib.suppress(Exception):  # missing, or does not fit torch
        importlib.import_module(name)
from videopose.detectors.onnx_runtime import import_onnxruntime
import_onnxruntime()
commands = (name for group in main.COMMANDS.values() for name in group)
for name in commands:
    assert main.cli.get_command(main.click.Context(main.cli), name)
"""
    calls = trace(
        [sys.executable, "-c", program],
        tmp_path,
        VIDEOPOSE_CACHE=str(tmp_path / "cache"),
        PYTHONPATH=str(Path(__file__).parents[4]),
    )
    assert not sent(calls)
    allowed = (str(tmp_path / "private"), str(tmp_path / "cache"))
    assert not {name for name in written(calls, tmp_path) if not name.startswith(allowed)}
    assert not list((tmp_path / "home").iterdir())


def test_the_test_notices_what_is_sent_and_written(tmp_path: Path) -> None:
    program = """
import pathlib, socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to:
    to.connect(("192.0.2.1", 9))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to:
    to.connect(("127.0.0.1", 9))
pathlib.Path("stray").write_text("")
"""
    calls = trace([sys.executable, "-c", program], tmp_path)
    assert len(sent(calls)) == 1
    assert written(calls, tmp_path) == {str(tmp_path / "stray")}
