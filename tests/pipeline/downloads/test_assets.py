import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from videopose.errors import AssetError, UsageError
from videopose.pipeline.downloads import assets
from videopose.pipeline.downloads.assets import ASSETS, Asset, Package
from videopose.pipeline.downloads.registry_packages import npm_command

CONTENT = {"first.txt": b"first file", "second.txt": b"second"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def assets_of(package: Package, prefix: str) -> dict[str, Asset]:
    return {
        name: Asset(
            name=name,
            package=package,
            member=f"{prefix}/{name}",
            size=len(content),
            sha256=sha256(content),
            licence="CC0-1.0",
            what="test",
        )
        for name, content in CONTENT.items()
    }


def use(monkeypatch: pytest.MonkeyPatch, table: dict[str, Asset]) -> None:
    monkeypatch.setattr(assets, "ASSETS", table)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that pip finds in a local folder and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    path = folder / "videopose_sample-1.0-py3-none-any.whl"
    info = "videopose_sample-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in CONTENT.items():
            archive.writestr(f"sample/{name}", content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: videopose-sample\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return path


def sample(wheel: Path) -> dict[str, Asset]:
    package = Package(
        registry="pypi",
        name="videopose-sample",
        version="1.0",
        digest=sha256(wheel.read_bytes()),
        megabytes=1,
    )
    return assets_of(package, "sample")


@pytest.mark.parametrize("name", ASSETS)
@pytest.mark.network
def test_every_pinned_asset_can_be_had(name: str) -> None:
    path = assets.fetch(name)
    content = path.read_bytes()
    assert (len(content), sha256(content)) == (ASSETS[name].size, ASSETS[name].sha256)
    assert path == assets.cached(name) == ASSETS[name].path
    assert path.name == name


def test_the_cache_folder_follows_the_environment(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert assets.cache_folder() == cache
    monkeypatch.delenv("VIDEOPOSE_CACHE")
    assert assets.cache_folder().name == "videopose"
    monkeypatch.setenv("VIDEOPOSE_CACHE", "~/there")
    assert assets.cache_folder() == Path.home() / "there"


def test_one_download_brings_all_files_of_a_package(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sample(wheel))
    said: list[str] = []
    assert assets.cached("first.txt") is None
    paths = assets.pull(report=said.append)
    assert [p.read_bytes() for p in paths] == list(CONTENT.values())
    assert said == ["fetching first.txt: videopose-sample 1.0 from PyPI, 1 MB"]
    left = sorted(p.name for p in cache.rglob("*") if p.is_file())
    assert left == ["first.txt", "pypi-videopose-sample-1.0.lock", "second.txt"]


def test_a_damaged_file_is_noticed_and_fetched_again(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sample(wheel))
    path = assets.fetch("first.txt")
    path.write_bytes(b"f1rst file")
    assert assets.cached("first.txt") is None
    assert assets.fetch("first.txt").read_bytes() == CONTENT["first.txt"]


def test_a_new_pin_does_not_meet_the_old_file(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sample(wheel)
    use(monkeypatch, table)
    old = assets.fetch("first.txt")
    use(monkeypatch, {"first.txt": replace(table["first.txt"], sha256="0" * 64)})
    assert assets.cached("first.txt") is None
    assert assets.ASSETS["first.txt"].path != old


def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sample(wheel))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("sample/added", b"")
    with pytest.raises(AssetError, match="that pip brought is not the pinned one"):
        assets.fetch("first.txt")
    assert not list(cache.rglob("*.txt"))


def test_a_member_that_is_not_the_pinned_one_is_refused(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sample(wheel)
    table["second.txt"] = replace(table["second.txt"], sha256="1" * 64)
    use(monkeypatch, table)
    with pytest.raises(AssetError, match=r"sample/second.txt .* is not the pinned file"):
        assets.fetch("first.txt")
    assert not list(cache.rglob("*.txt"))


def test_offline_is_one_sentence_that_names_the_ways_out(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sample(wheel))
    wheel.unlink()
    with pytest.raises(AssetError) as caught:
        assets.fetch("first.txt")
    message = str(caught.value)
    place = assets.ASSETS["first.txt"].path
    for part in ("first.txt", "pip failed", "videopose assets pull", str(place), "VIDEOPOSE_CACHE"):
        assert part in message
    assert "\n" not in message
    place.parent.mkdir(parents=True)  # one of the ways out: a copy by hand
    place.write_bytes(CONTENT["first.txt"])
    assert assets.fetch("first.txt") == place


def test_what_a_killed_fetch_left_is_swept_away(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sample(wheel))
    left = cache / "pypi-videopose-sample-1.0.fetching"
    left.mkdir(parents=True)
    (left / wheel.name).write_bytes(b"half")
    assert assets.fetch("second.txt").read_bytes() == CONTENT["second.txt"]
    assert not left.exists()


def test_a_cache_folder_that_cannot_be_made(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sample(wheel))
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(wheel / "cache"))  # a file where a folder should be
    with pytest.raises(AssetError, match=r"cache folder .* cannot be used \(Not a directory\)"):
        assets.fetch("first.txt")


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match=r"no asset named 'nothing'; there are movenet-multipose.json"):
        assets.fetch("nothing")


PROCESS = """
import sys
from videopose.pipeline.downloads import assets
from videopose.pipeline.downloads.assets import Asset, Package
assets.ASSETS = {"first.txt": eval(sys.argv[1])}
print(assets.fetch("first.txt", report=lambda line: print(line, flush=True)))
"""


def test_of_two_processes_one_fetches_and_the_other_waits(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sample(wheel)
    cache.mkdir()
    command = [sys.executable, "-c", PROCESS, repr(table["first.txt"])]
    with FileLock(cache / "pypi-videopose-sample-1.0.lock"):  # hold both back until both have come
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("waiting for another process")
    lines = [line for process in both for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in both] == [0, 0]
    use(monkeypatch, table)
    place = str(assets.cached("first.txt"))
    assert sorted(lines) == sorted([place, place, "fetching first.txt: videopose-sample 1.0 from PyPI, 1 MB"])


class Registry:
    """An npm registry with one package, on this machine."""

    def __init__(self) -> None:
        packed = io.BytesIO()
        manifest = b'{"name": "@videopose/sample", "version": "1.0.0"}'
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in {"package.json": manifest, **CONTENT}.items():
                info = tarfile.TarInfo(f"package/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        self.tarball = packed.getvalue()
        self.integrity = "sha512-" + base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()
        self.downloads = 0
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".tgz"):
                    registry.downloads += 1
                    answer = registry.tarball
                else:
                    dist = {"tarball": f"{registry.url}/sample.tgz", "integrity": registry.integrity}
                    version = {"name": "@videopose/sample", "version": "1.0.0", "dist": dist}
                    document = {"name": "@videopose/sample", "versions": {"1.0.0": version}}
                    answer = json.dumps({**document, "dist-tags": {"latest": "1.0.0"}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def package(self) -> Package:
        return Package(
            registry="npm", name="@videopose/sample", version="1.0.0", digest=self.integrity, megabytes=1
        )


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    served = Registry()
    monkeypatch.setenv("npm_config_registry", served.url)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH that holds an npm, whether or not the machine has one."""
    folder = tmp_path_factory.mktemp("npm")
    command = npm_command(folder / "node", lambda line: None)
    shim = folder / "npm"
    quoted = " ".join(f"'{word}'" for word in command)
    shim.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
    shim.chmod(0o755)
    return folder


def test_an_npm_package_is_fetched_once_for_all_its_files(
    cache: Path, registry: Registry, npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(npm), prepend=os.pathsep)
    use(monkeypatch, assets_of(registry.package(), "package"))
    assert [path.read_bytes() for path in assets.pull()] == list(CONTENT.values())
    assert registry.downloads == 1


def test_an_npm_package_that_is_not_the_pinned_one_is_refused(
    cache: Path, registry: Registry, npm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(npm), prepend=os.pathsep)
    wrong = replace(registry.package(), digest="sha512-" + base64.b64encode(bytes(64)).decode())
    use(monkeypatch, assets_of(wrong, "package"))
    with pytest.raises(AssetError, match="that npm brought is not the pinned one"):
        assets.fetch("first.txt")
    assert not list(cache.rglob("*.txt"))


def test_npm_offline(cache: Path, registry: Registry, npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(npm), prepend=os.pathsep)
    monkeypatch.setenv("npm_config_offline", "true")
    use(monkeypatch, assets_of(registry.package(), "package"))
    with pytest.raises(AssetError, match=r"npm failed \(.*videopose assets pull"):
        assets.fetch("first.txt")
    assert registry.downloads == 0
