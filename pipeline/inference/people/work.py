"""The work of `people` on one file: find who is in it, draw the contact sheet, and list the people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ....detectors.people import Detector
from ....errors import UsageError
from ....files import escaped_controls, replacing
from ....lifting.pose_table import PoseTable
from ...output_lock import output_lock
from ...paths import DETECTED_SUFFIX, SHEET_SUFFIX, Job, check_free, is_table
from ...picture_files import is_sequence
from ...progress import progress_bar, say
from ...table_files import check_kind, load_table
from ...video.damage import damage_warning
from ...video.reader import Video, open_video
from ...video.source import check_source
from ..detect import detect, load_detector
from ..file_checks import note_assumed_rate
from ..kept_parts import KeptParts
from ..options import DetectOptions
from ..redraw import find_video, note_other_video
from .pictures import people_pictures
from .sheet import contact_sheet, describe


@dataclass(frozen=True)
class ShowPeople:
    """Draws the contact sheets of videos and pose tables, and lists the people. See `FileWork`.

    The people of a video are found first. The pose table without poses, the job's table, is kept beside the
    sheet, so that `videopose lift` needs not find them again.

    Attributes:
        options: How people of a video are found.
        overwrite: Replace results that exist.
        command: Recorded in the tables' `meta`.
        video: The video of a pose table; None for the one beside it.
        several: Whether there are several files, so that each line about a person names its file.
    """

    options: DetectOptions
    overwrite: bool
    command: str
    video: Path | None = None
    several: bool = False

    def load(self) -> Detector | None:
        """Load the detector; None if keypoints made elsewhere replace it."""
        return load_detector(self.options, report=say)

    def check(self, job: Job) -> None:
        """Check the names of input and results. See `FileWork`."""
        check_free(_results(job), overwrite=self.overwrite)
        if is_table(job.source):
            check_kind(job.source)
        elif not is_sequence(job.source):
            check_source(job.source)

    @contextmanager
    def begin(self, job: Job) -> Iterator[Callable[[Callable[[], Detector | None]], None]]:
        """Check and lock a job, and open its video, or read its table. See `FileWork`."""
        if is_table(job.source):
            table = load_table(job.source)
            video = self._video_of(job.source, table)
            with output_lock(_results(job), self.command):
                check_free(_results(job), overwrite=self.overwrite)
                yield lambda _: self._show(job, table, video)
            return
        note_assumed_rate(job.source, self.options)
        with (
            open_video(job.source, fps=self.options.fps, rotate=self.options.rotate) as opened,
            output_lock(_results(job), self.command),
        ):
            check_free(_results(job), overwrite=self.overwrite)
            yield partial(self._find, job, opened)

    def _video_of(self, source: Path, table: PoseTable) -> Path:
        """Return the video of a pose table: the one given, or the one beside it."""
        if self.video is not None:
            note_other_video(self.video, table)
        video = self.video or find_video(source, table)
        if video is None:
            raise UsageError(f"{source}: a contact sheet needs the table's video; --video FILE names it")
        return video

    def _find(self, job: Job, video: Video, detector: Callable[[], Detector | None]) -> None:
        # `infer` probably follows, with the ids that the sheet shows.
        with KeptParts(leave=True, report=say) as kept:
            table = detect(
                video, self.options, detector(), progress=progress_bar, command=self.command, kept=kept
            )
        if damage := damage_warning(table.meta.get("damaged")):
            say(f"warning: {job.source}: {damage}")
        table.save(job.table)
        say(f"→ {job.table}")
        self._show(job, table, job.source)

    def _show(self, job: Job, table: PoseTable, video: Path) -> None:
        sheet = _sheet(job)
        people = people_pictures(table, video, progress=progress_bar)
        with replacing(sheet) as partial_file:
            partial_file.write_bytes(contact_sheet(people, table, video.name))
        for person in people:
            print(f"{escaped_controls(str(job.source))}: " * self.several + describe(person, table))
        say(f"→ {sheet}")


def _sheet(job: Job) -> Path:
    return job.table.with_name(job.table.name.removesuffix(DETECTED_SUFFIX) + SHEET_SUFFIX)


def _results(job: Job) -> list[Path]:
    return [_sheet(job)] if is_table(job.source) else [_sheet(job), job.table]
