"""The ONNX statement computes what the published graph says.

The graph is executed a second time, node by node, by an interpreter that shares nothing with the ONNX
statement but the reading of the file.
"""

from dataclasses import replace
from itertools import islice

import av
import cv2
import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from scipy.special import expit

from videopose.detectors.movenet.tfjs import read_tfjs
from videopose.detectors.movenet.tfjs_to_onnx import tfjs_to_onnx
from videopose.detectors.onnx_runtime import import_onnxruntime
from videopose.errors import InputError
from videopose.pipeline.downloads.assets import fetch

TYPES = {"DT_FLOAT": np.float32, "DT_INT32": np.int32}
ELEMENTWISE = {
    "Abs": np.abs,
    "AddN": lambda *terms: sum(terms),
    "AddV2": np.add,
    "Equal": np.equal,
    "Exp": np.exp,
    "FloorDiv": np.floor_divide,
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "Identity": np.asarray,
    "Less": np.less,
    "LogicalAnd": np.logical_and,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Reciprocal": np.reciprocal,
    "Select": np.where,
    "Sigmoid": expit,
    "Sqrt": np.sqrt,
    "SquaredDifference": lambda a, b: np.square(a - b),
    "Sub": np.subtract,
}


def window(image, kernel, strides, operation, fill):
    """Apply an operation on (N, C, H, W) to an (N, H, W, C) image padded as TensorFlow's SAME."""
    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
    pads = []
    for length, size, stride in zip(tensor.shape[:1:-1], kernel[::-1], strides[::-1], strict=True):
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        pads += [total // 2, total - total // 2]
    return operation(F.pad(tensor, pads, value=fill)).numpy().transpose(0, 2, 3, 1)


def convolve(node, image, kernel, *rest):
    strides = node.attributes["strides"][1:3]
    weights, groups = torch.from_numpy(kernel), 1
    if "Depthwise" in node.op:
        groups = kernel.shape[2]
        weights = weights.permute(2, 3, 0, 1).flatten(0, 1)[:, None]
    else:
        weights = weights.permute(3, 2, 0, 1)
    size = kernel.shape[:2] if node.attributes["padding"] == "SAME" else (1, 1)
    result = window(image, size, strides, lambda x: F.conv2d(x, weights, None, strides, groups=groups), 0.0)
    activations = {
        "BiasAdd": lambda x: x + rest[0],
        "Relu": lambda x: x.clip(0),
        "Relu6": lambda x: x.clip(0, 6),
    }
    for fused in node.attributes.get("fused_ops", ()):
        result = activations[fused](result)
    return result


def strided_slice(node, array, begin, end, stride):
    def bit(mask, item):
        return node.attributes[mask] >> item & 1

    items = []
    for item in range(len(begin)):
        if bit("new_axis_mask", item):
            items.append(None)
        elif bit("shrink_axis_mask", item):
            items.append(int(begin[item]))
        else:
            first = None if bit("begin_mask", item) else int(begin[item])
            last = None if bit("end_mask", item) else int(end[item])
            items.append(slice(first, last, int(stride[item])))
    return array[tuple(items)]


def compute(node, x):
    """The list of a node's outputs, `x` being the list of its inputs."""
    attributes = node.attributes
    match node.op:
        case op if op in ELEMENTWISE:
            result = ELEMENTWISE[op](*x)
        case "_FusedConv2D" | "FusedDepthwiseConv2dNative" | "DepthwiseConv2dNative":
            result = convolve(node, *x)
        case "MaxPool":
            size = attributes["ksize"][1:3]
            result = window(x[0], size, (1, 1), lambda t: F.max_pool2d(t, size, 1), -torch.inf)
        case "ResizeBilinear":
            tensor = torch.from_numpy(np.ascontiguousarray(x[0].transpose(0, 3, 1, 2)))
            result = F.interpolate(tensor, size=x[1].tolist(), mode="bilinear", align_corners=False)
            result = result.numpy().transpose(0, 2, 3, 1)
        case "Cast":
            result = x[0].astype(TYPES[attributes["DstT"]])
        case "Reshape":
            result = x[0].reshape(x[1])
        case "ExpandDims":
            result = np.expand_dims(x[0], int(x[1]))
        case "Squeeze":
            result = x[0].squeeze(attributes["squeeze_dims"])
        case "Pack":
            result = np.stack(x, attributes["axis"])
        case "Unpack":
            return list(np.moveaxis(x[0], attributes["axis"], 0))
        case "Split":
            return np.split(x[1], attributes["num_split"], int(x[0]))
        case "ConcatV2":
            result = np.concatenate(x[:-1], int(x[-1]))
        case "GatherNd":
            result = x[0][tuple(np.moveaxis(x[1], -1, 0))]
        case "ArgMax":
            result = x[0].argmax(int(x[1])).astype(np.int32)
        case "Max" | "Sum":
            result = {"Max": np.max, "Sum": np.sum}[node.op](x[0], tuple(np.atleast_1d(x[1])))
        case "TopKV2":
            order = np.argsort(-x[0], axis=-1, kind="stable")[..., : int(x[1])]
            return [np.take_along_axis(x[0], order, -1), order.astype(np.int32)]
        case "Shape":
            result = np.array(x[0].shape, np.int32)
        case "Size":
            result = np.int32(x[0].size)
        case "Range":
            result = np.arange(*x, dtype=np.float32)
        case "Fill":
            result = np.full(x[0], x[1])
        case "Tile":
            result = np.tile(x[0], x[1])
        case "StridedSlice":
            result = strided_slice(node, *x)
    return [result]


def interpret(graph, image):
    values = {}
    for node in graph.nodes:
        if node.op == "Const":
            outputs = [graph.constants[node.name]]
        elif node.op == "Placeholder":
            outputs = [image]
        else:
            outputs = compute(node, [values[reference] for reference in node.inputs])
        values |= {f"{node.name}:{k}" if k else node.name: output for k, output in enumerate(outputs)}
    return values[graph.output]


def both(name, image):
    graph = read_tfjs(fetch(f"movenet-{name}.json"), fetch(f"movenet-{name}.bin"))
    model = tfjs_to_onnx(graph)
    onnx.checker.check_model(model, full_check=True)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    pixels = image[None].astype(np.int32)
    return session.run(None, {"input": pixels})[0], interpret(graph, pixels)


@pytest.fixture(scope="module")
def frame(demo_clip):
    with av.open(str(demo_clip)) as container:
        return next(islice(container.decode(video=0), 80, None)).to_ndarray(format="rgb24")


def test_thunder(frame):
    ours, meant = both("thunder", cv2.resize(frame[0:520, 400:920], (256, 256)))
    assert ours.shape == (1, 1, 17, 3)
    assert meant[0, 0, :, 2].mean() > 0.5  # the man is in the picture
    np.testing.assert_allclose(ours, meant, atol=1e-4)


def test_multipose_takes_other_sizes(frame):
    ours, meant = both("multipose", cv2.resize(frame, (512, 288)))
    assert ours.shape == (1, 6, 56)
    assert (meant[0, :, 55] > 0.2).sum() >= 2  # two people are in the picture
    np.testing.assert_allclose(ours, meant, atol=1e-4)


@pytest.mark.network
def test_image_stays_in_one_layout_between_convolutions():
    model = tfjs_to_onnx(read_tfjs(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin")))
    ops = [node.op_type for node in model.graph.node]
    convolutions = [index for index, op in enumerate(ops) if op == "Conv"]
    assert "Transpose" not in ops[convolutions[0] : convolutions[-1]]


@pytest.mark.network
def test_unknown_operation():
    graph = read_tfjs(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin"))
    changed = tuple(replace(n, op="MatrixInverse") if n.op == "Sqrt" else n for n in graph.nodes)
    with pytest.raises(InputError, match="MatrixInverse is not among those of MoveNet"):
        tfjs_to_onnx(replace(graph, nodes=changed))


@pytest.mark.network
def test_known_operation_used_otherwise():
    graph = read_tfjs(fetch("movenet-thunder.json"), fetch("movenet-thunder.bin"))
    changed = tuple(
        replace(n, attributes={**n.attributes, "align_corners": True}) if n.op == "ResizeBilinear" else n
        for n in graph.nodes
    )
    with pytest.raises(InputError, match="placement of pixels"):
        tfjs_to_onnx(replace(graph, nodes=changed))
