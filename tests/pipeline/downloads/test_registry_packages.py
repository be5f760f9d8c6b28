import subprocess
from pathlib import Path

import pytest

from videopose.pipeline.downloads.registry_packages import PackageError, download_wheel, npm_command


def test_pip_that_cannot_reach_an_index_says_so_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(PackageError, match=r"pip failed \(No matching distribution found for sports2d"):
        download_wheel("sports2d", "0.8.34", {"0" * 64}, tmp_path / "work")


@pytest.mark.network
def test_npm_comes_from_pypi_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    command = npm_command(tmp_path / "npm", said.append)
    assert len(said) == 1
    assert "fetching npm" in said[0]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert int(version.stdout.split(".")[0]) >= 10
