"""Videos in, files out: what `infer`, `demo` and `render` do once the command line is parsed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import UsageError
from ..files import file_digest, replacing
from ..lifting.pose_table import PoseTable
from ..render.views import View
from . import assets
from .animate import animate
from .infer import InferOptions, Tools, infer
from .outputs import ANIMATION_SUFFIX, Job, check_free
from .progress import say, terminal
from .video_in import open_video


def run(
    jobs: Sequence[Job],
    options: InferOptions,
    *,
    overwrite: bool,
    command: str,
    failed: Callable[[Exception], None],
) -> None:
    """Do every job; `failed` is told of each that could not be done, and the next one begins.

    Raises `VideoposeError` where the networks cannot be loaded, which no job could do without.
    """
    tools: Tools | None = None
    for job in jobs:
        try:
            check_free(job.results, overwrite=overwrite)
            with open_video(job.video):  # before anything is fetched or loaded for it
                pass
        except Exception as error:
            failed(error)
            continue
        tools = tools or Tools.load(options, report=say)
        try:
            _do(job, options, tools, command)
        except Exception as error:
            failed(error)


def _do(job: Job, options: InferOptions, tools: Tools, command: str) -> None:
    table = infer(job.video, options, tools=tools, stage=terminal, command=command)
    source = str(table.meta["intrinsics"])
    if source.startswith("assumed"):
        say(f"note: camera {source}; --focal-px, --focal-35mm or --hfov would tell")
    if damage := table.meta["damaged"]:
        say(f"warning: {job.video}: {damage}")
    table.save(job.table)
    say(f"→ {job.table}")
    if job.animation is not None:
        animate(table, job.animation, video=job.video, stage=terminal)
        say(f"→ {job.animation}")


def place_demo(job: Job, *, overwrite: bool) -> None:
    """Put the sample clip where the job expects its video, fetched first where needed.

    Raises `OutputError` where another file, or a result, is there and may not be replaced.
    """
    check_free(job.results, overwrite=overwrite)
    clip = assets.fetch("demo.mp4", report=say)
    if job.video.is_file() and file_digest(job.video) == file_digest(clip):
        return
    check_free([job.video], overwrite=overwrite)
    with replacing(job.video) as target:
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
    """Draw a pose table again.

    output: None is the animation's usual place. video: None is the video that the table names, if it lies
    beside the table. Raises `OutputError` where the result exists and `UsageError` where it would replace
    the video.
    """
    if video is not None and not use_video:
        raise UsageError("give --video or --no-video, not both")
    table = PoseTable.load(source)
    output = output or source.with_name(source.stem + ANIMATION_SUFFIX)
    check_free([output], overwrite=overwrite, elsewhere="--output FILE")
    if use_video and video is None:
        video = _beside(source, table)
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
