"""Measure the time of each stage, the size and the accuracy of the detectors.

    python benchmarks/detectors.py [--frames 3] [--only NAME …]
    python benchmarks/detectors.py --images FOLDER --annotations FILE [--weights NAME=FILE …] [--no-flip-test]

The first form prints, for each detector on frames of the demo clip, processor milliseconds a frame on one
core for reading the frame, preparing it, the network, decoding, and the rest; the share outside the
network, without reading; parameters; and multiply-adds a frame. Mask R-CNN and CPN have random weights,
which take as long as trained ones: Mask R-CNN keeps the two best of its thousand proposals, CPN is given
two boxes. MoveNet follows at most two people.

The second form adds COCO's AP and AR on annotated images, for MoveNet and for the weights given.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import torch
from torch.utils.flop_counter import FlopCounterMode

from videopose.detectors.cpn import detector as cpn_detector
from videopose.detectors.cpn.crops import Window
from videopose.detectors.cpn.network import CPN
from videopose.detectors.cpn.weights import CPNWeights
from videopose.detectors.crop import Crop
from videopose.detectors.mask_rcnn import detector as mask_rcnn
from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2
from videopose.detectors.movenet import detector as movenet
from videopose.detectors.movenet import finder
from videopose.detectors.movenet.tfjs import read_tfjs
from videopose.detectors.movenet.tfjs_to_onnx import tfjs_to_onnx
from videopose.detectors.onnx_runtime import import_onnxruntime
from videopose.detectors.people import Detector, Image
from videopose.pipeline.downloads.assets import fetch
from videopose.pipeline.evaluation.evaluate_detector import EvaluateDetectorOptions
from videopose.pipeline.evaluation.evaluate_detector import run as evaluate
from videopose.pipeline.progress import no_progress
from videopose.pipeline.video.reader import open_video
from videopose.skeleton import COCO17

STAGES = ("reading", "preparing", "network", "decoding", "rest")
PEOPLE = 2
BOXES = ((560.0, 330.0, 200.0, 400.0), (1100.0, 450.0, 160.0, 440.0))  # x, y, width, height


class Stopwatch:
    """Measures the processor time of stages. The time of an inner stage does not count for the outer one."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Set all times to zero and begin with the stage "rest"."""
        self.spent = dict.fromkeys(STAGES, 0.0)
        self._stage, self._since = "rest", time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within a `with` block for this stage."""
        before = self.switch(name)
        try:
            yield
        finally:
            self.switch(before)

    def switch(self, name: str) -> str:
        """Count the time from now on for this stage.

        Returns:
            The stage before.
        """
        now, before = time.process_time(), self._stage
        self.spent[before] += now - self._since
        self._stage, self._since = name, now
        return before

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return the function so that its time counts for this stage."""

        def call(*arguments: Any, **options: Any) -> Any:
            with self.stage(name):
                return function(*arguments, **options)

        return call


@dataclass(frozen=True)
class Subject:
    """A detector to measure.

    Attributes:
        stages: Triples of object, name of its function, and name of the stage.
        parameters: Number of parameters.
        multiply_adds: Function from frames to multiply-adds per frame.
        times: Factor on the number of frames that are measured.
    """

    name: str
    detector: Detector
    stages: Sequence[tuple[Any, str, str]]
    parameters: int
    multiply_adds: Callable[[list[Image]], float]
    times: int = 1


@dataclass(frozen=True)
class Cost:
    """The cost of a detector.

    Attributes:
        milliseconds: Processor time per frame on one core, by stage.
        multiply_adds: Multiply-adds per frame.
    """

    name: str
    milliseconds: dict[str, float]
    parameters: int
    multiply_adds: float

    @property
    def outside(self) -> float:
        """Share of the time outside the network, without reading."""
        total = sum(self.milliseconds.values()) - self.milliseconds["reading"]
        return 1 - self.milliseconds["network"] / total


def measure(subject: Subject, read: Callable[[], Iterable[Image]], count: int) -> Cost:
    """The mean cost of `count` frames or more, after some to warm up."""
    watch, count = Stopwatch(), count * subject.times

    def frames() -> Iterator[Image]:
        for _ in range(count):
            with watch.stage("reading"):
                frame = next(ahead)
            yield frame

    multiply_adds = subject.multiply_adds(list(islice(read(), count)))  # this warms up, too
    ahead = iter(read())
    next(ahead)  # opens the file
    with ExitStack() as stack:
        for owner, name, stage in subject.stages:
            stack.enter_context(patch.object(owner, name, watch.timed(getattr(owner, name), stage)))
        watch.clear()
        for _ in subject.detector.detect(frames()):
            pass
        watch.switch("rest")
    spent = {stage: 1000 * watch.spent[stage] / count for stage in STAGES}
    return Cost(subject.name, spent, subject.parameters, multiply_adds)


class _Session:
    """A session whose method can be replaced: onnxruntime's own cannot be told apart."""

    def __init__(self, session: Any) -> None:
        self.run, self.get_providers = session.run, session.get_providers


def build_movenet() -> Subject:
    """MoveNet with its own weights."""
    graphs = {name: (fetch(f"movenet-{name}.json"), fetch(f"movenet-{name}.bin")) for name in _GRAPHS}
    detector = movenet.MoveNet(
        multipose=graphs["multipose"], thunder=graphs["thunder"], max_people=PEOPLE, threads=1
    )
    models = {name: tfjs_to_onnx(read_tfjs(*graph)) for name, graph in graphs.items()}
    networks = {name: getattr(detector, place) for name, place in _GRAPHS.items()}
    for network in networks.values():
        network._session = _Session(network._session)

    def multiply_adds(frames: list[Image]) -> float:
        inputs: list[tuple[str, Any]] = []
        with ExitStack() as stack:
            for name, network in networks.items():
                session = network._session

                def run(names: Any, feed: Any, name: str = name, original: Any = session.run) -> Any:
                    inputs.append((name, feed["input"]))
                    return original(names, feed)

                stack.enter_context(patch.object(session, "run", run))
            for _ in detector.detect(frames):
                pass
        each = {(name, pixels.shape): pixels for name, pixels in inputs}
        cost = {key: _onnx_multiply_adds(models[key[0]], pixels) for key, pixels in each.items()}
        return sum(cost[name, pixels.shape] for name, pixels in inputs) / len(frames)

    numbers = sum(int(np.prod(w.dims)) for m in models.values() for w in m.graph.initializer if len(w.dims))
    stages = (
        *((network._session, "run", "network") for network in networks.values()),
        (Crop, "cut", "preparing"),
        (finder, "halve", "preparing"),
        (Crop, "to_frame", "decoding"),
        (movenet, "as_people", "decoding"),
    )
    # MultiPose searches the whole frame at intervals only, and is quick
    return Subject("movenet", detector, stages, numbers, multiply_adds, times=20)


_GRAPHS = {"multipose": "_finder", "thunder": "_refiner"}


def _onnx_multiply_adds(model: onnx.ModelProto, pixels: Any) -> float:
    """Of all convolutions and matrix products, by the shapes of their outputs."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    weights = {weight.name: list(weight.dims) for weight in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")]
    known = {output.name for output in model.graph.output}
    for node in nodes:
        if node.output[0] not in known:
            model.graph.output.add().name = node.output[0]
    session = import_onnxruntime().InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [node.output[0] for node in nodes]
    shapes = [output.shape for output in session.run(names, {"input": pixels})]
    # every output is a sum over as many products as its channel has weights
    return float(
        sum(
            np.prod(shape) * np.prod(weights[node.input[1]][1:])
            for node, shape in zip(nodes, shapes, strict=True)
        )
    )


def _torch_multiply_adds(detector: Detector, frames: list[Image]) -> float:
    with FlopCounterMode(display=False) as counter:
        next(iter(detector.detect(frames[:1])))
    return counter.get_total_flops() / 2


def build_mask_rcnn(backbone: str, folder: Path, *, short_side: int | None = None) -> Subject:
    """Mask R-CNN with random weights that stay in bounds."""
    require_detectron2()
    from videopose.detectors.mask_rcnn import keypoint_head
    from videopose.detectors.mask_rcnn.model import build_network, configuration

    torch.manual_seed(0)
    weights = build_network(configuration(backbone, {"MODEL.DEVICE": "cpu"})).state_dict()
    for name, value in weights.items():
        if name.endswith("conv3.norm.weight"):
            value.zero_()  # the residual blocks add nothing
    path = folder / f"{backbone}.pth"
    torch.save({"model": weights}, path)
    detector = mask_rcnn.MaskRCNN(
        weights=path, threshold=0.0, max_people=PEOPLE, batch=1, short_side=short_side
    )
    model = detector._model
    stages = (
        (detector, "_input", "preparing"),
        (model, "preprocess_image", "preparing"),
        (model, "forward", "network"),
        (keypoint_head, "expected_keypoints", "decoding"),
        (mask_rcnn, "_people", "decoding"),
    )
    numbers = sum(value.numel() for value in model.parameters())
    return Subject(
        f"mask-rcnn {backbone}", detector, stages, numbers, partial(_torch_multiply_adds, detector)
    )


def build_cpn(folder: Path, *, flip: bool, size: tuple[int, int] = (384, 288)) -> Subject:
    """CPN-50 with random weights, in given boxes on every frame."""
    torch.manual_seed(0)
    model = CPN(size=size)
    CPNWeights(model, COCO17).save(folder / "cpn.safetensors")
    boxes = [
        {"image_id": frame, "category_id": 1, "bbox": box, "score": 1} for frame in range(99) for box in BOXES
    ]
    (folder / "boxes.json").write_text(json.dumps(boxes))
    finder = cpn_detector.BoxesFromFile(folder / "boxes.json")
    detector = cpn_detector.CPNDetector(folder / "cpn.safetensors", boxes=finder, flip=flip, frames=1)
    stages = (
        (Window, "cut", "preparing"),
        (cpn_detector, "to_input", "preparing"),
        (detector._keypoints, "_heatmaps", "network"),
        (cpn_detector, "decode", "decoding"),
    )
    numbers = sum(value.numel() for value in model.parameters())
    name = "cpn" if flip else "cpn, no flip test"
    return Subject(name, detector, stages, numbers, partial(_torch_multiply_adds, detector))


def subjects(folder: Path) -> dict[str, Callable[[], Subject]]:
    """How to build each detector that is measured."""
    return {
        "movenet": build_movenet,
        "mask-rcnn-r50": partial(build_mask_rcnn, "R-50", folder),
        "mask-rcnn-r101": partial(build_mask_rcnn, "R-101", folder),
        "cpn": partial(build_cpn, folder, flip=True),
        "cpn-no-flip": partial(build_cpn, folder, flip=False),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="of: movenet mask-rcnn-r50 mask-rcnn-r101 cpn cpn-no-flip")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--annotations", type=Path)
    parser.add_argument("--weights", nargs="*", default=[], metavar="NAME=FILE")
    parser.add_argument("--no-flip-test", action="store_true", help="CPN's AP without the flip test")
    options = parser.parse_args()
    torch.set_num_threads(1)

    video = fetch("demo.mp4")

    def read() -> Iterator[Image]:
        with open_video(video) as opened:
            yield from (frame.image for frame in opened.frames())

    stages = " | ".join(f"{stage}, ms" for stage in STAGES)
    print(f"| detector | {stages} | outside | parameters | multiply-adds |")
    print("|---|" + "---:|" * (len(STAGES) + 3))
    with tempfile.TemporaryDirectory() as folder:
        for name, build in subjects(Path(folder)).items():
            if options.only is None or name in options.only:
                cost = measure(build(), read, options.frames)
                times = " | ".join(f"{cost.milliseconds[stage]:.1f}" for stage in STAGES)
                sizes = f"{cost.parameters / 1e6:.1f} M | {cost.multiply_adds / 1e9:.1f} G"
                print(f"| {cost.name} | {times} | {cost.outside:.1%} | {sizes} |", flush=True)
    if options.annotations:
        print("\n| detector | boxes | AP | AR |\n|---|---|---:|---:|")
        given = [weights.partition("=") for weights in options.weights]
        for name, file in [("movenet", None), *((name, Path(file)) for name, _, file in given)]:
            told = EvaluateDetectorOptions(
                detector=name,
                images=options.images,
                annotations=options.annotations,
                weights=file,
                flip=not options.no_flip_test,
                device="cpu",
            )
            found = evaluate(told, progress=no_progress)
            print(f"| {name} | {found.boxes} | {found.scores.ap:.3f} | {found.scores.ar:.3f} |", flush=True)


if __name__ == "__main__":
    main()
