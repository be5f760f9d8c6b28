import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from videopose.pipeline.downloads.archives import read_members
from videopose.pipeline.downloads.registry_packages import PackageError


def zipped(path: Path, members: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_members_of_both_kinds_of_archive(tmp_path: Path) -> None:
    wheel = zipped(tmp_path / "a.whl", {"x/one": b"1", "x/two": b"22", "x/three": b"333"})
    tarball = tarred(
        tmp_path / "a.tgz", [(tarfile.TarInfo(f"package/{n}"), n.encode()) for n in ("one", "two", "three")]
    )
    assert read_members(wheel, {"x/two": 2, "x/one": 1}) == {"x/one": b"1", "x/two": b"22"}
    assert read_members(tarball, {"package/three": 5}) == {"package/three": b"three"}


def test_nothing_but_the_named_members_reaches_the_disk(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    wheel = zipped(inside / "a.whl", {"../evil": b"!", "good": b"1"})
    tarball = tarred(
        inside / "a.tgz",
        [
            (tarfile.TarInfo("../evil"), b"!"),
            (tarfile.TarInfo(str(tmp_path / "evil")), b"!"),
            (tarfile.TarInfo("good"), b"1"),
        ],
    )
    for archive in (wheel, tarball):
        assert read_members(archive, {"good": 1}) == {"good": b"1"}
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tgz", "a.whl", "inside"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_member_that_is_no_regular_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    tarball = tarred(tmp_path / "a.tgz", [(link("good", "/etc/hostname", kind), b"")])
    with pytest.raises(PackageError, match="not a regular file"):
        read_members(tarball, {"good": 0})


def test_a_link_in_a_wheel_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("good")
    info.external_attr = 0o120777 << 16
    wheel = zipped(tmp_path / "a.whl", {info: b"/etc/hostname"})
    with pytest.raises(PackageError, match="not a regular file"):
        read_members(wheel, {"good": 13})


@pytest.mark.parametrize("size", [0, 2, 1000])
def test_a_member_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    wheel = zipped(tmp_path / "a.whl", {"good": b"1"})
    tarball = tarred(tmp_path / "a.tgz", [(tarfile.TarInfo("good"), b"1")])
    for archive in (wheel, tarball):
        with pytest.raises(PackageError, match=f"good is not {size} bytes"):
            read_members(archive, {"good": size})


def test_a_missing_member_and_a_broken_archive(tmp_path: Path) -> None:
    wheel = zipped(tmp_path / "a.whl", {"good": b"1"})
    tarball = tarred(tmp_path / "a.tgz", [(tarfile.TarInfo("good"), b"1" * 1000)])
    for archive in (wheel, tarball):
        with pytest.raises(PackageError, match="holds no other"):
            read_members(archive, {"other": 1})
        archive.write_bytes(archive.read_bytes()[:40])
        with pytest.raises(PackageError, match="cannot be unpacked"):
            read_members(archive, {"good": 1})
