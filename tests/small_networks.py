"""Small ONNX networks with the inputs and outputs of RTMPose and YOLOX."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def _save(path: Path, nodes: list, constants: dict, size: tuple[int, int], outputs: dict) -> Path:
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, size[1], size[0]])
    results = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs.items()]
    initializers = [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()]
    graph = helper.make_graph(nodes, "small", [image], results, initializers)
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


def pose_network(path: Path, keypoints: int, size: tuple[int, int] = (48, 64)) -> Path:
    """All keypoints are at the brightest column and row, each a little further along by its number.

    SimCC has two places a pixel, as RTMPose's.
    """
    nodes, constants = [], {"shift": np.arange(keypoints, dtype=np.float32)[None, :, None] * 0.001}
    for name, axis, side in (("x", 2, size[0]), ("y", 3, size[1])):
        constants |= {f"axes_{name}": np.array([1, axis], np.int64), f"repeat_{name}": np.array(2 * side)}
        constants[f"shape_{name}"] = np.array([0, 1, side], np.int64)
        constants[f"double_{name}"] = np.repeat(np.arange(side), 2)
        constants[f"many_{name}"] = np.array([1, keypoints, 1], np.int64)
        constants[f"scale_{name}"] = np.array(0.4, np.float32)
        nodes += [
            helper.make_node("ReduceMean", ["input", f"axes_{name}"], [f"mean_{name}"], keepdims=0),
            helper.make_node("Reshape", [f"mean_{name}", f"shape_{name}"], [f"row_{name}"]),
            helper.make_node("Gather", [f"row_{name}", f"double_{name}"], [f"fine_{name}"], axis=2),
            helper.make_node("Tile", [f"fine_{name}", f"many_{name}"], [f"all_{name}"]),
            helper.make_node("Mul", [f"all_{name}", f"scale_{name}"], [f"scaled_{name}"]),
            helper.make_node("Add", [f"scaled_{name}", "shift"], [f"simcc_{name}"]),
        ]
        del constants[f"repeat_{name}"]
    outputs = {f"simcc_{n}": ["batch", keypoints, 2 * s] for n, s in zip("xy", size, strict=True)}
    return _save(path, nodes, constants, size, outputs)


def constant_network(path: Path, size: tuple[int, int], **values: np.ndarray) -> Path:
    """The outputs are these arrays, whatever the picture."""
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0)]
    nodes.append(helper.make_node("Mul", ["mean", "nothing"], ["zero"]))
    nodes += [helper.make_node("Add", [f"value_{name}", "zero"], [name]) for name in values]
    constants = {f"value_{name}": np.asarray(value, np.float32) for name, value in values.items()}
    constants["nothing"] = np.float32(0)
    return _save(path, nodes, constants, size, {name: list(value.shape) for name, value in values.items()})
