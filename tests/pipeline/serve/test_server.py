"""`videopose serve` checks everything before it prints an address or opens a browser."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from videopose.errors import AssetError

Run = Callable[..., Any]


def refuse(*given: object, **more: object) -> None:
    raise AssetError("three.module.min.js cannot be fetched")


def test_what_is_wrong_is_said_before_the_address(
    tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("videopose.pipeline.serve.app.make_app", refuse)
    monkeypatch.setattr("webbrowser.open", lambda address: pytest.fail("a browser was opened"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        for words, code, message in (
            (["--port", "0"], 6, "three.module.min.js cannot be fetched"),
            (["--port", "70000"], 2, "--port takes a number from 0 to 65535, found 70000"),
            (["--port", taken], 2, f"port {taken} cannot be used"),
            (["--port", "0", "--max-size", "nan"], 2, "--max-size takes megabytes from 0 to 100000"),
            (["--port", "0", "--folder", tmp_path / "file"], 5, "see --folder"),
        ):
            done = videopose("serve", "--folder", tmp_path / "served", *words)
            assert done.code == code, done.err
            assert message in done.errors[0]
            assert (done.out, done.err.splitlines()) == ("", done.errors)
