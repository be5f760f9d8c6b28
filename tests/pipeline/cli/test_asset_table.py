import re
from pathlib import Path

import pytest

from videopose.pipeline.cli.assets import show
from videopose.pipeline.downloads import assets


def _rows(text: str) -> dict[str, str]:
    """Each asset's line of the table."""
    return {found[1]: line for line in text.splitlines() if (found := re.match(r"\W*([\w.-]+\.\w+) ", line))}


@pytest.mark.network
def test_what_is_pinned_and_cached_and_where(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for name in assets.ASSETS:
        assets.fetch(name)
    show()
    said = capfd.readouterr()
    rows = _rows(said.out)
    assert rows.keys() == assets.ASSETS.keys()
    for name, row in rows.items():
        asset = assets.ASSETS[name]
        for part in (asset.what, str(asset.package), asset.licence, " yes "):
            assert part in row
    assert f"cache: {assets.cache_folder()}\n" in said.out
    assert "`videopose assets pull` fetches what is missing; VIDEOPOSE_CACHE moves the cache." in said.out
    assert said.err == ""


def test_looking_fetches_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    asset = assets.ASSETS["demo.mp4"]
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path / "empty"))
    asset.path.parent.mkdir(parents=True)
    asset.path.write_text("damaged")
    show()
    rows = _rows(capfd.readouterr().out)
    assert len(rows) == len(assets.ASSETS)
    assert all(" no " in row for row in rows.values())
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [asset.path]
