"""Speed of lifting a clip in float32 and bfloat16, beside VideoPose3D, and of live lifting.

    python benchmarks/lifting_speed.py [--videopose3d PATH] [--motion FILE] [--frames N]
                                       [--rounds N] [--threads N]

PATH is a checkout of VideoPose3D. Its model, with our weights, takes turns with ours on whole clips. FILE
is a motion-capture table (see `videopose prepare`) on which the poses of the default lifter in bfloat16 and
float32 are compared. Models have 243 frames and 1024 channels, random weights and random input. Printed are
the median and the quartiles over the rounds by the clock and, in brackets, of processor time, which says
more if other programs are running (with one thread).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from turns import show, take_turns

from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from videopose.lifting.inference.live_network import LiveNetwork
from videopose.lifting.inference.predict import Network, predict, predict_poses
from videopose.lifting.inference.pretrained import DEFAULT, load_lifter
from videopose.lifting.network.fused_model import FusedModel, Precision
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.config import CameraConfig, DetectionConfig

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
LIVE = 50  # frames that are lifted live in a round


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videopose3d", type=Path, metavar="PATH", help="a checkout to compare with")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="motion capture to compare precisions on")
    parser.add_argument("--frames", type=int, default=3000, help="of the clip")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(
        f"243 frames, 1024 channels, torch {torch.__version__}, {options.threads} threads, "
        f"{options.rounds} rounds; load {os.getloadavg()[0]:.1f}"
    )
    whole_clips(options.frames, options.rounds, options.videopose3d)
    live(options.rounds)
    if options.motion is not None:
        difference(MotionCapture.load(options.motion))
    else:
        print("(no --motion FILE: bfloat16 is not compared with float32)")


def whole_clips(frames: int, rounds: int, checkout: Path | None) -> None:
    """Time whole clips, and print the distance between our poses and theirs."""
    model = TemporalModel().eval()
    clip = np.random.default_rng(0).normal(0, 0.3, (frames, 17, 2)).astype(np.float32)
    networks: dict[Precision, Network] = {"float32": model, "bfloat16": FusedModel(model, torch.bfloat16)}
    sides: dict[str, Callable[[], Any]] = {p: partial(predict, networks[p], clip) for p in PRECISIONS}
    if checkout is not None:
        sides = {"VideoPose3D": partial(their_predict, their_model(checkout, model), clip), **sides}
        distance = np.linalg.norm(sides["VideoPose3D"]() - sides["float32"](), axis=-1)
        print(f"float32 and VideoPose3D are {1000 * distance.mean():.1e} mm apart")
    else:
        print("(no --videopose3d PATH: nothing to compare with)")
    times = take_turns(sides, rounds, per=frames, warm_up=1)
    show(f"a clip of {frames} frames", times, "ms a frame", against="VideoPose3D")


def their_model(checkout: Path, model: TemporalModel) -> Any:
    """VideoPose3D's model with our weights."""
    sys.path.insert(0, str(checkout))
    from common.model import TemporalModel as Theirs  # type: ignore[import-not-found]

    theirs = Theirs(17, 2, 17, list(model.filter_widths), channels=model.channels)
    theirs.load_state_dict(model.state_dict())
    return theirs.eval()


@torch.no_grad()
def their_predict(model: Any, clip: Any) -> Any:
    """As `run.py` evaluates a clip, without its mirror image."""
    pad = (model.receptive_field() - 1) // 2
    padded = np.pad(clip, ((pad, pad), (0, 0), (0, 0)), "edge")[None]
    return model(torch.from_numpy(padded.astype("float32"))).squeeze(0).numpy()


def live(rounds: int) -> None:
    """Time live lifting, frame by frame."""
    model = TemporalModel(causal=True).eval()
    sides: dict[str, Callable[[], object]] = {}
    for people in (1, 4):
        frame = np.random.default_rng(0).normal(0, 0.3, (people, 17, 2)).astype(np.float32)
        for precision in PRECISIONS:
            streamer = LiveNetwork(model, people=people, precision=precision)
            sides[f"{people} × {precision}"] = partial(repeat, streamer, frame)
    show("live, people × precision", take_turns(sides, rounds, per=LIVE, warm_up=1), "ms a frame")


def repeat(streamer: LiveNetwork, frame: Any) -> None:
    """Lift the same frame repeatedly."""
    for _ in range(LIVE):
        streamer.step(frame)


def difference(motion: MotionCapture, clips: int = 30) -> None:
    """Print how far bfloat16 moves the default lifter's joints."""
    lifter = load_lifter(DEFAULT)
    near = lifter.in_precision("bfloat16").network
    chosen = motion.select(list(range(0, len(motion), max(1, len(motion) // clips))))
    apart = []
    for seen in motion_capture_sequences(
        chosen, rate=lifter.rate or 30.0, cameras=CameraConfig(), detections=DetectionConfig(), per_clip=1
    ):
        poses = [
            predict_poses(network, seen.lifter_input, lifter.input_space, flip=None)
            for network in (lifter.model, near)
        ]
        apart.append(np.linalg.norm(poses[0] - poses[1], axis=-1).mean(1) * 1000)
    distance = np.concatenate(apart)
    print(
        f"default lifter, {len(distance)} frames of {len(apart)} clips: bfloat16 lies {distance.mean():.3f} "
        f"mm from float32 in the mean, {distance.max():.3f} mm in the worst frame"
    )


if __name__ == "__main__":
    main()
