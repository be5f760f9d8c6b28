"""The commands that turn video into motion: `infer`, its halves `detect` and `lift`, and `demo`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import Decorator, command
from .error_report import Failures
from .export import EXPORT_OPTION, export_options
from .options import (
    ANIMATION_OPTION,
    CAMERA_OPTIONS,
    DEVICE_OPTION,
    ENGINE_OPTIONS,
    JOBS_OPTION,
    KEYPOINT_OPTIONS,
    LIFT_OPTIONS,
    OUTPUT_OPTION,
    OVERWRITE_OPTION,
    PAGE_OPTION,
    SELECT_AT_OPTION,
    SELECT_OPTION,
    STATIC_CAMERA_OPTION,
    TIME_OPTIONS,
    WORLD_OPTIONS,
    people_options,
    settings,
)

if TYPE_CHECKING:
    from ..cluster.jobs import ClusterJob
    from ..inference.options import DetectOptions
    from ..paths import Job


def _inputs(metavar: str) -> Decorator[Any]:
    return click.argument("inputs", nargs=-1, required=True, metavar=metavar)


@command(
    examples=(
        "videopose infer video.mp4",
        "videopose infer video.mp4 --people all --focal-35mm 26 --export bvh --export glb --view",
        "videopose infer videos/ --output results --jobs 4  # or --engine ray --address auto, on a cluster",
    )
)
@_inputs("VIDEO|FOLDER…")
@TIME_OPTIONS
@KEYPOINT_OPTIONS
@people_options("1")
@SELECT_OPTION
@SELECT_AT_OPTION
@CAMERA_OPTIONS
@STATIC_CAMERA_OPTION
@LIFT_OPTIONS
@WORLD_OPTIONS
@OUTPUT_OPTION
@ANIMATION_OPTION
@EXPORT_OPTION
@PAGE_OPTION
@OVERWRITE_OPTION
@JOBS_OPTION
@ENGINE_OPTIONS
@DEVICE_OPTION
@click.pass_context
def infer(context: click.Context, /, inputs: tuple[str, ...], output: Path | None, **options: Any) -> int:
    """Turn videos into 3D motion.

    Each video.mp4 gives video.npz, the pose table, and video.3d.mp4, an animation. A folder stands for the
    videos in it. If one file fails, the others are still done.

    A folder of pictures is read as a video, and so are 'walk/%04d.jpg' and 'walk/*.jpg'; --fps is their rate.

    --keypoints reads VideoPose3D, OpenPose (a folder), AlphaPose, MMPose, Ultralytics, COCO results and
    annotations, stacked hourglass, and arrays (.npy). For several videos, give a folder with a file or folder
    named after each video.
    """
    from ..inference.options import InferOptions
    from ..inference.run_files import infer_videos
    from ..inputs import find_videos
    from ..paths import plan, with_pages

    chosen, failures = settings(InferOptions, options), Failures(context)
    if options["engine"] == "ray":
        return _on_cluster(inputs, output, chosen, options, context, failures)
    jobs = with_pages(
        plan(find_videos(inputs, failures), output, animation=not options["no_render"]), options["view"]
    )
    work = partial(infer_videos, **_after(options, jobs, context.obj))
    return _run(work, jobs, chosen, context, options["overwrite"], failures)


@command(
    examples=(
        "videopose detect video.mp4",
        "videopose detect video.mp4 --people all --detector mask-rcnn",
        "videopose detect videos/ --output detected",
    )
)
@_inputs("VIDEO|FOLDER…")
@TIME_OPTIONS
@KEYPOINT_OPTIONS
@people_options("1")
@SELECT_OPTION
@SELECT_AT_OPTION
@CAMERA_OPTIONS
@STATIC_CAMERA_OPTION
@OUTPUT_OPTION
@OVERWRITE_OPTION
@JOBS_OPTION
@ENGINE_OPTIONS
@DEVICE_OPTION
@click.pass_context
def detect(context: click.Context, /, inputs: tuple[str, ...], output: Path | None, **options: Any) -> int:
    """Find and follow people: the first half of infer.

    Each video.mp4 gives video.2d.npz, a pose table without poses, for `videopose lift`. A folder stands for
    the videos in it. If one file fails, the others are still done.

    A folder of pictures is read as a video, and so are 'walk/%04d.jpg' and 'walk/*.jpg'; --fps is their rate.

    --keypoints reads VideoPose3D, OpenPose (a folder), AlphaPose, MMPose, Ultralytics, COCO results and
    annotations, stacked hourglass, and arrays (.npy). For several videos, give a folder with a file or folder
    named after each video.
    """
    from ..inference.options import DetectOptions
    from ..inference.run_files import detect_videos
    from ..inputs import find_videos
    from ..paths import DETECTED_SUFFIX, plan

    chosen, failures = settings(DetectOptions, options), Failures(context)
    if options["engine"] == "ray":
        return _on_cluster(inputs, output, chosen, options, context, failures)
    jobs = plan(find_videos(inputs, failures), output, animation=False, suffix=DETECTED_SUFFIX)
    return _run(
        partial(detect_videos, processes=options["jobs"]),
        jobs,
        chosen,
        context,
        options["overwrite"],
        failures,
    )


@command(
    examples=(
        "videopose lift video.2d.npz",
        "videopose lift video.npz --focal-35mm 26 --overwrite  # again, with another camera",
        "videopose lift detected/ --lifter causal --output lifted",
    )
)
@_inputs("TABLE|FOLDER…")
@SELECT_OPTION
@SELECT_AT_OPTION
@CAMERA_OPTIONS
@LIFT_OPTIONS
@WORLD_OPTIONS
@OUTPUT_OPTION
@ANIMATION_OPTION
@EXPORT_OPTION
@PAGE_OPTION
@OVERWRITE_OPTION
@JOBS_OPTION
@DEVICE_OPTION
@click.pass_context
def lift(context: click.Context, /, inputs: tuple[str, ...], output: Path | None, **options: Any) -> int:
    """Lift what detect found: the second half of infer.

    Each video.2d.npz gives video.npz and video.3d.mp4, as `videopose infer` does. The animation shows the
    video if it is beside the table. A video.npz can be lifted again, to another --output folder or with
    --overwrite. A folder stands for the tables in it that `videopose detect` wrote.
    """
    from ..inference.options import LiftOptions
    from ..inference.run_files import lift_tables
    from ..inputs import find_tables, without_results
    from ..paths import plan, with_pages

    chosen, failures = settings(LiftOptions, options), Failures(context)
    jobs = with_pages(
        plan(without_results(find_tables(inputs, failures)), output, animation=not options["no_render"]),
        options["view"],
    )
    work = partial(lift_tables, **_after(options, jobs, context.obj))
    return _run(work, jobs, chosen, context, options["overwrite"], failures)


@command(
    examples=(
        "videopose demo",
        "videopose demo --people 1 --output demo",
        "videopose demo --end 2 --no-render  # a quick check of an installation",
    )
)
@TIME_OPTIONS
@people_options("all")
@SELECT_OPTION
@SELECT_AT_OPTION
@CAMERA_OPTIONS
@STATIC_CAMERA_OPTION
@LIFT_OPTIONS
@WORLD_OPTIONS
@OUTPUT_OPTION
@ANIMATION_OPTION
@EXPORT_OPTION
@PAGE_OPTION
@OVERWRITE_OPTION
@DEVICE_OPTION
@click.pass_context
def demo(context: click.Context, /, output: Path | None, **options: Any) -> int:
    """Fetch a sample clip and run infer on it.

    The clip shows two people for 8 seconds. The results are written to the folder videopose-demo unless
    --output names another.
    """
    from ..inference.options import InferOptions
    from ..inference.run_files import infer_videos, place_demo
    from ..paths import plan, with_pages

    chosen, overwrite = settings(InferOptions, options), options["overwrite"]
    clip = (output or Path("videopose-demo")) / "demo.mp4"
    jobs = with_pages(plan([clip], None, animation=not options["no_render"]), options["view"])
    place_demo(jobs[0], overwrite=overwrite)
    work = partial(infer_videos, **_after(options, jobs, context.obj))
    return _run(work, jobs, chosen, context, overwrite, Failures(context))


def _after(options: Mapping[str, Any], jobs: Sequence[Job], command: str) -> dict[str, Any]:
    """Return how files are processed: at once, and what is done with each table that is written."""
    after: dict[str, Any] = {"export": export_options(options["export"]), "processes": options.get("jobs", 1)}
    if options["view"]:
        from ..pages.view import finish_with_page

        after["finish"] = finish_with_page(jobs, overwrite=options["overwrite"], command=command)
    return after


def _run(
    work: Callable[..., None],
    jobs: Sequence[object],
    chosen: object,
    context: click.Context,
    overwrite: bool,
    failures: Failures,
) -> int:
    """Do the jobs; return the exit code. `failures` has the inputs that cannot be used already."""
    inputs = len(jobs) + failures.count
    if jobs:
        work(jobs, chosen, overwrite=overwrite, command=context.obj, failed=failures)
    return failures.exit_code(inputs)


def _on_cluster(
    inputs: Sequence[str],
    output: Path | None,
    chosen: DetectOptions,
    options: Mapping[str, Any],
    context: click.Context,
    failures: Failures,
) -> int:
    """Do `infer` or `detect` on a Ray cluster; return the exit code."""
    from ...errors import UsageError
    from ..cluster.jobs import plan_cluster_jobs
    from ..cluster.work import ClusterWork
    from ..engines.ray_cluster import do_on_ray
    from ..inference.options import InferOptions
    from ..remote_files import text_of

    if options["keypoints"]:
        raise UsageError("--engine ray takes no --keypoints: leave --engine ray out")
    if options.get("adapt"):
        raise UsageError(
            "--engine ray takes no --adapt: leave it out, and use `videopose lift --adapt` on the tables"
        )
    lifts = isinstance(chosen, InferOptions)
    export = export_options(options["export"]) if lifts else None
    jobs = plan_cluster_jobs(
        inputs,
        text_of(output),
        lifts=lifts,
        animation=lifts and not options["no_render"],
        overwrite=options["overwrite"],
        export=export,
        page=lifts and options["view"],
    )
    done: list[ClusterJob] = []
    work = ClusterWork(chosen, command=context.obj, export=export)
    do_on_ray(work, jobs, failures, done.append, address=options["address"])
    if lifts and options["view"]:
        from ..cluster.pages import write_cluster_pages

        write_cluster_pages(done, overwrite=options["overwrite"], command=context.obj, failed=failures)
    return failures.exit_code(len(jobs))
