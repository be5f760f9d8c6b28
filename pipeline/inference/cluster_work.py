"""`infer` and `detect` on a cluster: each step finds the people of one part of a video, on any machine."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError, OutputError, UsageError
from ...lifting.pose_table import PoseTable
from ..engines.ray_cluster import Step
from ..inputs import VIDEO_SUFFIXES
from ..paths import ANIMATION_SUFFIX, DETECTED_SUFFIX, OVERLAY_SUFFIX, TABLE_SUFFIX
from ..remote_files import file_system, forget_copy, is_remote, joined, local_copy, name_of, put
from ..video.reader import open_video
from .detect import detect, load_detector
from .infer import Networks, infer
from .kept_parts import PART_FRAMES, Arrays
from .options import DetectOptions, InferOptions

if TYPE_CHECKING:
    from ...detectors.people import Detector

STEP_FRAMES = 10 * PART_FRAMES
"""Frames of the part of a video that one step works on."""


@dataclass(frozen=True)
class ClusterJob:
    """One video and its results, as paths of this machine or of a store such as s3://.

    Attributes:
        source: The video.
        table: The pose table to write.
        animation: The animation to write; None if it is not wanted.
    """

    source: str
    table: str
    animation: str | None

    def __str__(self) -> str:
        return self.source


def plan_cluster_jobs(
    inputs: Sequence[str], output: str | None, *, lifts: bool, animation: bool, overwrite: bool
) -> list[ClusterJob]:
    """Find the videos, and name and check their results.

    Args:
        inputs: Videos, or folders of them.
        output: Folder of the results; None for the folder of each video.
        lifts: Whether poses are made, and not only keypoints.
        animation: Write animations too.
        overwrite: Replace results that exist.

    Raises:
        InputError: There is no video.
        OutputError: A result exists and may not be replaced.
        UsageError: Two videos would write the same file.
    """
    jobs: dict[str, ClusterJob] = {}
    for source in [video for each in inputs for video in _videos(each)]:
        folder = output or source.rpartition("/")[0] or "."
        stem = Path(name_of(source)).stem
        table = joined(folder, stem + (TABLE_SUFFIX if lifts else DETECTED_SUFFIX))
        film = joined(folder, stem + ANIMATION_SUFFIX) if animation else None
        for result in filter(None, (table, film)):
            system, inside = file_system(result)
            if system.exists(inside) and not overwrite:
                raise OutputError(f"{result} exists; --overwrite replaces it, --output DIR writes elsewhere")
        job = jobs.setdefault(table, ClusterJob(source, table, film))
        if job.source != source:
            raise UsageError(f"{job} and {source} would both write {table}; run them apart with --output")
    return list(jobs.values())


def _videos(path: str) -> list[str]:
    """Return a video, or the videos directly in a folder."""
    system, inside = file_system(path)
    if not system.exists(inside):
        raise InputError(f"cannot read {path}: there is no such file")
    if not system.isdir(inside):
        return [path]
    names = sorted(name_of(found) for found in system.ls(inside, detail=False))
    results = (ANIMATION_SUFFIX, OVERLAY_SUFFIX)
    videos = [n for n in names if Path(n).suffix.lower() in VIDEO_SUFFIXES and not n.endswith(results)]
    if not videos:
        raise InputError(f"{path}: no video in this folder")
    return [joined(path, name) for name in videos]


@dataclass(frozen=True)
class ClusterWork:
    """Makes pose tables and animations of videos, in steps. See `engines.ray_cluster.StepTask`.

    Attributes:
        options: How people are found and followed; with those of lifting, poses are made, too.
        command: Recorded in the tables' `meta`.
        frames: Frames of the part of a video that one step works on.
    """

    options: DetectOptions
    command: str
    frames: int = STEP_FRAMES

    def step(self, item: ClusterJob, state: bytes | None) -> Step:
        """Find the people of the next part; after the last one, lift them and write the results."""
        with local_copy(item.source) as path, open_video(path, fps=self.options.fps) as video:
            parts = _PartsOfSteps(state, most=max(1, self.frames // PART_FRAMES))
            networks = _networks(self.options)
            try:
                if isinstance(self.options, InferOptions):
                    assert isinstance(networks, Networks)
                    table = infer(video, self.options, networks, command=self.command, kept=parts)
                else:
                    assert not isinstance(networks, Networks)
                    table = detect(video, self.options, networks, command=self.command, kept=parts)
            except _EnoughError:
                return Step(parts.frames, video.frame_count, parts.to_bytes())
            self._write(item, table, path)
        forget_copy(item.source)
        results = [item.table, *([] if item.animation is None else [item.animation])]
        return Step(len(table.time), video.frame_count, None, tuple(f"→ {result}" for result in results))

    def _write(self, item: ClusterJob, table: PoseTable, video: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="videopose-") as folder:
            local = Path(folder) / name_of(item.table)
            table.save(local)
            put(local, item.table)
            if item.animation is not None:
                from .animate import animate

                film = Path(folder) / name_of(item.animation)
                animate(table, film, video=video)
                put(film, item.animation)


_loaded: dict[str, Networks | Detector | None] = {}


def _networks(options: DetectOptions) -> Networks | Detector | None:
    """Return the networks of these options; a process loads them once."""
    key = repr(options)
    if key not in _loaded:
        _loaded[key] = Networks.load(options) if isinstance(options, InferOptions) else load_detector(options)
    return _loaded[key]


class _EnoughError(Exception):
    """A step has done its part."""


@dataclass
class _PartsOfSteps:
    """The finished parts of a video in memory: those of the steps before, and up to `most` of this one."""

    state: bytes | None
    most: int
    parts: list[Arrays] = field(default_factory=list)
    memory: Arrays = field(default_factory=dict)
    maker: str = ""

    def open(self, request: Mapping[str, object], maker: Mapping[str, object]) -> None:
        """Read the parts of the steps before, if the same programs made them."""
        self.maker = json.dumps([request, maker], sort_keys=True, default=str)
        if self.state is None:
            return
        with np.load(io.BytesIO(self.state), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if str(arrays["maker"]) != self.maker:
            raise InputError(
                "the machines of the cluster have different versions of videopose or of its needs, or the "
                "video has changed; install the same versions everywhere"
            )
        self.parts = [_of(arrays, f"{number}/") for number in range(int(arrays["count"]))]
        self.memory = _of(arrays, "memory/")

    def add(self, part: Arrays, memory: Arrays) -> None:
        """Keep a part. If this step has done its share, and the video may go on, end it."""
        self.parts.append(part)
        self.memory = memory
        self.most -= 1
        if self.most == 0 and len(part["frames.numbers"]) == PART_FRAMES:
            raise _EnoughError

    @property
    def lasts(self) -> bool:
        """Whether another run finds the parts: they are with the command that started the steps."""
        return False

    @property
    def frames(self) -> int:
        """Number of frames in all parts."""
        return sum(len(part["frames.numbers"]) for part in self.parts)

    def to_bytes(self) -> bytes:
        """Return the state for the next step."""
        arrays = {f"{n}/{name}": a for n, part in enumerate(self.parts) for name, a in part.items()}
        arrays |= {f"memory/{name}": array for name, array in self.memory.items()}
        arrays |= {"maker": np.array(self.maker), "count": np.array(len(self.parts))}
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()


def _of(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def text_of(path: Path | None) -> str | None:
    """Return a path as the user gave it: `Path` makes one slash of the two in s3://."""
    if path is None:
        return None
    scheme, colon, rest = path.as_posix().partition(":/")
    return f"{scheme}://{rest}" if colon and len(scheme) > 1 and not is_remote(str(path)) else str(path)
