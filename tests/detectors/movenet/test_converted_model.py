"""MoveNet's graphs are converted once and kept."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from videopose.detectors.movenet import converted_model as module
from videopose.detectors.movenet.converted_model import CONVERTER_VERSION, converted_model
from videopose.detectors.movenet.tfjs import read_tfjs
from videopose.detectors.movenet.tfjs_to_onnx import tfjs_to_onnx
from videopose.errors import InputError
from videopose.pipeline.downloads.assets import fetch

pytestmark = pytest.mark.network


def thunder() -> tuple[Path, Path]:
    return fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")


@pytest.fixture(scope="module")
def fresh() -> bytes:
    return converted_model(*thunder(), cache=None)


@pytest.fixture
def conversions(monkeypatch, fresh):
    """The conversions that are made, which are quick here."""
    made = []

    def convert(topology, weights):
        made.append(topology.name)
        return fresh

    monkeypatch.setattr(module, "_convert", convert)
    return made


def kept(cache):
    (path,) = cache.rglob("*.onnx")
    return path


def test_converts_once(tmp_path, fresh, conversions):
    assert [converted_model(*thunder(), tmp_path) for _ in range(3)] == [fresh] * 3
    assert conversions == ["movenet-thunder.json"]
    assert kept(tmp_path).read_bytes() == fresh
    assert kept(tmp_path).with_suffix(".sha256").read_text().strip() == hashlib.sha256(fresh).hexdigest()


@pytest.mark.parametrize("damage", ["cut", "flipped", "no digest", "odd digest"])
def test_a_damaged_model_is_converted_again(tmp_path, fresh, conversions, damage):
    converted_model(*thunder(), tmp_path)
    path = kept(tmp_path)
    digest = path.with_suffix(".sha256")
    match damage:
        case "cut":
            path.write_bytes(fresh[:-1])
        case "flipped":
            path.write_bytes(fresh[:1000] + bytes([fresh[1000] ^ 1]) + fresh[1001:])
        case "no digest":
            digest.unlink()
        case "odd digest":
            digest.write_bytes(b"\xff\xfe")
    assert converted_model(*thunder(), tmp_path) == fresh
    assert len(conversions) == 2
    assert converted_model(*thunder(), tmp_path) == fresh
    assert len(conversions) == 2


def test_the_key_covers_both_files_and_the_converter(tmp_path, conversions, monkeypatch):
    topology, weights = tmp_path / "thunder.json", tmp_path / "thunder.bin"
    topology.write_bytes(b"{}")
    weights.write_bytes(b"0")
    for change in (lambda: None, lambda: topology.write_bytes(b"{} "), lambda: weights.write_bytes(b"1")):
        change()
        converted_model(topology, weights, tmp_path / "cache")
    monkeypatch.setattr(module, "CONVERTER_VERSION", CONVERTER_VERSION + 1)
    converted_model(topology, weights, tmp_path / "cache")
    assert len(conversions) == 4
    assert len(list((tmp_path / "cache").rglob("*.onnx"))) == 4


def test_of_several_at_once_one_converts(tmp_path, fresh, conversions):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: converted_model(*thunder(), tmp_path), range(8)))
    assert found == [fresh] * 8
    assert len(conversions) == 1


def test_a_cache_that_cannot_be_written(tmp_path, fresh, conversions):
    file = tmp_path / "file"
    file.write_text("not a folder")
    assert converted_model(*thunder(), file) == fresh
    assert file.read_text() == "not a folder"


def test_a_source_that_cannot_be_converted_leaves_nothing(tmp_path):
    topology = tmp_path / "thunder.json"
    topology.write_text("{}")
    with pytest.raises(InputError, match="not a whole model"):
        converted_model(topology, thunder()[1], tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.onnx"))


def test_the_version_goes_with_the_converter():
    """After a change of the result: increase CONVERTER_VERSION, then write both here."""
    nodes = tfjs_to_onnx(read_tfjs(*thunder())).graph.node
    stated = [
        (
            node.op_type,
            list(node.input),
            list(node.output),
            [a.SerializeToString(deterministic=True) for a in node.attribute],
        )
        for node in nodes
    ]
    digest = hashlib.sha256(repr(stated).encode()).hexdigest()[:16]
    assert (CONVERTER_VERSION, digest) == (1, "cf8ea9f6e0e8d263")


def test_a_cached_model_needs_no_onnx(tmp_path):
    converted_model(*thunder(), tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from videopose.detectors.movenet.session import open_session\n"
        "open_session(*map(Path, sys.argv[1:3]), cache=Path(sys.argv[3]), threads=1)\n"
        "import os; print('onnx' in sys.modules, os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, thunder()), str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["False", "1"]
