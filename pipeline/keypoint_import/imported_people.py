"""The people of a video whose keypoints another program made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Image
from ...detectors.tracking import Track, fill_gaps, place_missing
from ..video.reader import Video
from .match_video import check_length, follow, read


class ImportedPeople:
    """Gives the people of one video from a file of keypoints.

    Args:
        source: The file, or a folder of files.
        video: The open video.
        layout: The name of the keypoints' layout, if the user gives it.
        whole: Whether the video is decoded to its end, so that the numbers of frames can be compared.

    Raises:
        InputError: If there is no file of the video, it cannot be read, or its keypoints do not fit the
            video's picture.
        UsageError: If `layout` is not known or does not fit.
    """

    action = "reading"

    def __init__(self, source: Path, video: Video, layout: str | None, *, whole: bool) -> None:
        self._source, self._video, self._whole = source, video, whole
        self._sightings, self._about = read(source, video, layout)

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
        if self._whole:
            check_length(self._sightings, self._video, self._source)
        found = follow(self._sightings, frames, times)
        placed = [place_missing(track, times[np.searchsorted(frames, track.frames)]) for track in found]
        return fill_gaps(placed, frames=frames, times=times, max_gap=max_gap)

    def describe(self) -> dict[str, object]:
        """Return what the pose table records: format, layout, and the sha256 of the file."""
        return self._about
