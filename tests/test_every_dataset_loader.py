"""Property tests of what reads datasets' files, packages and exiftool's answers; see `damaged_files`.

HYPOTHESIS_PROFILE=long pytest tests/test_every_dataset_loader.py
"""

import gzip
import io
import json
import os
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cdflib.cdfwrite
import numpy as np
import pytest
from damaged_files import Case, check_survives
from scipy.io import loadmat, savemat

from videopose.errors import InputError
from videopose.pipeline.camera_metadata import exiftool
from videopose.pipeline.datasets import prepare_human36m, prepare_humaneva
from videopose.pipeline.datasets.cdf import read_cdf
from videopose.pipeline.datasets.mat import read_mat
from videopose.pipeline.downloads.archives import read_members
from videopose.pipeline.downloads.registry_packages import PackageError

_RANDOM = np.random.default_rng(0)
_ANSWER = [{"SourceFile": "a.mp4", "FocalLengthIn35mmFormat": 26, "FocalLength": 4.5, "ScaleFactor35efl": 6}]


def _human36m_mat(path: Path) -> None:
    cell = np.empty((1, 1), object)
    cell[0, 0] = _RANDOM.normal(0, 500, (4, 96))
    savemat(path, {"data": cell}, do_compression=True)


def _human36m_cdf(path: Path, compression: int = 6, whole: int = 0) -> None:
    file = cdflib.cdfwrite.CDF(path, {"Encoding": 6, "Compressed": whole}, delete=True)
    variable = {
        "Variable": "Pose",
        "Data_Type": 45,
        "Num_Elements": 1,
        "Rec_Vary": True,
        "Var_Type": "zVariable",
    }
    variable |= {"Dim_Sizes": [4, 96], "Compress": compression}
    file.write_var(variable, var_data=_RANDOM.normal(0, 500, (1, 4, 96)))
    file.close()


def _positions(path: Path) -> Any:
    return prepare_human36m._positions(path)


def _humaneva(path: Path) -> None:
    savemat(path, {"poses_3d": _RANDOM.normal(0, 500, (2, 15, 3)), "poses_2d": np.ones((3, 2, 15, 2))})


def _wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package/model.onnx", b"weights" * 9)
        archive.writestr("package-1.dist-info/RECORD", b"package/model.onnx,,\n")


def _tarball(path: Path) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name in ("package/package.json", "package/build/three.module.min.js", "ü" * 90):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"three"))


def _plain_tarball(path: Path) -> None:
    """Without compression, so that the headers of members are damaged and not their checksum."""
    _tarball(path)
    path.write_bytes(gzip.decompress(path.read_bytes()))


def _read_plain_tarball(path: Path) -> None:
    packed = path.with_name("a.tgz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    read_members(packed, {"package/build/three.module.min.js": 5})


_CASES = {
    case.name: case
    for case in (
        Case("walking.cdf.mat", _human36m_mat, _positions),
        Case("walking.cdf", _human36m_cdf, _positions),
        Case("plain.cdf", lambda path: _human36m_cdf(path, 0), _positions),
        Case("humaneva.mat", _humaneva, prepare_humaneva._clip),
        Case("whole.cdf", lambda path: _human36m_cdf(path, 0, 6), _positions),
        Case(
            "a.whl", _wheel, lambda path: read_members(path, {"package/model.onnx": 63}), errors=PackageError
        ),
        Case(
            "package.tgz",
            _tarball,
            lambda path: read_members(path, {"package/build/three.module.min.js": 5}),
            errors=PackageError,
        ),
        Case("package.tar", _plain_tarball, _read_plain_tarball, errors=PackageError),
    )
}


@pytest.mark.parametrize("name", list(_CASES))
def test_damaged_files_of_datasets_and_packages(name: str, tmp_path: Path) -> None:
    check_survives(_CASES[name], tmp_path)


def test_damaged_answers_of_exiftool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exiftool.shutil, "which", lambda name: "/usr/bin/exiftool")
    monkeypatch.setattr(exiftool, "_safe", lambda program: True)

    def load(path: Path) -> Any:
        answer = path.read_bytes().decode(errors="replace")
        monkeypatch.setattr(exiftool, "_ask", lambda *arguments: answer)
        return exiftool.read_camera(path, (640, 360))

    case = Case("answer.json", lambda path: path.write_text(json.dumps(_ANSWER)), load)
    check_survives(case, tmp_path)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_matlab_file_is_read_as_scipy_reads_it(compressed: bool, tmp_path: Path) -> None:
    cell = np.empty((2, 1), object)
    cell[0, 0], cell[1, 0] = _RANDOM.normal(0, 500, (4, 3)), np.int16([[1, -2]])
    content = {
        "data": cell,
        "poses": _RANDOM.normal(0, 500, (5, 15, 3)),
        "small": np.float32([[3]]),
        "many": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "none": np.zeros((0, 3)),
        "text": "left out",
    }
    savemat(tmp_path / "a.mat", content, do_compression=compressed)
    found, expected = read_mat(tmp_path / "a.mat"), loadmat(tmp_path / "a.mat")
    assert set(found) == {"data", "poses", "small", "many", "none"}
    for name in ("poses", "small", "many", "none"):
        np.testing.assert_array_equal(found[name], expected[name])
    for row in range(2):
        np.testing.assert_array_equal(found["data"][row, 0], expected["data"][row, 0])


def test_a_matlab_file_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    _human36m_mat(tmp_path / "sound.mat")
    bomb = zlib.compress(bytes(200 << 20), 1)
    element = (15).to_bytes(4, "little") + len(bomb).to_bytes(4, "little") + bomb
    head = (tmp_path / "sound.mat").read_bytes()[:128]
    (tmp_path / "bomb.mat").write_bytes(head + element)
    with pytest.raises(InputError, match="unpacks to far more than its size"):
        prepare_humaneva._clip(tmp_path / "bomb.mat")


@pytest.mark.parametrize("compression", [0, 6])
@pytest.mark.parametrize("majority", ["row_major", "column_major"])
@pytest.mark.parametrize(("records", "shape"), [(1, [4, 96]), (70, [3, 5]), (2000, [3]), (3, [])])
def test_a_cdf_file_is_read_as_cdflib_reads_it(
    records: int, shape: list[int], majority: str, compression: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.cdf"
    file = cdflib.cdfwrite.CDF(path, {"Encoding": 6, "Majority": majority}, delete=True)
    about = {"Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable"}
    about |= {"Dim_Sizes": shape, "Compress": compression, "Block_Factor": 16}
    values = _RANDOM.normal(0, 500, (records, *shape))
    file.write_var(about | {"Variable": "Other"}, var_data=values[:1])
    file.write_var(about | {"Variable": "Pose"}, var_data=values)
    file.close()
    np.testing.assert_array_equal(
        read_cdf(path, "Pose"), np.reshape(cdflib.CDF(path).varget("Pose"), values.shape)
    )
    if majority == "row_major":  # (cdflib does not reorder what it writes)
        np.testing.assert_array_equal(read_cdf(path, "Pose"), values)
    with pytest.raises(KeyError):
        read_cdf(path, "pose")


def test_a_cdf_file_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    file = cdflib.cdfwrite.CDF(tmp_path / "a.cdf", {"Encoding": 6}, delete=True)
    about = {
        "Variable": "Pose",
        "Data_Type": 45,
        "Num_Elements": 1,
        "Rec_Vary": True,
        "Var_Type": "zVariable",
    }
    file.write_var(about | {"Dim_Sizes": [12_000_000], "Compress": 1}, var_data=np.zeros((1, 12_000_000)))
    file.close()
    with pytest.raises(ValueError, match="which the file does not hold"):
        read_cdf(tmp_path / "a.cdf", "Pose")
    content = (tmp_path / "a.cdf").read_bytes()
    bomb = gzip.compress(bytes(200 << 20), 1)
    record = (32 + len(bomb)).to_bytes(8) + (10).to_bytes(4) + bytes(8) + (200 << 20).to_bytes(8) + bytes(4)
    (tmp_path / "whole.cdf").write_bytes(content[:4] + b"\xcc\xcc\x00\x01" + record + bomb)
    with pytest.raises(ValueError, match="unpacks to far more than its size"):
        read_cdf(tmp_path / "whole.cdf", "Pose")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names on POSIX only")
def test_an_answer_of_exiftool_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "exiftool"
    program.write_text(f"#!{sys.executable}\nwhile True: print('x' * 100000)\n")
    program.chmod(0o755)
    assert len(exiftool._ask(str(program), "-json")) == 1 << 20
