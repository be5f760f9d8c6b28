"""Measure how many frames a second whole files reach: against the bare detector, and on one and two cores.

    python benchmarks/throughput.py VIDEO [--clips 4] [--seconds 4] [--rounds 3]

The clips are copies of the first seconds of the video. Each turn measures seconds of wall time on idle cores:
the detector on frames in memory (bare), `videopose detect` on one core, and `videopose detect --jobs 2` on
two cores. A run of one frame is the start-up, which is subtracted. The medians of all turns are printed.
Cores are set by the affinity of the process, so the script needs Linux.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from videopose.cores import limit_cores
from videopose.detectors.people import Image
from videopose.pipeline.inference.detect import load_detector
from videopose.pipeline.inference.options import DetectOptions
from videopose.pipeline.video.reader import open_video


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each clip")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        parser.error("two cores are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = [folder / f"{number}.mp4" for number in range(options.clips)]
        for clip in clips:
            shutil.copy(options.video, clip)
        frames = _frames(options.video, options.seconds)
        rows = [_turn(clips, options.seconds, frames, cores, folder) for _ in range(options.rounds)]
    count = options.clips * len(frames)
    bare, one, two, startup = (statistics.median(column) for column in zip(*rows, strict=True))
    rates = {"bare detector, one core": len(frames) / bare}
    rates["detect, one core"] = count / (one - startup)
    rates["detect --jobs 2, two cores"] = count / (two - startup)
    for what, rate in rates.items():
        print(f"{what:<28}{rate:8.1f} frames/s")
    print(f"{'start-up':<28}{startup:8.1f} s")
    print(
        f"two cores / one core        {rates['detect --jobs 2, two cores'] / rates['detect, one core']:8.2f}"
    )
    print(f"detect / bare detector      {rates['detect, one core'] / rates['bare detector, one core']:8.2f}")


def _frames(video: Path, seconds: float) -> list[Image]:
    with open_video(video) as opened:
        return [frame.image for frame in opened.frames(end=seconds)]


def _turn(
    clips: list[Path], seconds: float, frames: list[Image], cores: list[int], folder: Path
) -> tuple[float, float, float, float]:
    """Seconds of the bare detector, of one core, of two cores, and of a start."""
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores[:1])
    limit_cores(1)
    detector = load_detector(DetectOptions(device="cpu"))
    assert detector is not None
    begun = time.perf_counter()
    for _ in detector.detect(iter(frames)):
        pass
    bare = time.perf_counter() - begun
    os.sched_setaffinity(0, everything)
    startup = _run(clips[:1], 0.01, cores[:1], folder / "startup", jobs=1)
    one = _run(clips, seconds, cores[:1], folder / "one", jobs=1)
    two = _run(clips, seconds, cores, folder / "two", jobs=2)
    return bare, one, two, startup


def _run(clips: list[Path], seconds: float, cores: list[int], output: Path, *, jobs: int) -> float:
    """Seconds of `videopose detect` on these cores."""
    command = [
        sys.executable,
        "-m",
        "videopose",
        "detect",
        *map(str, clips),
        "--end",
        str(seconds),
        "--people",
        "all",
    ]
    command += [
        "--people",
        "all",
        "--output",
        str(output),
        "--overwrite",
        "--jobs",
        str(jobs),
        "--device",
        "cpu",
    ]
    begun = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
