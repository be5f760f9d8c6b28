"""The people of unlabelled videos: found once, kept in a folder, and read from there ever after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from ..detectors.people import Detector
from ..errors import InputError, NoPeopleError, UsageError
from ..files import file_digest
from ..lifting.pose_table import PoseTable
from ..semi.spans import Span, spans_of
from .detect import DetectOptions, detect, load_detector
from .intrinsics import find_lens
from .outputs import DETECTED_SUFFIX, Job, find_videos, plan
from .progress import Stage, say
from .video_in import open_video

FOLDER = "detections"


@dataclass(frozen=True)
class People:
    """Everybody in several videos.

    videos: what each is called, its sha256, and where its intrinsics are known from. digests: of the tables.
    """

    spans: tuple[Span, ...]
    videos: tuple[dict[str, str], ...]
    digests: tuple[str, ...]


def find_people(
    inputs: Sequence[Path],
    output: Path,
    options: DetectOptions,
    *,
    failed: Callable[[Exception], None],
    stage: Stage,
) -> People:
    """Find and follow people in videos, or folders of them; tables without poses are kept in `output`.

    A table is used again where video and options are the same. `failed` is told of each video that cannot be
    used. Raises `InputError` where there is no video, or none can be used, and `NoPeopleError` where all
    could but nobody is in any.
    """
    if options.keypoints is not None:
        raise UsageError("semi-train finds people by a detector")
    jobs = plan(find_videos(inputs), output / FOLDER, animation=False, suffix=DETECTED_SUFFIX)
    detectors: list[Detector | None] = []
    spans: list[Span] = []
    videos, digests, empty = [], [], 0
    for job in jobs:
        try:
            table = _known(job, options)
            if table is None:
                with open_video(job.source) as video:
                    detectors = detectors or [load_detector(options, say)]
                    table = detect(video, options, detectors[0], stage=stage, command=_key(options))
                table.save(job.table)
            else:
                say(f"{job.source.name}: people found before, in {job.table}")
            lens, source = find_lens(job.source, options.focal, table.size)
        except Exception as error:
            failed(error)
            empty += isinstance(error, NoPeopleError)
            continue
        if source.startswith("assumed"):
            say(f"note: {job.source.name}: camera {source}")
        if damage := table.meta.get("damaged"):
            say(f"warning: {job.source}: {damage}")
        spans += spans_of(table, lens, job.source.name)
        digest = str(table.meta["video"]["sha256"])
        videos.append({"name": job.source.name, "sha256": digest, "intrinsics": source})
        digests.append(file_digest(job.table) + "".join(f" {v:g}" for v in lens.parameters.tolist()))
    if not spans:
        if empty == len(jobs):
            raise NoPeopleError("nobody was found in any of the unlabelled videos")
        raise InputError("none of the unlabelled videos can be used")
    return People(tuple(spans), tuple(videos), tuple(digests))


def _known(job: Job, options: DetectOptions) -> PoseTable | None:
    """The table that an earlier run made of this very video by these very options."""
    if not job.table.exists():
        return None
    try:
        table = PoseTable.load(job.table)
    except InputError:  # damaged, so it is made again
        return None
    same = (table.meta.get("video") or {}).get("sha256") == file_digest(job.source)
    return table if same and table.meta.get("command") == _key(options) else None


def _key(options: DetectOptions) -> str:
    """All that decides what is found; the lens is looked up again, and where networks run does not matter."""
    bare = replace(options, device="auto", focal=type(options.focal)())
    return "semi-train " + " ".join(str(value) for value in astuple(bare))
