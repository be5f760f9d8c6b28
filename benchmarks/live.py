"""Measure the live lifter: its poses against offline causal lifting at other frame rates, and its cost.

    python benchmarks/live.py TABLE [--lifter causal] [--seconds 3]

TABLE is a pose table. The keypoints of its longest track are interpolated to each frame rate, lifted offline
as `videopose lift --lifter causal` does, and live, frame by frame. Differences are means and maxima over
joints and frames. Costs are milliseconds of one processor thread a frame.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.interpolate import CubicSpline

from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.live import LiveLifter
from videopose.lifting.inference.live_network import LiveNetwork
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.pose_table import PoseTable

RATES = (15.0, 20.0, 24.0, 30.0, 50.0, 60.0, 120.0)


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--lifter", default="causal", show_default=True)
@click.option("--seconds", default=3.0, show_default=True, help="Length of the part that is lifted.")
def main(table: Path, lifter: str, seconds: float) -> None:
    torch.set_num_threads(1)
    loaded, poses = load_lifter(lifter), PoseTable.load(table)
    rows = max((rows for _, rows in poses.tracks()), key=lambda rows: rows.stop - rows.start)
    times = poses.time[poses.frame[rows]]
    curve = CubicSpline(times, poses.keypoints[rows])
    lines = Table("frames a second", "networks", "mean", "maximum", title="live against offline, mm")
    for rate in RATES:
        at = np.arange(times[0], min(times[-1], times[0] + seconds), 1 / rate)
        keypoints = curve(at).astype(np.float32)
        keypoints[..., 2] = keypoints[..., 2].clip(0, 1)
        offline = loaded.lift_track(keypoints, at, lens=poses.lens, size=poses.size).pose
        live = LiveLifter(loaded, camera=poses.lens, size=poses.size, rate=rate)
        found = [
            live.step(each[None], time=float(second))[0] for each, second in zip(keypoints, at, strict=True)
        ]
        apart = 1000 * np.linalg.norm(np.stack(found) - offline, axis=-1)
        lines.add_row(f"{rate:g}", str(len(live._networks)), f"{apart.mean():.4f}", f"{apart.max():.4f}")
    console = Console()
    console.print(lines)
    network, whole = _cost(loaded, poses, rows)
    console.print(f"a frame of one person: network {network:.2f} ms, all of LiveLifter {whole:.2f} ms")


def _cost(lifter: Lifter, poses: PoseTable, rows: slice) -> tuple[float, float]:
    """Median milliseconds of the processor: of the network with its mirror image, and of the whole lifter."""
    network = LiveNetwork(lifter.model, flip=lifter.skeleton)
    live = LiveLifter(lifter, camera=poses.lens, size=poses.size)
    made = np.zeros((1, lifter.model.num_joints_in, lifter.model.in_features), np.float32)
    spent: list[tuple[float, float]] = []
    for keypoints in poses.keypoints[rows]:
        begin = time.process_time()
        network.step(made)
        between = time.process_time()
        live.lift(keypoints[None])
        spent.append((between - begin, time.process_time() - between))
    first, second = 1000 * np.median(spent[20:], axis=0)
    return float(first), float(second)


if __name__ == "__main__":
    main()
