"""Measure MoveNet Thunder in fewer bits: how fast it is, how far keypoints move, AP and recall.

    python benchmarks/reduced_precision.py --coco FOLDER --annotations FILE [--every N]

The kinds are float32, float16, dynamic int8 (onnxruntime's `quantize_dynamic`), and static int8
(`quantize_static`, by channel, calibrated on crops of the demo clip; "all" also quantises
what lies between convolutions, "convolutions" nothing else). MultiPose, which runs on one frame in 20, stays
as it is. Times are of one thread, of all kinds in turns. Keypoints are compared on frames that were not used
for calibration. AP and AR are COCO's, on the images; recall is of every Nth of `finder.py`'s pictures that
are kept for judging.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
from finder import compare
from finder_scenes import scenes
from turns import show, take_turns

from videopose.detectors.movenet import refiner
from videopose.detectors.movenet import session as movenet_session
from videopose.detectors.movenet.converted_model import converted_model
from videopose.detectors.movenet.detector import MoveNet
from videopose.detectors.movenet.tfjs import read_tfjs
from videopose.detectors.movenet.tfjs_to_onnx import tfjs_to_onnx
from videopose.detectors.onnx_runtime import import_onnxruntime
from videopose.pipeline.downloads.assets import fetch
from videopose.pipeline.evaluation.evaluate_detector import EvaluateDetectorOptions
from videopose.pipeline.evaluation.evaluate_detector import run as evaluate
from videopose.pipeline.progress import no_progress
from videopose.pipeline.video.reader import open_video

CLIP = 120  # frames of the demo clip
MOST = 24  # crops that are used: calibration keeps all activations in memory
_BETWEEN = ("Add", "Clip", "Relu", "MaxPool")

Inputs = list[np.ndarray]


def build() -> MoveNet:
    """MoveNet on one thread, as it comes."""
    return MoveNet(multipose=_files("multipose"), thunder=_files("thunder"), threads=1)


def _files(name: str) -> tuple[Path, Path]:
    return fetch(f"movenet-{name}.json"), fetch(f"movenet-{name}.bin")


def inputs_of(images: list[np.ndarray]) -> tuple[Inputs, Inputs]:
    """What Thunder reads on a clip, in two halves of other frames: to calibrate by, and to compare on."""
    seen: Inputs = []
    with patch.object(refiner, "open_session", partial(_recorded, seen)):
        detector = build()
    list(detector.detect(images))
    every = 2 * max(1, len(seen) // (2 * MOST))
    return seen[::every], seen[every // 2 :: every]


def _recorded(seen: Inputs, *files: Path, **options: Any) -> Any:
    return _Recorder(movenet_session.open_session(*files, **options), seen)


class _Recorder:
    """A session that keeps its inputs."""

    def __init__(self, session: Any, seen: Inputs) -> None:
        self._session, self._seen, self.get_providers = session, seen, session.get_providers

    def run(self, names: Any, feed: dict[str, np.ndarray]) -> Any:
        self._seen.append(feed["input"])
        return self._session.run(names, feed)


def float16(model: onnx.ModelProto, folder: Path, inputs: Inputs) -> onnx.ModelProto:
    """Weights and activations in 16 bits."""
    from onnxruntime.transformers import float16 as converter

    body = _body(model)
    kept = [n.name for n in model.graph.node if n.name not in body or n.op_type == "Resize"]
    with patch.dict(converter.ALWAYS_FLOAT_INPUTS, clear=True):  # it would fill in scales that Resize has not
        result: onnx.ModelProto = converter.convert_float_to_float16(
            model, keep_io_types=True, node_block_list=kept
        )
    return result


def dynamic(model: onnx.ModelProto, folder: Path, inputs: Inputs) -> onnx.ModelProto:
    """Weights in 8 bits; activations are quantised when the network runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    onnx.save(model, folder / "in.onnx")
    quantize_dynamic(folder / "in.onnx", folder / "out.onnx", weight_type=QuantType.QUInt8)
    return onnx.load(folder / "out.onnx")


def static(model: onnx.ModelProto, folder: Path, inputs: Inputs, *, between: bool) -> onnx.ModelProto:
    """Weights and activations in 8 bits, by the ranges that `inputs` have in the network."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(({"input": pixels} for pixels in self._left), None)

    kinds = {"Conv", *(_BETWEEN if between else ())}
    onnx.save(model, folder / "in.onnx")
    quantize_static(
        folder / "in.onnx",
        folder / "out.onnx",
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_quantize=[n.name for n in model.graph.node if n.op_type in kinds and n.name in _body(model)],
    )
    return onnx.load(folder / "out.onnx")


def _body(model: onnx.ModelProto) -> set[str]:
    """The names of the convolutions and of what lies between them: not of the decoding of keypoints."""
    made = {output: node for node in model.graph.node for output in node.output}
    below: set[str] = set()
    waiting = [node for node in model.graph.node if node.op_type == "Conv"]
    while waiting:
        node = waiting.pop()
        if node.name in below or node.op_type not in ("Conv", "Resize", *_BETWEEN):
            continue
        below.add(node.name)
        waiting += [made[name] for name in node.input if name in made]
    return below


KINDS: dict[str, Callable[..., onnx.ModelProto]] = {
    "float32": lambda model, folder, inputs: model,
    "float16": float16,
    "int8 dynamic": dynamic,
    "int8 static, convolutions": partial(static, between=False),
    "int8 static, all": partial(static, between=True),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--coco", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--every", type=int, default=1, help="of the pictures for recall")
    parser.add_argument("--only", nargs="*", default=list(KINDS), choices=list(KINDS))
    options = parser.parse_args()

    with open_video(fetch("demo.mp4")) as video:
        calibration, others = inputs_of([frame.image for frame in islice(video.frames(), CLIP)])
    with tempfile.TemporaryDirectory() as folder:
        models = {
            kind: KINDS[kind](_thunder(), Path(folder), calibration).SerializeToString()
            for kind in dict.fromkeys(("float32", *options.only))
        }
    sessions = {kind: _session(model) for kind, model in models.items()}
    calls = {kind: partial(each.run, None, {"input": others[0]}) for kind, each in sessions.items()}
    show("Thunder", take_turns(calls, options.rounds, per=1), "ms", against="float32")
    for kind, each in sessions.items():
        print(f"{kind:>28}  {_apart(sessions['float32'], each, others)}", flush=True)
    print(f"\n| {'kind':27} | AP | AR | found | false |\n|---|---:|---:|---:|---:|", flush=True)
    for kind, model in models.items():
        with patch.object(movenet_session, "converted_model", partial(_replaced, model)):
            told = EvaluateDetectorOptions(
                detector="movenet", images=options.coco, annotations=options.annotations, device="cpu"
            )
            scores = evaluate(told, progress=no_progress).scores
            found, wanted, false = _recall(build(), options.coco, options.every)
        print(f"| {kind} | {scores.ap:.3f} | {scores.ar:.3f} | {found} of {wanted} | {false} |", flush=True)


def _replaced(thunder: bytes, topology: Path, weights: Path, cache: Path | None) -> bytes:
    """Thunder as given, and MultiPose as it comes."""
    return thunder if "thunder" in topology.name else converted_model(topology, weights, cache)


def _thunder() -> onnx.ModelProto:
    """The network, with nodes that have distinct names, and the factor of its enlargements as scales."""
    model = tfjs_to_onnx(read_tfjs(*_files("thunder")))
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}{number}"
        if node.op_type == "Resize":  # with axes, onnxruntime 1.32 does not load the quantised network
            del node.input[1:]
            node.input.extend(["", "twice"])
            node.attribute.remove(next(each for each in node.attribute if each.name == "axes"))
    twice = onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")
    model.graph.initializer.append(twice)
    return model


def _session(model: bytes) -> Any:
    runtime = import_onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _apart(one: Any, other: Any, inputs: Inputs) -> str:
    """How far keypoints lie apart that both find, in pixels of Thunder's 256."""
    pairs = [(one.run(None, {"input": p})[0][0, 0], other.run(None, {"input": p})[0][0, 0]) for p in inputs]
    first, second = (np.stack(found) for found in zip(*pairs, strict=True))
    sure = first[..., 2] > 0.3
    apart = 256 * np.linalg.norm(first[..., :2] - second[..., :2], axis=-1)[sure]
    score = np.abs(first[..., 2] - second[..., 2]).mean()
    middle, most = np.percentile(apart, [50, 95])
    return f"{middle:.2f} pixels apart (95th percentile {most:.2f}), scores {score:.3f}"


def _recall(detector: MoveNet, coco: Path, every: int) -> tuple[int, int, int]:
    """People found and wanted, and false ones, on every so many of the pictures kept for judging."""
    found = wanted = wrong = 0
    for scene in islice((scene for scene in scenes(coco) if scene.judged), 0, None, every):
        (people,) = detector.detect([scene.image])
        hits, false = compare(scene, people)
        found, wanted, wrong = found + sum(hits.values()), wanted + len(hits), wrong + false
    return found, wanted, wrong


if __name__ == "__main__":
    main()
