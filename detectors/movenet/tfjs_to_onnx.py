"""Stating a TensorFlow.js graph in ONNX, so that onnxruntime can run it.

TensorFlow lays images out as (N, H, W, C), ONNX as (N, C, H, W). The layout of every tensor is followed:
from the first convolution to the last everything stays (N, C, H, W), and only what reads pixels by position
goes back. Kernels are transposed here, once; bias and activation sit where onnxruntime fuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ...errors import InputError
from .tfjs import Node, TfjsGraph

OPSET = 18  # the first whose Resize names its axes; known to every supported onnxruntime
IR_VERSION = 8

_TYPES = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT32, "DT_BOOL": TensorProto.BOOL}
_TO_NCHW, _TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_END = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Tensor:
    """A named value of the ONNX graph; `nchw` where an image was left in that layout; `value` if constant."""

    name: str
    nchw: bool = False
    value: NDArray[Any] | None = None


def tfjs_to_onnx(graph: TfjsGraph) -> onnx.ModelProto:
    """State the graph as an ONNX model with the same input and output, names, types and layouts included.

    Covers the operations that MoveNet's published graphs use; raises `InputError` on any other.
    """
    return _Writer(graph).model()


class _Writer:
    def __init__(self, graph: TfjsGraph) -> None:
        self._graph = graph
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], _Tensor] = {}
        self._tensors: dict[str, _Tensor] = {}
        self._relaid: dict[tuple[str, bool], _Tensor] = {}
        self._inputs: list[onnx.ValueInfoProto] = []

    def model(self) -> onnx.ModelProto:
        for node in self._graph.nodes:
            try:
                outputs = self._state(node)
            except (KeyError, ValueError, TypeError) as error:
                raise InputError(
                    f"cannot state {node.name} ({node.op}) in ONNX: unexpected {error}; "
                    "only MoveNet's published graphs are covered"
                ) from error
            for index, tensor in enumerate(outputs):
                self._tensors[f"{node.name}:{index}" if index else node.name] = tensor
        result = self._nhwc(self._tensors[self._graph.output])
        self._nodes.append(helper.make_node("Identity", [result.name], [self._graph.output]))
        output = helper.make_tensor_value_info(
            self._graph.output, TensorProto.FLOAT, self._graph.output_shape
        )
        used = {name for node in self._nodes for name in node.input}
        initializers = [
            numpy_helper.from_array(np.array(constant.value, order="C"), constant.name)
            for constant in self._constants.values()
            if constant.name in used
        ]
        graph = helper.make_graph(self._nodes, "tfjs", self._inputs, [output], initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)

    def _state(self, node: Node) -> Sequence[_Tensor]:
        if node.op == "Const":
            return [self._constant(self._graph.constants[node.name])]
        if node.op == "Placeholder":
            return [self._placeholder(node)]
        inputs = [self._tensors[reference] for reference in node.inputs]
        if node.op in _ELEMENTWISE:
            return [self._elementwise(_ELEMENTWISE[node.op], inputs)]
        if node.op not in _STATEMENTS:
            raise InputError(
                f"cannot state {node.name} in ONNX: the operation {node.op} is not among those of MoveNet"
            )
        stated = _STATEMENTS[node.op](self, node, inputs)
        return [stated] if isinstance(stated, _Tensor) else stated

    # building blocks -----------------------------------------------------------------------------------

    def _emit(
        self,
        op: str,
        inputs: Sequence[_Tensor],
        *,
        outputs: int = 1,
        nchw: bool = False,
        **attributes: Any,
    ) -> list[_Tensor]:
        names = [f"{op}_{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(op, [tensor.name for tensor in inputs], names, **attributes))
        return [_Tensor(name, nchw) for name in names]

    def _one(self, op: str, *inputs: _Tensor, nchw: bool = False, **attributes: Any) -> _Tensor:
        return self._emit(op, inputs, nchw=nchw, **attributes)[0]

    def _constant(self, value: NDArray[Any]) -> _Tensor:
        # equal constants share one initializer: shapes and axes come again and again
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            self._constants[key] = _Tensor(f"const_{len(self._constants)}", value=value)
        return self._constants[key]

    def _integers(self, *values: int) -> _Tensor:
        return self._constant(np.array(values, np.int64))

    def _int64(self, tensor: _Tensor) -> _Tensor:
        """ONNX wants shapes and indices as int64 where TensorFlow has int32."""
        if tensor.value is not None:
            return self._constant(tensor.value.astype(np.int64))
        return self._one("Cast", tensor, to=TensorProto.INT64)

    def _int32(self, tensor: _Tensor) -> _Tensor:
        return self._one("Cast", tensor, to=TensorProto.INT32)

    def _relay(self, tensor: _Tensor, nchw: bool) -> _Tensor:
        if tensor.nchw == nchw:
            return tensor
        key = (tensor.name, nchw)
        if key not in self._relaid:
            order = _TO_NCHW if nchw else _TO_NHWC
            self._relaid[key] = self._one("Transpose", tensor, perm=order, nchw=nchw)
        return self._relaid[key]

    def _nhwc(self, tensor: _Tensor) -> _Tensor:
        return self._relay(tensor, nchw=False)

    def _nchw(self, tensor: _Tensor) -> _Tensor:
        return self._relay(tensor, nchw=True)

    # operations ----------------------------------------------------------------------------------------

    def _placeholder(self, node: Node) -> _Tensor:
        names = ("batch", "height", "width", "channels")
        sizes = cast("tuple[int, ...]", node.attributes["shape"])
        shape = [size if size >= 0 else name for size, name in zip(sizes, names, strict=True)]
        kind = _TYPES[str(node.attributes["dtype"])]
        self._inputs.append(helper.make_tensor_value_info(node.name, kind, shape))
        return _Tensor(node.name)

    def _elementwise(self, op: str, inputs: Sequence[_Tensor]) -> _Tensor:
        images = [tensor.nchw for tensor in inputs]
        # a scalar broadcasts in either layout; anything else must lie as TensorFlow meant it
        scalars = [tensor.value is not None and tensor.value.ndim == 0 for tensor in inputs]
        nchw = any(images) and all(i or s for i, s in zip(images, scalars, strict=True))
        return self._one(op, *(inputs if nchw else map(self._nhwc, inputs)), nchw=nchw)

    def _convolution(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        image, kernel, *rest = inputs
        if kernel.value is None or kernel.value.ndim != 4:
            raise ValueError("kernel, which is not a constant of four axes")
        groups = 1
        if "Depthwise" in node.op:  # (kh, kw, C, multiplier)
            groups = kernel.value.shape[2]
            weights = kernel.value.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.value.shape[:2])
        else:  # (kh, kw, C in, C out)
            weights = kernel.value.transpose(3, 2, 0, 1)
        arguments = [self._nchw(image), self._constant(weights)]
        fused = list(cast("tuple[str, ...]", node.attributes.get("fused_ops", ())))
        if fused[:1] == ["BiasAdd"]:
            fused.pop(0)
            arguments.append(rest.pop(0))
        result = self._one(
            "Conv", *arguments, group=groups, nchw=True, **_window(node, weights.shape[2:]),
            dilations=_spatial(node, "dilations"),
        )  # fmt: skip
        for name in fused:
            match name:
                case "Relu":
                    result = self._one("Relu", result, nchw=True)
                case "Relu6":
                    bounds = (self._constant(np.array(bound, np.float32)) for bound in (0, 6))
                    result = self._one("Clip", result, *bounds, nchw=True)
                case _:
                    raise ValueError(f"activation {name}")
        if rest:
            raise ValueError(f"{len(rest)} further inputs")
        return result

    def _max_pool(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        window = _window(node, _spatial(node, "ksize"))
        return self._one("MaxPool", self._nchw(inputs[0]), nchw=True, **window)

    def _resize(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        if node.attributes.get("align_corners") or not node.attributes.get("half_pixel_centers"):
            raise ValueError("placement of pixels (half-pixel centres are covered)")
        nothing = _Tensor("")
        return self._one(
            "Resize", self._nchw(inputs[0]), nothing, nothing, self._int64(inputs[1]), axes=(2, 3), nchw=True,
            mode="linear", coordinate_transformation_mode="half_pixel",
        )  # fmt: skip

    def _squared_difference(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        difference = self._elementwise("Sub", inputs)
        return self._elementwise("Mul", [difference, difference])

    def _floor_division(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        # ONNX divides integers towards zero, but its Mod has the divisor's sign: take that off first
        if node.attributes["T"] != "DT_INT32":
            raise ValueError(f"type {node.attributes['T']}")
        remainder = self._one("Mod", *inputs)
        return self._one("Div", self._one("Sub", inputs[0], remainder), inputs[1])

    def _cast(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._one("Cast", inputs[0], to=_TYPES[str(node.attributes["DstT"])], nchw=inputs[0].nchw)

    def _reshape(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._one("Reshape", self._nhwc(inputs[0]), self._int64(inputs[1]))

    def _expand_dims(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._one("Unsqueeze", self._nhwc(inputs[0]), self._integers(*_values(inputs[1])))

    def _squeeze(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        axes = cast("tuple[int, ...]", node.attributes["squeeze_dims"])
        return self._one("Squeeze", self._nhwc(inputs[0]), self._integers(*axes))

    def _pack(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        axis = cast(int, node.attributes["axis"])
        parts = [self._one("Unsqueeze", self._nhwc(part), self._integers(axis)) for part in inputs]
        return self._one("Concat", *parts, axis=axis)

    def _unpack(self, node: Node, inputs: Sequence[_Tensor]) -> list[_Tensor]:
        axis, count = cast(int, node.attributes["axis"]), cast(int, node.attributes["num"])
        parts = [self._nhwc(inputs[0])]
        if count > 1:
            parts = self._emit("Split", parts, outputs=count, axis=axis, num_outputs=count)
        return [self._one("Squeeze", part, self._integers(axis)) for part in parts]

    def _split(self, node: Node, inputs: Sequence[_Tensor]) -> list[_Tensor]:
        (axis,), count = _values(inputs[0]), cast(int, node.attributes["num_split"])
        return self._emit("Split", [self._nhwc(inputs[1])], outputs=count, axis=axis, num_outputs=count)

    def _concat(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        (axis,) = _values(inputs[-1])
        return self._one("Concat", *map(self._nhwc, inputs[:-1]), axis=axis)

    def _gather(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._one("GatherND", self._nhwc(inputs[0]), self._int64(inputs[1]))

    def _arg_max(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        (axis,) = _values(inputs[1])
        return self._int32(self._one("ArgMax", self._nhwc(inputs[0]), axis=axis, keepdims=0))

    def _reduce(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        keep = int(bool(node.attributes["keep_dims"]))
        axes = self._integers(*_values(inputs[1]))
        return self._one(f"Reduce{node.op}", self._nhwc(inputs[0]), axes, keepdims=keep)

    def _top_k(self, node: Node, inputs: Sequence[_Tensor]) -> list[_Tensor]:
        count = self._integers(*_values(inputs[1]))
        values, places = self._emit("TopK", [self._nhwc(inputs[0]), count], outputs=2)
        return [values, self._int32(places)]

    def _shape(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._int32(self._one(node.op, self._nhwc(inputs[0])))

    def _fill(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._one("Expand", inputs[1], self._int64(inputs[0]))

    def _tile(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        return self._one("Tile", self._nhwc(inputs[0]), self._int64(inputs[1]))

    def _strided_slice(self, node: Node, inputs: Sequence[_Tensor]) -> _Tensor:
        """Python's basic indexing, spelt as begin, end and stride per item and a bit mask per peculiarity."""
        begins, ends, strides = map(_values, inputs[1:])
        masks = {key: value for key, value in node.attributes.items() if key.endswith("_mask")}

        def marked(mask: str, item: int) -> bool:
            return bool(cast(int, masks[mask]) >> item & 1)

        if masks["ellipsis_mask"]:
            raise ValueError("ellipsis")
        window: list[tuple[int, int, int, int]] = []  # axis before, begin, end, stride
        dropped, added = [], []  # axes before, axes after
        axis = kept = 0
        for item, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
            if marked("new_axis_mask", item):
                added.append(kept)
                kept += 1
                continue
            if marked("shrink_axis_mask", item):
                window.append((axis, begin, begin + 1 or _END, 1))
                dropped.append(axis)
            else:
                begin = 0 if marked("begin_mask", item) else begin
                end = _END if marked("end_mask", item) else end
                if stride < 1:
                    raise ValueError(f"stride {stride}")
                if (begin, end, stride) != (0, _END, 1):
                    window.append((axis, begin, end, stride))
                kept += 1
            axis += 1
        result = self._nhwc(inputs[0])
        if window:
            axes, starts, stops, steps = (self._integers(*column) for column in zip(*window, strict=True))
            result = self._one("Slice", result, starts, stops, axes, steps)
        if dropped:
            result = self._one("Squeeze", result, self._integers(*dropped))
        if added:
            result = self._one("Unsqueeze", result, self._integers(*added))
        return result


def _values(tensor: _Tensor) -> list[int]:
    """The integers of a constant that ONNX wants to know when the model is stated."""
    if tensor.value is None:
        raise ValueError(f"{tensor.name}, which is not a constant")
    return [int(value) for value in tensor.value.ravel()]


def _spatial(node: Node, attribute: str) -> tuple[int, int]:
    batch, height, width, channels = cast("tuple[int, ...]", node.attributes[attribute])
    if (batch, channels) != (1, 1) or node.attributes.get("data_format", "NHWC") != "NHWC":
        raise ValueError(f"{attribute} {node.attributes[attribute]}")
    return height, width


def _window(node: Node, size: tuple[int, int]) -> dict[str, Any]:
    """Kernel size, strides and padding; TensorFlow's SAME puts an odd pixel of padding last."""
    padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[str(node.attributes["padding"])]
    return {"kernel_shape": size, "strides": _spatial(node, "strides"), "auto_pad": padding}


_ELEMENTWISE = {
    "Abs": "Abs",
    "AddN": "Sum",
    "AddV2": "Add",
    "Equal": "Equal",
    "Exp": "Exp",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "Identity": "Identity",
    "Less": "Less",
    "LogicalAnd": "And",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mul": "Mul",
    "Range": "Range",
    "RealDiv": "Div",
    "Reciprocal": "Reciprocal",
    "Select": "Where",
    "Sigmoid": "Sigmoid",
    "Sqrt": "Sqrt",
    "Sub": "Sub",
}

_Statement = Callable[[_Writer, Node, Sequence[_Tensor]], _Tensor | list[_Tensor]]

_STATEMENTS: dict[str, _Statement] = {
    "ArgMax": _Writer._arg_max,
    "Cast": _Writer._cast,
    "ConcatV2": _Writer._concat,
    "DepthwiseConv2dNative": _Writer._convolution,
    "ExpandDims": _Writer._expand_dims,
    "Fill": _Writer._fill,
    "FloorDiv": _Writer._floor_division,
    "FusedDepthwiseConv2dNative": _Writer._convolution,
    "GatherNd": _Writer._gather,
    "Max": _Writer._reduce,
    "MaxPool": _Writer._max_pool,
    "Pack": _Writer._pack,
    "Reshape": _Writer._reshape,
    "ResizeBilinear": _Writer._resize,
    "Shape": _Writer._shape,
    "Size": _Writer._shape,
    "Split": _Writer._split,
    "SquaredDifference": _Writer._squared_difference,
    "Squeeze": _Writer._squeeze,
    "StridedSlice": _Writer._strided_slice,
    "Sum": _Writer._reduce,
    "Tile": _Writer._tile,
    "TopKV2": _Writer._top_k,
    "Unpack": _Writer._unpack,
    "_FusedConv2D": _Writer._convolution,
}
