"""Convert a TensorFlow.js graph to ONNX, so that onnxruntime can run it.

`_CONVERSIONS` has one function per TensorFlow operation; `OnnxBuilder` collects the nodes. TensorFlow stores
images as (N, H, W, C), ONNX as (N, C, H, W). From the first convolution to the last, images stay in ONNX's
layout; only operations that address pixels by position get TensorFlow's. Kernels are transposed once, here.
Bias and activation directly follow their convolution, so that onnxruntime fuses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto

from ...errors import InputError
from .onnx_builder import OnnxBuilder, Tensor
from .tfjs import Node, TfjsGraph

_TYPES = {"DT_FLOAT": TensorProto.FLOAT, "DT_INT32": TensorProto.INT32, "DT_BOOL": TensorProto.BOOL}
_END = np.iinfo(np.int64).max


def tfjs_to_onnx(graph: TfjsGraph) -> onnx.ModelProto:
    """Convert a graph to an ONNX model with the same input and output: name, type and layout.

    Change `CONVERTER_VERSION` of `converted_model` with every change of the result.

    Raises:
        InputError: The graph uses an operation that MoveNet's published graphs do not use.
    """
    build = OnnxBuilder()
    tensors: dict[str, Tensor] = {}
    for node in graph.nodes:
        try:
            outputs = _convert(build, graph, node, tensors)
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(
                f"cannot convert {node.name} ({node.op}) to ONNX: unexpected {error}; "
                "expected one of MoveNet's published graphs"
            ) from error
        for index, tensor in enumerate(outputs):
            tensors[f"{node.name}:{index}" if index else node.name] = tensor
    return build.model(tensors[graph.output], graph.output, graph.output_shape)


def _convert(
    build: OnnxBuilder, graph: TfjsGraph, node: Node, tensors: dict[str, Tensor]
) -> Sequence[Tensor]:
    """Add one node; return its outputs."""
    if node.op == "Const":
        return [build.constant(graph.constants[node.name])]
    if node.op == "Placeholder":
        return [_placeholder(build, node)]
    inputs = [tensors[reference] for reference in node.inputs]
    if node.op in _ELEMENTWISE:
        return [_elementwise(build, _ELEMENTWISE[node.op], inputs)]
    if node.op not in _CONVERSIONS:
        raise InputError(
            f"cannot convert {node.name} to ONNX: the operation {node.op} is not among those of MoveNet"
        )
    outputs = _CONVERSIONS[node.op](build, node, inputs)
    return [outputs] if isinstance(outputs, Tensor) else outputs


def _placeholder(build: OnnxBuilder, node: Node) -> Tensor:
    names = ("batch", "height", "width", "channels")
    sizes = cast("tuple[int, ...]", node.attributes["shape"])
    shape = [size if size >= 0 else name for size, name in zip(sizes, names, strict=True)]
    return build.input(node.name, _TYPES[str(node.attributes["dtype"])], shape)


def _elementwise(build: OnnxBuilder, op: str, inputs: Sequence[Tensor]) -> Tensor:
    images = [tensor.nchw for tensor in inputs]
    # a scalar broadcasts in either layout; other tensors need TensorFlow's layout
    scalars = [tensor.value is not None and tensor.value.ndim == 0 for tensor in inputs]
    nchw = any(images) and all(i or s for i, s in zip(images, scalars, strict=True))
    return build.one(op, *(inputs if nchw else map(build.nhwc, inputs)), nchw=nchw)


def _convolution(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    image, kernel, *rest = inputs
    if kernel.value is None or kernel.value.ndim != 4:
        raise ValueError("kernel (expected a constant with four axes)")
    groups = 1
    if "Depthwise" in node.op:  # (kh, kw, C, multiplier)
        groups = kernel.value.shape[2]
        weights = kernel.value.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.value.shape[:2])
    else:  # (kh, kw, C in, C out)
        weights = kernel.value.transpose(3, 2, 0, 1)
    arguments = [build.nchw(image), build.constant(weights)]
    fused = list(cast("tuple[str, ...]", node.attributes.get("fused_ops", ())))
    if fused[:1] == ["BiasAdd"]:
        fused.pop(0)
        arguments.append(rest.pop(0))
    result = build.one(
        "Conv", *arguments, group=groups, nchw=True, **_window(node, weights.shape[2:]),
        dilations=_spatial(node, "dilations"),
    )  # fmt: skip
    for name in fused:
        match name:
            case "Relu":
                result = build.one("Relu", result, nchw=True)
            case "Relu6":
                bounds = (build.constant(np.array(bound, np.float32)) for bound in (0, 6))
                result = build.one("Clip", result, *bounds, nchw=True)
            case _:
                raise ValueError(f"activation {name}")
    if rest:
        raise ValueError(f"{len(rest)} further inputs")
    return result


def _max_pool(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    window = _window(node, _spatial(node, "ksize"))
    return build.one("MaxPool", build.nchw(inputs[0]), nchw=True, **window)


def _resize(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    if node.attributes.get("align_corners") or not node.attributes.get("half_pixel_centers"):
        raise ValueError("placement of pixels (expected half-pixel centres)")
    nothing = Tensor("")
    return build.one(
        "Resize", build.nchw(inputs[0]), nothing, nothing, build.int64(inputs[1]), axes=(2, 3), nchw=True,
        mode="linear", coordinate_transformation_mode="half_pixel",
    )  # fmt: skip


def _squared_difference(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    difference = _elementwise(build, "Sub", inputs)
    return _elementwise(build, "Mul", [difference, difference])


def _floor_division(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    # ONNX rounds a quotient towards zero, but its Mod has the divisor's sign: subtract the remainder first
    if node.attributes["T"] != "DT_INT32":
        raise ValueError(f"type {node.attributes['T']}")
    remainder = build.one("Mod", *inputs)
    return build.one("Div", build.one("Sub", inputs[0], remainder), inputs[1])


def _cast(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.one("Cast", inputs[0], to=_TYPES[str(node.attributes["DstT"])], nchw=inputs[0].nchw)


def _reshape(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.one("Reshape", build.nhwc(inputs[0]), build.int64(inputs[1]))


def _expand_dims(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.one("Unsqueeze", build.nhwc(inputs[0]), build.integers(*_values(inputs[1])))


def _squeeze(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    axes = cast("tuple[int, ...]", node.attributes["squeeze_dims"])
    return build.one("Squeeze", build.nhwc(inputs[0]), build.integers(*axes))


def _pack(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    axis = cast(int, node.attributes["axis"])
    parts = [build.one("Unsqueeze", build.nhwc(part), build.integers(axis)) for part in inputs]
    return build.one("Concat", *parts, axis=axis)


def _unpack(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
    axis, count = cast(int, node.attributes["axis"]), cast(int, node.attributes["num"])
    parts = [build.nhwc(inputs[0])]
    if count > 1:
        parts = build.emit("Split", parts, outputs=count, axis=axis, num_outputs=count)
    return [build.one("Squeeze", part, build.integers(axis)) for part in parts]


def _split(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
    (axis,), count = _values(inputs[0]), cast(int, node.attributes["num_split"])
    return build.emit("Split", [build.nhwc(inputs[1])], outputs=count, axis=axis, num_outputs=count)


def _concat(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    (axis,) = _values(inputs[-1])
    return build.one("Concat", *map(build.nhwc, inputs[:-1]), axis=axis)


def _gather(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.one("GatherND", build.nhwc(inputs[0]), build.int64(inputs[1]))


def _arg_max(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    (axis,) = _values(inputs[1])
    return build.int32(build.one("ArgMax", build.nhwc(inputs[0]), axis=axis, keepdims=0))


def _reduce(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    keep = int(bool(node.attributes["keep_dims"]))
    axes = build.integers(*_values(inputs[1]))
    return build.one(f"Reduce{node.op}", build.nhwc(inputs[0]), axes, keepdims=keep)


def _top_k(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> list[Tensor]:
    count = build.integers(*_values(inputs[1]))
    values, places = build.emit("TopK", [build.nhwc(inputs[0]), count], outputs=2)
    return [values, build.int32(places)]


def _shape(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.int32(build.one(node.op, build.nhwc(inputs[0])))


def _fill(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.one("Expand", inputs[1], build.int64(inputs[0]))


def _tile(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    return build.one("Tile", build.nhwc(inputs[0]), build.int64(inputs[1]))


def _strided_slice(build: OnnxBuilder, node: Node, inputs: Sequence[Tensor]) -> Tensor:
    """Python's basic indexing, as begin, end and stride of each item and a bit mask of each special case."""
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
    result = build.nhwc(inputs[0])
    if window:
        axes, starts, stops, steps = (build.integers(*column) for column in zip(*window, strict=True))
        result = build.one("Slice", result, starts, stops, axes, steps)
    if dropped:
        result = build.one("Squeeze", result, build.integers(*dropped))
    if added:
        result = build.one("Unsqueeze", result, build.integers(*added))
    return result


def _values(tensor: Tensor) -> list[int]:
    """The integers of a constant that ONNX needs as an attribute or a constant."""
    if tensor.value is None:
        raise ValueError(f"{tensor.name} (expected a constant)")
    return [int(value) for value in tensor.value.ravel()]


def _spatial(node: Node, attribute: str) -> tuple[int, int]:
    """Height and width of an attribute such as strides."""
    batch, height, width, channels = cast("tuple[int, ...]", node.attributes[attribute])
    if (batch, channels) != (1, 1) or node.attributes.get("data_format", "NHWC") != "NHWC":
        raise ValueError(f"{attribute} {node.attributes[attribute]}")
    return height, width


def _window(node: Node, size: tuple[int, int]) -> dict[str, Any]:
    """Kernel size, strides and padding. TensorFlow's SAME puts an odd pixel of padding at the end."""
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

_Conversion = Callable[[OnnxBuilder, Node, Sequence[Tensor]], Tensor | list[Tensor]]

_CONVERSIONS: dict[str, _Conversion] = {
    "ArgMax": _arg_max,
    "Cast": _cast,
    "ConcatV2": _concat,
    "DepthwiseConv2dNative": _convolution,
    "ExpandDims": _expand_dims,
    "Fill": _fill,
    "FloorDiv": _floor_division,
    "FusedDepthwiseConv2dNative": _convolution,
    "GatherNd": _gather,
    "Max": _reduce,
    "MaxPool": _max_pool,
    "Pack": _pack,
    "Reshape": _reshape,
    "ResizeBilinear": _resize,
    "Shape": _shape,
    "Size": _shape,
    "Split": _split,
    "SquaredDifference": _squared_difference,
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Sum": _reduce,
    "Tile": _tile,
    "TopKV2": _top_k,
    "Unpack": _unpack,
    "_FusedConv2D": _convolution,
}
