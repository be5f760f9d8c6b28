"""Measure the memory of `videopose infer --no-render` during a long video, made by looping a short one.

    python benchmarks/memory_curve.py VIDEO [--end 1.6] [--minutes 60] [--csv FILE] [--picture FILE]
    python benchmarks/memory_curve.py --draw [--csv FILE] [--picture FILE]

The first seconds of the video are scaled to 1080p at 25 frames a second and repeated. One minute of it is
processed first, then as many minutes as are wanted. The largest resident memory of the process and its
children is written down for each part of 120 frames on which people have been found, and every ten seconds
after that; also without pages of files, such as libraries, which the system may drop at any time. The last
number of a run is the most that the system counted. The second form draws what was written, also by a run
that is not finished.
It needs Linux (`/proc`), but no idle cores.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from videopose.pipeline.downloads.cache import cache_folder
from videopose.pipeline.inference.kept_parts import PART_FRAMES
from videopose.pipeline.video.writer import ffmpeg_executable

RATE = 25
"""Frames a second of the looped video."""


@dataclass(frozen=True)
class Sample:
    """The largest memory since the sample before.

    Attributes:
        video_minutes: Length of the video, which tells the runs apart.
        seconds: Since the run began.
        frames: Frames on which people have been found; those of the unfinished part are not counted.
        megabytes: Resident memory of the process and its children (10^6 bytes).
        own: The part of it that no file backs.
    """

    video_minutes: float
    seconds: float
    frames: int
    megabytes: float
    own: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--end", type=float, default=1.6, help="seconds of the video that are looped")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--draw", action="store_true", help="only draw the file of an earlier run")
    parser.add_argument("--csv", type=Path, default=Path("benchmarks/results/memory.csv"))
    parser.add_argument("--picture", type=Path, default=Path("docs/images/memory.png"))
    options = parser.parse_args()
    if not options.draw:
        if options.video is None:
            parser.error("a video is needed")
        with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
            measure(options.video, options.end, [1, options.minutes], options.csv, Path(name))
    samples = read(options.csv)
    for minutes in sorted({each.video_minutes for each in samples}):
        print(describe([each for each in samples if each.video_minutes == minutes]))
    draw(samples, options.picture)


def measure(video: Path, end: float, lengths: Sequence[float], target: Path, folder: Path) -> None:
    """Process looped videos of some lengths in minutes, and write the samples as they are taken."""
    loop = _loop(video, end, folder / "loop.mp4")
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Sample))
        for minutes in lengths:
            looped = _repeated(loop, minutes, folder / f"{minutes:g}-minutes.mp4")
            for sample in _measured(looped, minutes, folder):
                memory = f"{sample.megabytes:.1f}", f"{sample.own:.1f}"
                writer.writerow([f"{minutes:g}", f"{sample.seconds:.0f}", sample.frames, *memory])
                file.flush()


def read(source: Path) -> list[Sample]:
    """Read samples that `measure` has written."""
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [Sample(float(row[0]), float(row[1]), int(row[2]), float(row[3]), float(row[4])) for row in rows]


def describe(samples: Sequence[Sample]) -> str:
    """Return the largest memory of a run, as a line."""
    frames = max(each.frames for each in samples)
    finding = [each for each in samples if each.frames < frames]
    return (
        f"{samples[0].video_minutes:g} minutes: {frames} frames in {samples[-1].seconds:.0f} s, at most "
        f"{max(each.megabytes for each in finding):.0f} MB while people are found "
        f"({max(each.own for each in finding):.0f} MB without files), "
        f"{max(each.megabytes for each in samples):.0f} MB in all "
        f"({max(each.own for each in samples):.0f} MB)"
    )


def _loop(video: Path, end: float, target: Path) -> Path:
    picture = f"scale=1920:1080,setsar=1,fps={RATE}"
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-bf", 0, "-frames:v", round(end * RATE)]
    _ffmpeg("-i", video, "-an", "-vf", picture, *encoder, target)
    return target


def _repeated(loop: Path, minutes: float, target: Path) -> Path:
    _ffmpeg("-stream_loop", -1, "-i", loop, "-t", 60 * minutes, "-c", "copy", target)
    return target


def _ffmpeg(*arguments: object) -> None:
    command = [ffmpeg_executable(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


def _measured(video: Path, minutes: float, folder: Path) -> Iterator[Sample]:
    """Process a video in a cache of its own, whose parts tell how far it is; sample the memory."""
    cache = folder / "cache"
    for part in ("assets", "onnx"):
        if (cache_folder() / part).is_dir() and not (cache / part).exists():
            shutil.copytree(cache_folder() / part, cache / part)
    command = [sys.executable, "-m", "videopose", "infer", str(video), "--no-render", "--device", "cpu"]
    command += ["--people", "all", "--output", str(folder / "results")]
    frames, last, largest = 0, 0.0, (0, 0)
    begun = time.perf_counter()
    run = subprocess.Popen(command, env={**os.environ, "VIDEOPOSE_CACHE": str(cache)})
    while not (ended := os.wait4(run.pid, os.WNOHANG))[0]:
        resident, own = _resident(run.pid)
        largest = max(largest[0], resident), max(largest[1], own)
        seconds = time.perf_counter() - begun
        done = PART_FRAMES * sum(1 for _ in cache.glob("parts/*/*.part.npz"))
        if done > frames or seconds > last + 10:
            yield Sample(minutes, seconds, frames, largest[0] / 1e6, largest[1] / 1e6)
            frames, last, largest = max(done, frames), seconds, (0, 0)  # parts are removed at the end
        time.sleep(0.5)
    _, status, usage = ended
    # The system's own count: samples miss what lasts less than half a second.
    most = max(largest[0], usage.ru_maxrss * 1024)
    yield Sample(minutes, time.perf_counter() - begun, frames, most / 1e6, largest[1] / 1e6)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise SystemExit(f"infer failed with {run.returncode}")


def _resident(process: int) -> tuple[int, int]:
    """Bytes of a process and its children in memory, all and those that no file backs; 0 if it has ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()
        threads = Path(f"/proc/{process}/task").iterdir()
        children = [int(child) for each in threads for child in (each / "children").read_text().split()]
    except OSError:
        return 0, 0
    size = os.sysconf("SC_PAGE_SIZE")
    each = [_resident(child) for child in children]
    resident, of_files = int(pages[1]) * size, int(pages[2]) * size
    return resident + sum(r for r, _ in each), resident - of_files + sum(own for _, own in each)


def draw(samples: Sequence[Sample], target: Path) -> None:
    """Draw a curve of each run: memory against the minutes of video on which people have been found."""
    figure = Figure(figsize=(9, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for minutes in sorted({each.video_minutes for each in samples}, reverse=True):
        run = [each for each in samples if each.video_minutes == minutes]
        over = [each.frames / RATE / 60 for each in run]
        line = axis.plot(over, [each.megabytes for each in run], label=f"{minutes:g} min of 1080p")[0]
        own = [each.own for each in run]
        axis.plot(over, own, "--", color=line.get_color(), label=f"{minutes:g} min, without files")
    axis.set_xlabel("minutes of video on which people have been found; the last rise is lifting")
    axis.set_ylabel("memory, MB")
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target)


if __name__ == "__main__":
    main()
