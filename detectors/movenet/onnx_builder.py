"""Build an ONNX model node by node, keeping track of the layout of every image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""The first ONNX operator set in which Resize has named axes. All supported onnxruntimes have it."""

IR_VERSION = 8

_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


@dataclass(frozen=True)
class Tensor:
    """A value of the ONNX graph.

    Attributes:
        name: Its name in the graph.
        nchw: Whether it is an image in ONNX's layout (N, C, H, W). If not, it has TensorFlow's layout.
        value: The value of a constant, else None.
    """

    name: str
    nchw: bool = False
    value: NDArray[Any] | None = None


class OnnxBuilder:
    """Collects nodes, constants and inputs, and makes a model of them."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Tensor] = {}
        self._transposed: dict[tuple[str, bool], Tensor] = {}
        self._inputs: list[onnx.ValueInfoProto] = []

    def model(self, output: Tensor, name: str, shape: Sequence[int]) -> onnx.ModelProto:
        """Return the model; its one output is `output` as float32, called `name`."""
        result = self.nhwc(output)
        self._nodes.append(helper.make_node("Identity", [result.name], [name]))
        used = {name for node in self._nodes for name in node.input}
        initializers = [
            numpy_helper.from_array(np.array(constant.value, order="C"), constant.name)
            for constant in self._constants.values()
            if constant.name in used
        ]
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "tfjs", self._inputs, [info], initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)

    def input(self, name: str, kind: int, shape: Sequence[int | str]) -> Tensor:
        """Add an input of the model. A string in `shape` names an axis of any length."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return Tensor(name)

    def emit(
        self,
        op: str,
        inputs: Sequence[Tensor],
        *,
        outputs: int = 1,
        nchw: bool = False,
        **attributes: Any,
    ) -> list[Tensor]:
        """Add a node; return its outputs. `nchw` tells their layout."""
        names = [f"{op}_{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(op, [tensor.name for tensor in inputs], names, **attributes))
        return [Tensor(name, nchw) for name in names]

    def one(self, op: str, *inputs: Tensor, nchw: bool = False, **attributes: Any) -> Tensor:
        """Add a node with one output; return it."""
        return self.emit(op, inputs, nchw=nchw, **attributes)[0]

    def constant(self, value: NDArray[Any]) -> Tensor:
        """Return a constant. Equal constants, such as axes, are stored once."""
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            self._constants[key] = Tensor(f"const_{len(self._constants)}", value=value)
        return self._constants[key]

    def integers(self, *values: int) -> Tensor:
        """Return a constant of int64 numbers."""
        return self.constant(np.array(values, np.int64))

    def int64(self, tensor: Tensor) -> Tensor:
        """Return the tensor as int64, which ONNX needs for shapes and indices; TensorFlow has int32."""
        if tensor.value is not None:
            return self.constant(tensor.value.astype(np.int64))
        return self.one("Cast", tensor, to=TensorProto.INT64)

    def int32(self, tensor: Tensor) -> Tensor:
        """Return the tensor as int32, TensorFlow's type for shapes and indices."""
        return self.one("Cast", tensor, to=TensorProto.INT32)

    def nhwc(self, tensor: Tensor) -> Tensor:
        """Return the tensor in TensorFlow's layout."""
        return self._in_layout(tensor, nchw=False)

    def nchw(self, tensor: Tensor) -> Tensor:
        """Return an image in ONNX's layout."""
        return self._in_layout(tensor, nchw=True)

    def _in_layout(self, tensor: Tensor, nchw: bool) -> Tensor:
        if tensor.nchw == nchw:
            return tensor
        key = (tensor.name, nchw)
        if key not in self._transposed:
            order = _TO_NCHW if nchw else _TO_NHWC
            self._transposed[key] = self.one("Transpose", tensor, perm=order, nchw=nchw)
        return self._transposed[key]
