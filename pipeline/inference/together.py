"""`--adapt together`: find the people of all files, adapt the lifter to them, and lift each file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ...lifting.pose_table import PoseTable
from ..output_lock import output_lock
from ..paths import Job
from ..progress import progress_bar, say
from ..table_files import load_table
from ..video.reader import Video
from .adapt import adapt_to
from .detect import detect
from .file_checks import check_all_free, video_to_do
from .file_work import STEPS, InferVideos, LiftTables
from .infer import Networks
from .kept_parts import KeptParts
from .lift import lift
from .options import InferOptions
from .redraw import video_beside
from .results import draw, export, save
from .selection import Selection, select_people
from .table_camera import with_camera_file

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter


@dataclass
class FindPeople:
    """Finds the people of all jobs, before the lifter is adapted to them together and any is lifted.

    It is a context manager: finished parts of the detection are kept until its block ends.

    Attributes:
        of: The work of which this is the first half.
        found: The people of each job, without poses.
    """

    of: InferVideos | LiftTables
    found: dict[Job, PoseTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kept = ExitStack()
        self._lifter: Callable[[], Lifter] | None = None

    def __enter__(self) -> Self:
        self._kept.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._kept.__exit__(*error)

    def load(self) -> Networks | Lifter:
        """Load the networks. See `FileWork`."""
        loaded = self.of.load()
        self._lifter = lambda: loaded.lifter if isinstance(loaded, Networks) else loaded
        return loaded

    def check(self, job: Job) -> None:
        """Check the names of input and results. See `FileWork`."""
        self.of.check(job)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Networks | Lifter]], None]]:
        """Check and lock a job, and open its source. See `FileWork`."""
        of = self.of
        if isinstance(of, InferVideos):
            with video_to_do(job, of.options, of.overwrite, of.command, of.export) as (video, _):
                yield partial(self._find, job, video, of.options, of.command)
        else:
            table = with_camera_file(load_table(job.source), job.source)

            def select(networks: Callable[[], Networks | Lifter]) -> None:
                networks()
                chosen = Selection(None, of.options.select, of.options.select_at)
                self.found[job] = select_people(table, chosen)

            yield select

    def _find(
        self,
        job: Job,
        video: Video,
        options: InferOptions,
        command: str,
        networks: Callable[[], Networks | Lifter],
    ) -> None:
        loaded = networks()
        assert isinstance(loaded, Networks)
        kept = self._kept.enter_context(KeptParts(report=say))
        self.found[job] = detect(
            video, options, loaded.detector, progress=progress_bar, command=command, kept=kept
        )

    def adapted_lifter(self) -> Lifter:
        """Return the lifter, adapted to all people found."""
        assert self._lifter is not None
        tables = {str(job.source): table for job, table in self.found.items()}
        return adapt_to(tables, self.of.options, self._lifter(), progress=STEPS, report=say)


@dataclass(frozen=True)
class LiftFound:
    """Lifts the people that `FindPeople` found, with the lifter that was adapted to all of them.

    Attributes:
        of: The work of which this is the second half.
        found: The people of each job.
        lifter: The adapted lifter.
    """

    of: InferVideos | LiftTables
    found: Mapping[Job, PoseTable]
    lifter: Lifter

    def load(self) -> Lifter:
        """Return the lifter."""
        return self.lifter

    def check(self, job: Job) -> None:
        """Check nothing: `FindPeople` has checked the job."""

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Lifter]], None]]:
        """Lock a job. See `FileWork`."""
        with output_lock(job.results, self.of.command):
            check_all_free(job, self.of.export, self.of.overwrite)
            yield partial(self._make, job)

    def _make(self, job: Job, lifter: Callable[[], Lifter]) -> None:
        of, found = self.of, self.found[job]
        command = of.command if isinstance(of, LiftTables) else ""  # detection has recorded it
        lifted = lift(found, of.options, lifter(), progress=progress_bar, command=command)
        save(job, lifted)
        if job.animation is not None:
            is_video = isinstance(of, InferVideos)
            draw(lifted, job.animation, job.source if is_video else video_beside(job.source, found))
        export(job, lifted, of.export, of.overwrite, of.command)
