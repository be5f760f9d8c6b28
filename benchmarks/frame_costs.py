"""Measure what each step of `infer` costs a frame, in processor time.

    python benchmarks/frame_costs.py VIDEO [--seconds 4] [--people all]

Each step runs alone on one core: decoding (with conversion to RGB), following the background, finding people
with the default detector, lifting, drawing, and encoding (ffmpeg's own processor time).
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from videopose.cores import limit_cores
from videopose.detectors.people import Image
from videopose.lifting.inference.pretrained import load_lifter
from videopose.pipeline.camera_metadata.find_camera import find_camera
from videopose.pipeline.inference.animate import animate
from videopose.pipeline.inference.detect import detect, load_detector
from videopose.pipeline.inference.lift import lift
from videopose.pipeline.inference.options import InferOptions
from videopose.pipeline.inference.watch_background import NO_BOXES, BackgroundWatch
from videopose.pipeline.video.reader import open_video


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--people", default="all")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    limit_cores(1)
    torch.set_num_threads(1)
    people = None if options.people == "all" else int(options.people)
    chosen = InferOptions(people=people, end=options.seconds, device="cpu", static_camera=True)
    images: list[Image] = []
    costs: dict[str, float] = {}

    def read() -> None:
        with open_video(options.video) as video:
            images.extend(frame.image for frame in video.frames(end=options.seconds))

    costs["decoding"] = _seconds(read)
    with open_video(options.video) as video:
        watch = BackgroundWatch(find_camera(video.path, chosen.focal, video.size)[0], video.size)

        def follow() -> None:
            for number, image in enumerate(images):
                watch.see(number, image, NO_BOXES)

        costs["background"] = _seconds(follow)
        detector = load_detector(chosen)
        assert detector is not None
        list(detector.detect(images[:2]))
        costs["people"] = _seconds(lambda: list(detector.detect(iter(images))))
        found = detect(video, chosen, detector)
    lifter = load_lifter("default")
    lift(found, chosen, lifter)
    costs["lifting"] = _seconds(lambda: lift(found, chosen, lifter))
    table = lift(found, chosen, lifter)
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        both = _seconds(lambda: animate(table, Path(folder) / "a.mp4", video=options.video))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    costs["drawing"] = both - costs["decoding"]
    costs["encoding"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = f"{images[0].shape[1]} × {images[0].shape[0]}"
    tracks = len(set(found.track.tolist()))
    print(f"{len(images)} frames of {size}, {len(found) / len(images):.1f} people a frame, {tracks} tracks")
    for name, seconds in costs.items():
        print(f"{name:<12}{1000 * seconds / len(images):8.2f} ms a frame")
    print(f"{'all':<12}{1000 * sum(costs.values()) / len(images):8.2f} ms a frame")


def _seconds(work: Callable[[], object]) -> float:
    """Processor time of this process, of all threads."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
