"""Measure how a lifter's errors depend on the video's frame rate, from 15 to 120 frames per second.

    python benchmarks/frame_rates.py --data FOLDER [--lifter default] [--clips 60]

The same motion capture of held-out people is seen by the same cameras at every rate, with a simulated
detector whose errors are sampled anew at each rate. It is lifted as `videopose infer` does, which resamples
to the lifter's own rate. MPJVE is given in millimetres a second, so that rates can be compared.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from videopose.errors import VideoposeError
from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.evaluation.held_out import select_held_out
from videopose.lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from videopose.lifting.evaluation.scores import pool, score
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.simulation.config import CameraConfig, DetectionConfig

RATES = (15.0, 24.0, 30.0, 50.0, 60.0, 90.0, 120.0)
SIZE = (1920, 1080)
CAMERA = Intrinsics.assumed(SIZE)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Motion-capture tables (.npz).")
@click.option("--lifter", default="default", show_default=True)
@click.option("--clips", default=60, show_default=True, help="At most so many of each table, evenly chosen.")
@click.option("--severity", default=0.5, show_default=True, help="Of the simulated detector; 1 is harsh.")
def main(data: Path, lifter: str, clips: int, severity: float) -> None:
    loaded = load_lifter(lifter)
    for path in sorted(data.glob("*.npz")):
        table = MotionCapture.load(path)
        try:
            chosen = select_held_out(table, loaded.about, file=path.name).clips
        except VideoposeError as error:  # the lifter was trained on all people in it
            click.echo(f"left out: {error}")
            continue
        spread = np.unique(np.linspace(0, len(chosen) - 1, min(clips, len(chosen))).astype(int))
        part = table.select([chosen[i] for i in spread])
        lines = Table(
            "frames a second", "MPJPE", "P-MPJPE", "MPJVE, mm/s", title=f"{path.name}, {len(part)} clips"
        )
        for rate in track(RATES, path.stem):
            seen = [
                sequence
                for clip in range(len(part))  # a seed for each clip: the same camera at all rates
                for sequence in motion_capture_sequences(
                    part.select([clip]), rate=rate, cameras=CameraConfig(), layout="coco17", per_clip=1,
                    detections=DetectionConfig(severity=(severity, severity)), seed=clip,
                )
            ]  # fmt: skip

            def lift(rays: NDArray[np.float32], rate: float = rate) -> NDArray[np.float32]:
                pixels = rays / H36M_FOCAL * (CAMERA.fx, CAMERA.fy) + (CAMERA.cx, CAMERA.cy)
                keypoints = np.concatenate([pixels, np.ones_like(rays[..., :1])], -1).astype(np.float32)
                times = np.arange(len(rays)) / rate
                return loaded.lift_track(keypoints, times, lens=Lens(CAMERA), size=SIZE).pose

            errors = pool([score(lift, sequence) for sequence in seen])
            lines.add_row(
                f"{rate:g}", f"{errors.mpjpe:.1f}", f"{errors.p_mpjpe:.1f}", f"{errors.mpjve * rate:.0f}"
            )
        Console().print(lines)


if __name__ == "__main__":
    main()
