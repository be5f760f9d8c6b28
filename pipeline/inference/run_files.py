"""Files in, files out: what the commands about videos and pose tables do once the command line is parsed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...detectors.people import Detector
from ...errors import UsageError
from ...files import file_digest, replacing
from ...lifting.inference.lifter import Lifter
from ...lifting.pose_table import PoseTable
from ...render.views import View
from ..downloads import assets
from ..keypoint_import.match_video import check_several
from ..paths import ANIMATION_SUFFIX, OVERLAY_SUFFIX, Job, base_name, check_free
from ..progress import say, terminal
from ..video.reader import Video, open_video
from .animate import animate
from .detect import DetectOptions, detect, load_detector
from .infer import InferOptions, Tools, infer_opened
from .lift import LiftOptions, lift, load

Source = TypeVar("Source")
Loaded = TypeVar("Loaded")
Failed = Callable[[Exception], None]


def infer_videos(
    jobs: Sequence[Job], options: InferOptions, *, overwrite: bool, command: str, failed: Failed
) -> None:
    """From videos to tables with poses and animations.

    `failed` is told of each job that could not be done, and the next one begins. Raises `VideoposeError`
    where the networks cannot be loaded, which no job could do without.
    """

    def do(job: Job, video: Video, tools: Tools) -> None:
        _write(job, infer_opened(video, options, tools, stage=terminal, command=command), job.source)

    _check_keypoints(jobs, options)
    _each(jobs, _video, partial(Tools.load, options, report=say), do, overwrite, failed)


def detect_videos(
    jobs: Sequence[Job], options: DetectOptions, *, overwrite: bool, command: str, failed: Failed
) -> None:
    """From videos to tables without poses. Errors as of `infer_videos`."""

    def do(job: Job, video: Video, detector: Detector | None) -> None:
        _write(job, detect(video, options, detector, stage=terminal, command=command), None)

    _check_keypoints(jobs, options)
    _each(jobs, _video, partial(load_detector, options, report=say), do, overwrite, failed)


def lift_tables(
    jobs: Sequence[Job], options: LiftOptions, *, overwrite: bool, command: str, failed: Failed
) -> None:
    """From tables to tables with poses, and animations. Errors as of `infer_videos`."""

    def do(job: Job, table: PoseTable, lifter: Lifter) -> None:
        lifted = lift(table, options, lifter, stage=terminal, command=command)
        _write(job, lifted, _beside(job.source, table) if job.animation else None)

    _each(jobs, _table, partial(load, options), do, overwrite, failed)


def _video(job: Job) -> AbstractContextManager[Video]:
    return open_video(job.source)


def _table(job: Job) -> AbstractContextManager[PoseTable]:
    return nullcontext(PoseTable.load(job.source))


def _each(
    jobs: Sequence[Job],
    open_source: Callable[[Job], AbstractContextManager[Source]],
    load_networks: Callable[[], Loaded],
    do: Callable[[Job, Source, Loaded], None],
    overwrite: bool,
    failed: Failed,
) -> None:
    networks: list[Loaded] = []
    for job in jobs:
        with ExitStack() as stack:
            try:
                check_free(job.results, overwrite=overwrite)
                source = stack.enter_context(open_source(job))  # before anything is fetched or loaded for it
            except Exception as error:
                failed(error)
                continue
            networks = networks or [load_networks()]
            try:
                do(job, source, networks[0])
            except Exception as error:
                failed(error)


def _check_keypoints(jobs: Sequence[Job], options: DetectOptions) -> None:
    if options.keypoints is not None:
        check_several(Path(options.keypoints), [job.source for job in jobs])


def _write(job: Job, table: PoseTable, video: Path | None) -> None:
    """Write the job's results, and say what its user should know. video: shown in the animation, if any."""
    source = str(table.meta.get("intrinsics"))
    if source.startswith("assumed"):
        say(
            f"note: camera {source}; --focal-px, --focal-35mm or --hfov would tell, "
            f"or a {job.source.stem}.camera.json beside it"
        )
    if damage := table.meta.get("damaged"):
        say(f"warning: {job.source}: {damage}")
    table.save(job.table)
    say(f"→ {job.table}")
    if job.animation is not None:
        animate(table, job.animation, video=video, stage=terminal)
        say(f"→ {job.animation}")


def place_demo(job: Job, *, overwrite: bool) -> None:
    """Put the sample clip where the job expects its video, fetched first where needed.

    Raises `OutputError` where another file, or a result, is there and may not be replaced.
    """
    check_free(job.results, overwrite=overwrite)
    clip = assets.fetch("demo.mp4", report=say)
    if job.source.is_file() and file_digest(job.source) == file_digest(clip):
        return
    check_free([job.source], overwrite=overwrite)
    with replacing(job.source) as target:
        shutil.copyfile(clip, target)


def redraw(
    source: Path,
    output: Path | None,
    *,
    views: Sequence[View],
    size: tuple[int, int],
    video: Path | None,
    use_video: bool,
    overwrite: bool,
) -> None:
    """Draw a pose table again; of one without poses, the keypoints over the video.

    output: None is the animation's usual place. video: None is the video that the table names, if it lies
    beside the table. Raises `OutputError` where the result exists and `UsageError` where it would replace
    the video, or there is nothing to draw.
    """
    if video is not None and not use_video:
        raise UsageError("give --video or --no-video, not both")
    table = PoseTable.load(source)
    lifted = bool(np.isfinite(table.pose).any())
    output = output or source.with_name(base_name(source) + (ANIMATION_SUFFIX if lifted else OVERLAY_SUFFIX))
    check_free([output], overwrite=overwrite, elsewhere="--output FILE")
    if use_video and video is None:
        video = _beside(source, table)
    if not lifted:
        unlifted = f"{source} has no poses yet (`videopose lift` makes them)"
        if video is None:
            raise UsageError(f"{unlifted} and no video to draw its keypoints on; see --video")
        say(f"note: {unlifted}, so only the keypoints are drawn")
    if video is not None and output.exists() and video.exists() and output.samefile(video):
        raise UsageError(f"{output} is the video itself; --output FILE writes elsewhere")
    animate(table, output, video=video, size=size, views=views, stage=terminal)
    say(f"→ {output}")


def _beside(source: Path, table: PoseTable) -> Path | None:
    """The video that the table was made from, where it lies beside the table; else says so."""
    made_from = table.meta.get("video") or {}
    name = Path(str(made_from.get("name", ""))).name
    video = source.with_name(name) if name else source
    if not name or not video.is_file():
        say(f"note: {name or 'its video'} is not beside the table, so only the 3D is drawn; see --video")
        return None
    if file_digest(video) != made_from.get("sha256"):
        say(f"note: {video} is not the very file that the table was made from; see --video")
    return video
