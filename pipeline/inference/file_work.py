"""The work of `infer`, `detect` and `lift` on one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...detectors.people import Detector
from ...lifting.pose_table import PoseTable
from ..output_lock import output_lock
from ..paths import Job
from ..progress import progress_bar, say
from ..table_files import check_kind, load_table
from ..video.reader import Video
from .adapt import adapt_to
from .detect import detect, load_detector
from .file_checks import check_all_free, check_video, video_to_do
from .infer import Networks, infer
from .kept_parts import KeptParts
from .lift import lift, load_video_lifter
from .options import DetectOptions, InferOptions, LiftOptions
from .redraw import video_beside
from .results import draw, export, save
from .selection import Selection, select_people
from .table_camera import with_camera_file

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter
    from ..exports.export_tables import ExportOptions

Loaded = TypeVar("Loaded")

STEPS = partial(progress_bar, unit="steps/s")
"""Shows the progress of adapting the lifter."""


class FileWork(Protocol[Loaded]):
    """A command's work on files. It can be pickled, so that other processes can do it."""

    def load(self) -> Loaded:
        """Load the networks, which are used for all files."""

    def check(self, job: Job) -> None:
        """Check the names of input and results; called for all jobs before the first is done."""

    def begin(self, job: Job) -> AbstractContextManager[Callable[[Callable[[], Loaded]], None]]:
        """Check and lock a job, and open its source; give the function that does the work.

        That function takes the function that loads the networks, which it calls if it needs them.
        """


@dataclass(frozen=True)
class InferVideos:
    """Makes pose tables and animations of videos, and exports them.

    Attributes:
        options: How people are found, followed and lifted.
        overwrite: Replace results that exist.
        command: Recorded in the tables' `meta`.
        export: What to export of each table; None for nothing.
    """

    options: InferOptions
    overwrite: bool
    command: str
    export: ExportOptions | None = None

    def load(self) -> Networks:
        """Load detector and lifter."""
        return Networks.load(self.options, report=say)

    def check(self, job: Job) -> None:
        """Check the names of input and results. See `FileWork`."""
        check_video(job, self.export, self.overwrite)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Networks]], None]]:
        """Check and lock a job, and open its video. See `FileWork`."""
        with video_to_do(job, self.options, self.overwrite, self.command, self.export) as (video, finished):
            yield partial(self._make, job, video, finished)

    def _make(
        self, job: Job, video: Video, finished: PoseTable | None, networks: Callable[[], Networks]
    ) -> None:
        table = finished
        if table is None:
            with KeptParts(report=say) as kept:
                table = infer(
                    video,
                    self.options,
                    networks(),
                    progress=progress_bar,
                    steps=STEPS,
                    report=say,
                    command=self.command,
                    kept=kept,
                )
                save(job, table)
        if job.animation is not None and not (finished is not None and job.animation.exists()):
            draw(table, job.animation, video.path)
        export(job, table, self.export, self.overwrite, self.command, complete=finished is not None)


@dataclass(frozen=True)
class DetectVideos:
    """Makes pose tables without poses of videos. For the attributes, see `InferVideos`."""

    options: DetectOptions
    overwrite: bool
    command: str

    def load(self) -> Detector | None:
        """Load the detector; None if keypoints made elsewhere replace it."""
        return load_detector(self.options, report=say)

    def check(self, job: Job) -> None:
        """Check the names of input and results. See `FileWork`."""
        check_video(job, None, self.overwrite)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Detector | None]], None]]:
        """Check and lock a job, and open its video. See `FileWork`."""
        with video_to_do(job, self.options, self.overwrite, self.command, None) as (video, _):
            yield partial(self._make, job, video)

    def _make(self, job: Job, video: Video, detector: Callable[[], Detector | None]) -> None:
        with KeptParts(report=say) as kept:
            table = detect(
                video, self.options, detector(), progress=progress_bar, command=self.command, kept=kept
            )
            save(job, table)


@dataclass(frozen=True)
class LiftTables:
    """Lifts pose tables, makes animations, and exports. For the attributes, see `InferVideos`."""

    options: LiftOptions
    overwrite: bool
    command: str
    export: ExportOptions | None = None

    def load(self) -> Lifter:
        """Load the lifter."""
        return load_video_lifter(self.options)

    def check(self, job: Job) -> None:
        """Check the kind of the input, and the names of the results. See `FileWork`."""
        check_kind(job.source)
        check_all_free(job, self.export, self.overwrite)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Lifter]], None]]:
        """Check and lock a job, and read its table. See `FileWork`."""
        table = with_camera_file(load_table(job.source), job.source)
        with output_lock(job.results, self.command):
            check_all_free(job, self.export, self.overwrite)
            yield partial(self._make, job, table)

    def _make(self, job: Job, table: PoseTable, lifter: Callable[[], Lifter]) -> None:
        chosen = select_people(table, Selection(None, self.options.select, self.options.select_at))
        network = lifter()
        if self.options.adapt is not None:
            name = str(job.source)
            network = adapt_to({name: chosen}, self.options, network, progress=STEPS, report=say)
        lifted = lift(chosen, self.options, network, progress=progress_bar, command=self.command)
        save(job, lifted)
        if job.animation is not None:
            draw(lifted, job.animation, video_beside(job.source, table))
        export(job, lifted, self.export, self.overwrite, self.command)
