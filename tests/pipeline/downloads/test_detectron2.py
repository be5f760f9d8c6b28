import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from videopose.errors import AssetError
from videopose.pipeline.cli.install import install
from videopose.pipeline.downloads import detectron2 as install_detectron2
from videopose.pipeline.downloads.detectron2 import REQUIREMENTS, _download_sdist, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the pinned sdist, fetched for real."""
    folder = tmp_path_factory.mktemp("detectron2")
    return build_wheel(_download_sdist(folder / "sdist"), folder)


@pytest.mark.network
def test_pip_installs_it_and_python_imports_it(wheel: Path, tmp_path: Path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*pip, "--target", str(tmp_path), str(wheel)], check=True, stderr=subprocess.DEVNULL)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2; "
        "require_detectron2(); "
        "import detectron2, detectron2.model_zoo as zoo; print(detectron2.__file__); "
        "print(zoo.get_config('COCO-Keypoints/keypoint_rcnn_R_101_FPN_3x.yaml').MODEL.RESNETS.DEPTH)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [str(tmp_path / "detectron2" / "__init__.py"), "101"], done.stderr


@pytest.mark.network
def test_its_metadata(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        about = f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info"
        metadata = email.message_from_bytes(archive.read(f"{about}/METADATA"))
        assert metadata["Name"] == "detectron2"
        assert metadata.get_all("Requires-Dist") == REQUIREMENTS
        assert b"Apache License" in archive.read(f"{about}/LICENSE")
        names = {line.split(",")[0] for line in archive.read(f"{about}/RECORD").decode().splitlines()}
        assert names == set(archive.namelist())


@pytest.mark.network
def test_what_is_gone_from_other_libraries_is_mended(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        code = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}
    for gone in ("np.int)", "np.bool)", "np.float)", "Image.LINEAR", "pkg_resources"):
        assert not [name for name, text in code.items() if gone in text]
    assert (
        'torch.meshgrid(shifts_y, shifts_x, indexing="ij")' in code["detectron2/modeling/anchor_generator.py"]
    )
    for name, text in code.items():
        compile(text, name, "exec")


def test_an_installed_one_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # it would be missed
    before = install_detectron2.install(lambda line: pytest.fail(line))
    assert (before / "modeling").is_dir()
    done = CliRunner().invoke(install, ["detectron2"])
    assert done.output.strip() == str(before)


def test_another_sdist_is_refused_before_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    name, version = install_detectron2.SDIST
    marker = tmp_path / "executed"
    (tmp_path / "setup.py").write_text(f"open({str(marker)!r}, 'w')")
    served = tmp_path / "served" / f"{name}-{version}.tar.gz"
    served.parent.mkdir()
    with tarfile.open(served, "w:gz") as archive:
        archive.add(tmp_path / "setup.py", f"{name}-{version}/setup.py")
    for variable, value in {"NO_INDEX": "1", "FIND_LINKS": str(served.parent), "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{variable}", value)
    with pytest.raises(install_detectron2.PackageError, match=r"(?i)hash"):
        _download_sdist(tmp_path / "sdist")
    assert not marker.exists()


def test_offline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "detectron2", None)  # as if it were not installed
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    said: list[str] = []
    with pytest.raises(AssetError, match="videopose install detectron2") as caught:
        install_detectron2.install(said.append)
    assert "\n" not in str(caught.value)
    assert len(said) == 1
