"""Speed of a training step beside VideoPose3D's: batch, forward, backward, Amsgrad, on random clips.

    python benchmarks/training_speed.py [--videopose3d PATH] [--frames 27 243] [--rounds N] [--threads N]

PATH is a checkout of VideoPose3D; without it only this project's step is measured. Both sides take turns in
one run, each as it is used: ours in bfloat16 on gathered windows, theirs as in `run.py`. Clips are as long
as Human3.6M's, batches have 1024 samples, models 1024 channels. Printed are the median and the quartiles
over the rounds: milliseconds a sample by the clock and, in brackets, of processor time, which says more if
other programs are running. Use one thread for that: several threads also count the time that they wait.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from turns import show, take_turns

from videopose.lifting.cameras.extrinsics import Extrinsics
from videopose.lifting.datasets.recordings import CalibratedCamera, Recording, RecordingSet
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.training.config import RecordedConfig
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.skeleton import H36M17

WIDTHS = {1: (1, 1, 1), 27: (3, 3, 3), 81: (3, 3, 3, 3), 243: (3, 3, 3, 3, 3)}
SIZE = (1000, 1000)
CAMERA = CalibratedCamera("camera", SIZE, Extrinsics((1, 0, 0, 0), (0, 0, 0)), None)

Step = Callable[[], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videopose3d", type=Path, metavar="PATH", help="a checkout to compare with")
    parser.add_argument("--frames", type=int, nargs="+", default=[27, 243], choices=list(WIDTHS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--channels", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clips = [random_clip(seed) for seed in range(40)]

    print(
        f"batches of {options.batch}, {options.channels} channels, torch {torch.__version__}, "
        f"{options.threads} threads, {options.rounds} rounds; load {os.getloadavg()[0]:.1f}"
    )
    if options.videopose3d is None:
        print("(no --videopose3d PATH: nothing to compare with)")
    for frames in options.frames:
        shape = WIDTHS[frames], options.channels, options.batch
        sides = {"videopose": our_step(clips, *shape)}
        if options.videopose3d is not None:
            sides["VideoPose3D"] = their_step(options.videopose3d, clips, *shape)
        times = take_turns(sides, options.rounds, per=options.batch)
        show(f"{frames} frames", times, "ms a sample", against="VideoPose3D")


def random_clip(seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints (T, 17, 2) in normalised screen coordinates and poses (T, 17, 3)."""
    random = np.random.default_rng(seed)
    frames = int(random.integers(1000, 5000))
    sizes = ((frames, 17, 2), (frames, 17, 3))
    keypoints, poses = (random.normal(0, 0.3, size).astype(np.float32) for size in sizes)
    return keypoints, poses


def our_step(
    clips: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    widths: tuple[int, ...],
    channels: int,
    batch: int,
) -> Step:
    """What `training.train` does in a step on recordings."""
    config = RecordedConfig.model_validate(
        {
            "name": "speed",
            "recordings": {"data_set": "h36m"},
            "precision": "bfloat16",
            "model": {"filter_widths": widths, "channels": channels},
            "schedule": {"batch": batch},
        }
    )
    recordings = tuple(
        Recording("S1", "clip", CAMERA, (keypoints + 1) * 500, poses, poses[:, 0])
        for keypoints, poses in clips
    )
    batches = RecordedBatches(RecordingSet(recordings, H36M17, H36M17, 50.0), config)
    model = TemporalModel(**config.model.model_dump())
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True, fused=True)
    number = iter(range(sys.maxsize))

    def step() -> None:
        batch = batches.sample(next(number))
        with torch.autocast("cpu", torch.bfloat16):
            out = model.forward_strided(batch.keypoints)
        loss = (out.float() - batch.pose).norm(dim=-1).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def their_step(
    checkout: Path,
    clips: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
    widths: tuple[int, ...],
    channels: int,
    batch: int,
) -> Step:
    """What VideoPose3D's `run.py` does in a step of supervised training with its usual options."""
    sys.path.insert(0, str(checkout))
    from common.generators import ChunkedGenerator  # type: ignore[import-not-found]
    from common.loss import mpjpe  # type: ignore[import-not-found]
    from common.model import TemporalModelOptimized1f  # type: ignore[import-not-found]

    left, right = list(H36M17.left), list(H36M17.right)
    model = TemporalModelOptimized1f(17, 2, 17, widths, dropout=0.25, channels=channels)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)
    generator = ChunkedGenerator(
        batch, None, [p for _, p in clips], [k for k, _ in clips], 1, pad=(model.receptive_field() - 1) // 2,
        augment=True, kps_left=left, kps_right=right, joints_left=left, joints_right=right, endless=True,
    )  # fmt: skip
    batches: Any = generator.next_epoch()

    def step() -> None:
        _, poses, keypoints = next(batches)
        inputs_3d = torch.from_numpy(poses.astype("float32"))
        inputs_2d = torch.from_numpy(keypoints.astype("float32"))
        inputs_3d[:, :, 0] = 0
        optimiser.zero_grad()
        loss = mpjpe(model(inputs_2d), inputs_3d)
        loss.item()
        loss.backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    main()
