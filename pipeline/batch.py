"""Videos in, files out: what `infer`, `demo` and `render` do once the command line is parsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import InputError, OutputError
from ..lifting.pose_table import PoseTable
from ..render.views import View
from .animate import animate
from .infer import InferOptions, Tools, infer
from .outputs import Job, check_free
from .progress import console, terminal


def run(
    jobs: Sequence[Job],
    options: InferOptions,
    *,
    overwrite: bool,
    command: str,
    failed: Callable[[Exception], None],
) -> None:
    """Do every job; `failed` is told of each that could not be done, and the next one begins."""
    tools: Tools | None = None
    for job in jobs:
        try:
            check_free(job, overwrite=overwrite)
            tools = tools or _load(options, job)
            table = infer(job.video, options, tools=tools, stage=terminal, command=command)
            _remark(table, job)
            table.save(job.table)
            if job.animation is not None:
                animate(table, job.animation, video=job.video, stage=terminal)
            console.print("\n".join(f"→ {path}" for path in job.results), markup=False, soft_wrap=True)
        except Exception as error:
            failed(error)


def _load(options: InferOptions, job: Job) -> Tools:
    if not job.video.exists():  # before anything is fetched or loaded for it
        raise InputError(f"{job.video}: no such file")
    return Tools.load(options, report=console.print)


def _remark(table: PoseTable, job: Job) -> None:
    """What the user should know of the result, a line each."""
    source = str(table.meta["intrinsics"])
    if source.startswith("assumed"):
        console.print(
            f"note: camera {source}; --focal-px, --focal-35mm or --hfov would tell",
            soft_wrap=True,
            markup=False,
        )
    if damage := table.meta["damaged"]:
        console.print(f"warning: {job.video.name}: {damage}", soft_wrap=True, markup=False)


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
    """Draw a pose table again. Raises `OutputError` where the result exists."""
    table = PoseTable.load(source)
    output = output or source.with_name(source.stem + ".3d.mp4")
    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists; --overwrite replaces it, --output FILE writes elsewhere")
    if use_video and video is None:
        video = source.parent / str(table.meta.get("video", {}).get("name", ""))
        if not video.is_file():
            console.print(f"note: {video.name} is not beside the table, so only the 3D is drawn; see --video")
            video = None
    animate(table, output, video=video if use_video else None, size=size, views=views, stage=terminal)
    console.print(f"→ {output}", markup=False, soft_wrap=True)
