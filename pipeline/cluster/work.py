"""`infer` and `detect` on a cluster: each step finds the people of one part of a video, on any machine."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError
from ...lifting.pose_table import PoseTable
from ..camera_metadata.sidecar import camera_file_of
from ..engines.ray_cluster import Step
from ..inference.detect import detect, load_detector
from ..inference.infer import Networks, infer
from ..inference.kept_parts import PART_FRAMES, Arrays
from ..inference.options import DetectOptions, InferOptions
from ..remote_files import folder_of, forget_copy, joined, local_copy, name_of, put
from ..video.reader import open_video
from .jobs import ClusterJob

if TYPE_CHECKING:
    from ...detectors.people import Detector
    from ..exports.export_tables import ExportOptions

STEP_FRAMES = 10 * PART_FRAMES
"""Frames of the part of a video that one step works on."""


@dataclass(frozen=True)
class ClusterWork:
    """Makes pose tables and animations of videos, in steps. See `engines.ray_cluster.StepTask`.

    Attributes:
        options: How people are found and followed; with those of lifting, poses are made, too.
        command: Recorded in the tables' `meta`.
        frames: Frames of the part of a video that one step works on.
        export: What to export of each table; None for nothing.
    """

    options: DetectOptions
    command: str
    frames: int = STEP_FRAMES
    export: ExportOptions | None = None

    def step(self, item: ClusterJob, state: bytes | None) -> Step:
        """Find the people of the next part; after the last one, lift them and write the results."""
        beside = (camera_file_of(Path(name_of(item.source))).name,)
        with (
            local_copy(item.source, beside=beside) as path,
            open_video(path, fps=self.options.fps, rotate=self.options.rotate) as video,
        ):
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
            results = self._write(item, table, path)
        forget_copy(item.source, beside=beside)
        return Step(len(table.time), video.frame_count, None, tuple(f"→ {result}" for result in results))

    def _write(self, item: ClusterJob, table: PoseTable, video: Path) -> list[str]:
        """Write the results, first in a folder of this machine; return their paths."""
        with tempfile.TemporaryDirectory(prefix="videopose-") as folder:
            local = Path(folder) / name_of(item.table)
            table.save(local)
            files = {item.table: local}
            if item.animation is not None:
                from ..inference.animate import animate

                film = Path(folder) / name_of(item.animation)
                animate(table, film, video=video)
                files[item.animation] = film
            if self.export is not None:
                from ..exports.export_tables import export_table

                for exported in export_table(table, local, self.export):
                    files[joined(folder_of(item.table), exported.name)] = exported
            for result, file in files.items():
                put(file, result)
            return list(files)


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
