"""Read a TensorFlow.js graph model, a JSON file and a binary file of weights, as plain data."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, one_line

Attribute = bool | int | float | str | tuple[int, ...] | tuple[str, ...]

_STORED = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4"), "bool": np.dtype("?")}
_HALF = np.dtype("<f2")  # the only quantisation that is read: float32 weights stored as float16


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        name: Its name in the graph.
        op: The operation, such as "Conv2D".
        inputs: Names of nodes. "NAME:k" is output k of a node; without ":k", its first output.
        attributes: The operation's parameters.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class TfjsGraph:
    """A graph with one input and one output.

    Attributes:
        nodes: The nodes that the output needs, each after its inputs.
        constants: The array of every `Const` node by name: float32, int32 or bool.
        input: The name of the input's node.
        output: The name of the output's node.
        output_shape: The output's shape as the model states it.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]
    input: str
    output: str
    output_shape: tuple[int, ...]


def producer(reference: str) -> str:
    """Return the name of the node in a reference such as `split:1`."""
    return reference.partition(":")[0]


def read_tfjs(topology: Path, weights: Path) -> TfjsGraph:
    """Read a graph model. Nothing in the files is executed.

    Args:
        topology: The JSON file.
        weights: The binary file.

    Raises:
        InputError: A file cannot be read, is not such a model, or the two do not belong together.
    """
    try:
        model = json.loads(topology.read_bytes())
        blob = weights.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{topology} is not a TensorFlow.js model: it is not valid JSON") from error
    try:
        nodes = {str(raw["name"]): _node(raw) for raw in model["modelTopology"]["node"]}
        stored = _constants(model["weightsManifest"], blob)
        (given,) = model["signature"]["inputs"].values()
        (asked,) = model["signature"]["outputs"].values()
        graph_input, graph_output = producer(given["name"]), producer(asked["name"])
        output_shape = tuple(int(axis["size"]) for axis in asked["tensorShape"]["dim"])
        ordered = _in_order(nodes, graph_output)
        constants = {node.name: stored[node.name] for node in ordered if node.op == "Const"}
        if [node.name for node in ordered if node.op == "Placeholder"] != [graph_input]:
            raise ValueError(f"its input is not {graph_input!r} alone")
    except (KeyError, TypeError, AttributeError, ValueError, CycleError, binascii.Error) as error:
        raise InputError(f"{topology} with {weights.name} is not a whole model: {one_line(error)}") from error
    return TfjsGraph(ordered, constants, graph_input, graph_output, output_shape)


def _node(raw: Mapping[str, Any]) -> Node:
    attributes = {}
    if raw["op"] != "Const":  # the value of a constant is in the file of weights
        attributes = {key: _attribute(value) for key, value in raw.get("attr", {}).items()}
    # "^name" only orders nodes with side effects, which a graph for inference does not have
    inputs = tuple(i.removesuffix(":0") for i in raw.get("input", ()) if not i.startswith("^"))
    return Node(raw["name"], raw["op"], inputs, attributes)


def _attribute(value: Mapping[str, Any]) -> Attribute:
    """The value of an attribute in protobuf's JSON, where integers are strings, and strings are base64."""
    ((kind, content),) = value.items()
    match kind:
        case "b":
            return bool(content)
        case "i":
            return int(content)
        case "f":
            return float(content)
        case "s":
            return _text(content)
        case "type":
            return str(content)
        case "shape":
            return tuple(int(axis["size"]) for axis in content.get("dim", ()))
        case "list" if "s" in content:
            return tuple(_text(item) for item in content["s"])
        case "list":
            return tuple(int(item) for item in content.get("i", ()))
    raise ValueError(f"an attribute of unknown kind {kind!r}")


def _text(content: str) -> str:
    return base64.b64decode(content, validate=True).decode()


def _constants(manifest: list[Any], blob: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in the file of weights, by name."""
    if len(manifest) != 1 or len(manifest[0]["paths"]) != 1:
        raise ValueError("expected weights in one file, found several")
    constants = {}
    offset = 0
    for entry in manifest[0]["weights"]:
        name, shape, final = entry["name"], tuple(entry["shape"]), _STORED.get(entry["dtype"])
        if final is None or not all(isinstance(axis, int) and axis >= 0 for axis in shape):
            raise ValueError(f"{name} has type {entry['dtype']!r} and shape {shape}")
        stored = final
        if quantization := entry.get("quantization"):
            if (quantization.get("dtype"), entry["dtype"]) != ("float16", "float32"):
                raise ValueError(f"{name} is quantised to {quantization.get('dtype')!r}, not float16")
            stored = _HALF
        count = math.prod(shape)
        if offset + count * stored.itemsize > len(blob):
            raise ValueError(f"the weights end within {name}")
        constants[name] = np.frombuffer(blob, stored, count, offset).reshape(shape).astype(final)
        offset += count * stored.itemsize
    if offset != len(blob):
        raise ValueError(f"the graph accounts for {offset} bytes of weights, the file has {len(blob)}")
    return constants


def _in_order(nodes: Mapping[str, Node], output: str) -> tuple[Node, ...]:
    """The nodes that the output needs, each after its inputs."""
    needed: dict[str, tuple[str, ...]] = {}
    waiting = [output]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = tuple(producer(reference) for reference in nodes[name].inputs)
            waiting.extend(needed[name])
    return tuple(nodes[name] for name in TopologicalSorter(needed).static_order())
