"""The work of `infer`, `detect` and `lift` on one file: the checks before it, and its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from ...detectors.people import Detector
from ...errors import InputError
from ...lifting.pose_table import PoseTable
from ..camera_metadata.find_camera import find_camera
from ..output_lock import output_lock
from ..paths import Job, check_free
from ..picture_files import is_sequence
from ..progress import progress_bar, say
from ..video.decoder import DEFAULT_RATE
from ..video.reader import Video, open_video
from ..video.source import check_source
from .adapt import adapt_to
from .detect import detect, load_detector
from .infer import Networks, infer
from .kept_parts import KeptParts
from .lift import lift, load_video_lifter
from .options import DetectOptions, InferOptions, LiftOptions
from .redraw import video_beside
from .requests import detection_request, lifting_digest, of_parts, request_digest
from .results import draw, say_notes
from .selection import Selection, select_people

if TYPE_CHECKING:
    from ...lifting.inference.lifter import Lifter
    from ..exports.export_tables import ExportOptions

Loaded = TypeVar("Loaded")

_STEPS = partial(progress_bar, unit="steps/s")


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
        _check_video(job, self.export, self.overwrite)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Networks]], None]]:
        """Check and lock a job, and open its video. See `FileWork`."""
        with _video_to_do(job, self.options, self.overwrite, self.command, self.export) as (video, finished):
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
                    steps=_STEPS,
                    report=say,
                    command=self.command,
                    kept=kept,
                )
                _save(job, table)
        if job.animation is not None and not (finished is not None and job.animation.exists()):
            draw(table, job.animation, video.path)
        _export(job, table, self.export, self.overwrite, complete=finished is not None)


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
        _check_video(job, None, self.overwrite)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Detector | None]], None]]:
        """Check and lock a job, and open its video. See `FileWork`."""
        with _video_to_do(job, self.options, self.overwrite, self.command, None) as (video, _):
            yield partial(self._make, job, video)

    def _make(self, job: Job, video: Video, detector: Callable[[], Detector | None]) -> None:
        with KeptParts(report=say) as kept:
            table = detect(
                video, self.options, detector(), progress=progress_bar, command=self.command, kept=kept
            )
            _save(job, table)


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
        """Check the names of the results. See `FileWork`."""
        _check_free(job, self.export, self.overwrite)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Lifter]], None]]:
        """Check and lock a job, and read its table. See `FileWork`."""
        table = PoseTable.load(job.source)
        with output_lock(job.results, self.command):
            _check_free(job, self.export, self.overwrite)
            yield partial(self._make, job, table)

    def _make(self, job: Job, table: PoseTable, lifter: Callable[[], Lifter]) -> None:
        chosen = select_people(table, Selection(None, self.options.select, self.options.select_at))
        network = lifter()
        if self.options.adapt is not None:
            name = str(job.source)
            network = adapt_to({name: chosen}, self.options, network, progress=_STEPS, report=say)
        lifted = lift(chosen, self.options, network, progress=progress_bar, command=self.command)
        _save(job, lifted)
        if job.animation is not None:
            draw(lifted, job.animation, video_beside(job.source, table))
        _export(job, lifted, self.export, self.overwrite)


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
            with _video_to_do(job, of.options, of.overwrite, of.command, of.export) as (video, _):
                yield partial(self._find, job, video, of.options, of.command)
        else:
            table = PoseTable.load(job.source)

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
        return adapt_to(tables, self.of.options, self._lifter(), progress=_STEPS, report=say)


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
            _check_free(job, self.of.export, self.of.overwrite)
            yield partial(self._make, job)

    def _make(self, job: Job, lifter: Callable[[], Lifter]) -> None:
        of, found = self.of, self.found[job]
        command = of.command if isinstance(of, LiftTables) else ""  # detection has recorded it
        lifted = lift(found, of.options, lifter(), progress=progress_bar, command=command)
        _save(job, lifted)
        if job.animation is not None:
            is_video = isinstance(of, InferVideos)
            draw(lifted, job.animation, job.source if is_video else video_beside(job.source, found))
        _export(job, lifted, of.export, of.overwrite)


@contextmanager
def _video_to_do(
    job: Job, options: DetectOptions, overwrite: bool, command: str, export: ExportOptions | None
) -> Iterator[tuple[Video, PoseTable | None]]:
    """Open a job's video, and lock its results.

    Give the video, and the table if an earlier run with the same options finished it, but not the other
    results.
    """
    with ExitStack() as stack:
        if options.fps is None and is_sequence(job.source):
            say(f"note: {job.source}: pictures are taken as {DEFAULT_RATE:g} a second; --fps would tell")
        video = stack.enter_context(open_video(job.source, fps=options.fps))
        stack.enter_context(output_lock(job.results, command))
        finished = _finished_table(job, video, options) if _is_incomplete(job, export) else None
        if finished is None:
            _check_free(job, export, overwrite)
        else:
            say(f"{job.table} is complete; what is missing beside it is made")
        yield video, finished


def _check_video(job: Job, export: ExportOptions | None, overwrite: bool) -> None:
    """Check names. A table beside which something is missing may be finished; that is checked later."""
    if not (_is_incomplete(job, export) and _is_lifted_table(job.table)):
        _check_free(job, export, overwrite)
    if not is_sequence(job.source):
        check_source(job.source)


def _is_lifted_table(path: Path) -> bool:
    """Whether a file is a pose table that `infer` has finished."""
    try:
        return "lifting_request" in PoseTable.load(path).meta
    except InputError:
        return False


def _is_incomplete(job: Job, export: ExportOptions | None) -> bool:
    """Whether there is a table, and the animation, the page, or all files of a format are missing."""
    if not job.table.exists():
        return False
    if not all(path.exists() for path in job.results):
        return True
    if export is None:
        return False
    from ..exports.export_tables import missing_formats

    return bool(missing_formats(job.table, export))


def _finished_table(job: Job, video: Video, options: DetectOptions) -> PoseTable | None:
    """Return the job's table if it was made of this video with these options."""
    try:
        table = PoseTable.load(job.table)
    except InputError:  # another file, or a damaged one
        return None
    if not isinstance(options, InferOptions) or options.keypoints is not None or options.adapt is not None:
        return None
    lens, _ = find_camera(video.path, options.focal, video.size)
    request = detection_request(options, video_digest=video.digest(), lens=lens)
    if table.meta.get("request") != request_digest(request):
        return None
    if table.meta.get("lifting_request") != lifting_digest(options):
        return None
    # The earlier run may have been killed before it removed them.
    KeptParts.remove(detection_request(of_parts(options), video_digest=video.digest(), lens=lens))
    return table


def _check_free(job: Job, export: ExportOptions | None, overwrite: bool) -> None:
    check_free(job.results, overwrite=overwrite)
    if export is not None:
        from ..exports.export_tables import check_not_exported  # loads SciPy's filters

        check_not_exported(job.table, export, overwrite=overwrite)


def _save(job: Job, table: PoseTable) -> None:
    say_notes(job.source, table)
    table.save(job.table)
    say(f"→ {job.table}")


def _export(
    job: Job, table: PoseTable, export: ExportOptions | None, overwrite: bool, *, complete: bool = False
) -> None:
    """Export a table; with `complete`, only files that are missing."""
    if export is not None:
        from ..exports.export_tables import export_table

        export_table(table, job.table, export, overwrite=overwrite, only_missing=complete)
