"""The people of a video whose keypoints another program made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Image
from ...detectors.tracking import Track, fill_gaps, place_missing
from ..video.reader import Video
from .match_video import check_length, number_from_zero, read
from .sightings import Sightings
from .who_is_who import follow, merge_duplicates


class ImportedPeople:
    """Gives the people of one video from a file of keypoints.

    Args:
        source: The file, or a folder of files.
        video: The open video.
        layout: The name of the keypoints' layout, if the user gives it.
        first_frame: The number of the video's first frame in the file, if the user gives it.
        whole: Whether the video is decoded to its end, so that the numbers of frames can be compared.

    Raises:
        InputError: If there is no file of the video, it cannot be read, or its keypoints do not fit the
            video's picture.
        UsageError: If `layout` is not known or does not fit.
    """

    action = "reading"

    def __init__(
        self, source: Path, video: Video, layout: str | None, *, first_frame: int | None = None, whole: bool
    ) -> None:
        self._source, self._video, self._whole, self._first_frame = source, video, whole, first_frame
        sightings, self._about = read(source, video, layout)
        self._sightings = merge_duplicates(sightings)
        self._numbered(video.frame_count)  # a wrong `first_frame` is reported before the work

    def look(self, images: Iterable[Image]) -> Iterator[NDArray[np.float32]]:
        """Yield (0, 4) boxes for each image: keypoints have none. The frames are decoded for their times."""
        for _ in images:
            yield np.zeros((0, 4), np.float32)

    def tracks(self, frames: NDArray[np.int32], times: NDArray[np.float64], *, max_gap: float) -> list[Track]:
        """Return the tracks of all people.

        Args:
            frames: (n,) the frames that were decoded, rising.
            times: (n,) their times in seconds.
            max_gap: Seconds up to which a gap is filled.

        Raises:
            InputError: If the file is of a video with another number of frames.
        """
        sightings = self._numbered(len(self._video.times) if self._whole else self._video.frame_count)
        if self._whole:
            check_length(sightings, self._video, self._source)
        if sightings.notes:
            self._about["notes"] = list(sightings.notes)
        found = follow(sightings, frames, times)
        placed = [place_missing(track, times[np.searchsorted(frames, track.frames)]) for track in found]
        return fill_gaps(placed, frames=frames, times=times, max_gap=max_gap)

    def _numbered(self, count: int | None) -> Sightings:
        return number_from_zero(self._sightings, count, self._first_frame)

    def describe(self) -> dict[str, object]:
        """Return what the pose table records: format, layout, and the sha256 of the file."""
        return self._about
