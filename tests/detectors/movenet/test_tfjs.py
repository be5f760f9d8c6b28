"""Reading MoveNet's published files, whole and damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from videopose.detectors.movenet.tfjs import producer, read_tfjs
from videopose.errors import InputError
from videopose.pipeline.downloads.assets import fetch

pytestmark = pytest.mark.network


@pytest.fixture
def model(tmp_path):
    """A copy of Thunder that a test may damage: paths of graph and weights."""
    return tuple(
        Path(shutil.copy(fetch(name), tmp_path / name))
        for name in ("movenet-thunder.json", "movenet-thunder.bin")
    )


def edit(path, change):
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))


def test_reads_thunder(model):
    graph = read_tfjs(*model)
    assert (graph.input, graph.output, graph.output_shape) == ("input", "Identity", (1, 1, 17, 3))
    assert {node.op for node in graph.nodes} >= {"_FusedConv2D", "ArgMax", "GatherNd"}
    done = set()
    for node in graph.nodes:
        assert {producer(reference) for reference in node.inputs} <= done
        done.add(node.name)
    kernels = [array for array in graph.constants.values() if array.ndim == 4 and array.shape[:2] == (3, 3)]
    assert kernels
    assert all(kernel.dtype == np.float32 and np.isfinite(kernel).all() for kernel in kernels)


@pytest.mark.parametrize("change", [-1, -2, 2, -1_000_000])
def test_weights_of_the_wrong_length(model, change):
    blob = model[1].read_bytes()
    model[1].write_bytes(blob[:change] if change < 0 else blob + b"\0" * change)
    with pytest.raises(InputError, match=r"weights end within|accounts for"):
        read_tfjs(*model)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"graph"', b"{}", b"\xff\xfe"])
def test_graph_that_is_no_graph(model, text):
    model[0].write_bytes(text)
    with pytest.raises(InputError, match=r"movenet-thunder\.json"):
        read_tfjs(*model)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["weightsManifest"][0]["weights"][3].update(dtype="complex64"),
        lambda m: m["weightsManifest"][0]["weights"][3].update(shape=[-1]),
        lambda m: m["weightsManifest"][0]["weights"][3].update(shape=["a"]),
        lambda m: m["weightsManifest"][0]["paths"].append("second.bin"),
        lambda m: m["weightsManifest"].clear(),
        lambda m: [w.update(quantization={"dtype": "uint8"}) for w in m["weightsManifest"][0]["weights"]],
        lambda m: m["modelTopology"]["node"].pop(),
        lambda m: [n.update(input=["nowhere"]) for n in m["modelTopology"]["node"] if n["op"] == "Mul"],
        lambda m: [n.update(input=["Identity"]) for n in m["modelTopology"]["node"] if n["op"] == "Mul"],
        lambda m: [n.update(attr={"T": {"x": 1}}) for n in m["modelTopology"]["node"] if n["op"] == "Mul"],
        lambda m: [n.update(attr={"T": {"s": "é"}}) for n in m["modelTopology"]["node"] if n["op"] == "Mul"],
        lambda m: m.pop("signature"),
    ],
)
def test_graph_that_disagrees_with_itself(model, change):
    edit(model[0], change)
    with pytest.raises(InputError, match="not a whole model"):
        read_tfjs(*model)


def test_missing_file(model, tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nowhere\.bin"):
        read_tfjs(model[0], tmp_path / "nowhere.bin")
