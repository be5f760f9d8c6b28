"""Measure what a start costs, and each further file of a batch.

    python benchmarks/startup.py VIDEO [--files 8] [--rounds 3]

Measured are `videopose --help`, `videopose infer` of one frame, and of several files of one frame in one run.
The difference of the last two, divided by the number of further files, is the cost of a file. Each file is a
copy of the first frame of the video (H.264). Seconds of wall time and of processor time are medians of all
rounds. It needs Linux or macOS, and for wall time idle cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from videopose.pipeline.video.writer import ffmpeg_executable

Cost = tuple[float, float]
"""Seconds of wall time and of processor time."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.files < 2:
        parser.error("--files takes 2 or more")
    with tempfile.TemporaryDirectory() as name:
        clips = _clips(options.video, options.files, Path(name))
        rows = [_round(clips, Path(name)) for _ in range(options.rounds + 1)][1:]  # the first one warms up
    helps, one, several = ([row[column] for row in rows] for column in range(3))
    further = [
        tuple((b - a) / (options.files - 1) for a, b in zip(first, all_, strict=True))
        for first, all_ in zip(one, several, strict=True)
    ]
    for what, costs in (("--help", helps), ("infer of 1 frame", one), ("each further file", further)):
        wall, processor = (statistics.median(column) for column in zip(*costs, strict=True))
        print(f"{what:<20}{wall:7.2f} s wall {processor:7.2f} s processor")


def _clips(video: Path, count: int, folder: Path) -> list[Path]:
    first = folder / "0.mp4"
    command = [ffmpeg_executable(), "-v", "error", "-i", str(video), "-an", "-frames:v", "1", str(first)]
    subprocess.run(command, check=True)
    return [first, *(Path(shutil.copy(first, folder / f"{number}.mp4")) for number in range(1, count))]


def _round(clips: Sequence[Path], folder: Path) -> tuple[Cost, Cost, Cost]:
    infer = ["infer", "--no-render", "--device", "cpu", "--overwrite", "--output", str(folder / "results")]
    return _run("--help"), _run(*infer, str(clips[0])), _run(*infer, *map(str, clips))


def _run(*arguments: str) -> Cost:
    """Run videopose, and return what it cost."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "videopose", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
