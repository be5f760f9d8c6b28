"""What a job does: find the people of a video, or lift those who were chosen and write the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from ...lifting.pose_table import PoseTable
from ..exports.export_tables import ExportOptions, export_table
from ..inference.animate import animate
from ..inference.detect import detect, load_detector
from ..inference.lift import lift, load_video_lifter
from ..inference.options import DetectOptions, LiftOptions
from ..inference.people.pictures import PersonPicture, people_pictures
from ..inference.selection import Selection, select_people
from ..pages.view import ViewOptions, view
from ..paths import ANIMATION_SUFFIX, DETECTED_SUFFIX, TABLE_SUFFIX
from ..progress import Progress
from ..video.reader import open_video

EXPORTS = ("bvh", "glb", "csv")
_PICTURE_HEIGHT = 300  # pixels
_COMMAND = "videopose serve"


def find_people(video: Path, progress: Progress) -> list[dict[str, Any]]:
    """Find and follow all people of a video; write the pose table without poses, and a picture of each.

    Args:
        video: The video. Results are written beside it.
        progress: How progress is shown.

    Returns:
        For each person: `id`, `picture` (a file's name), `seconds` (how long the person is there), and
        `height` (pixels), those who are there longest first.

    Raises:
        InputError: The video cannot be read.
        NoPeopleError: No person was found.
    """
    options = DetectOptions(people=None)
    with open_video(video) as opened:
        table = detect(opened, options, load_detector(options), progress=progress, command=_COMMAND)
    table.save(video.with_name(video.stem + DETECTED_SUFFIX))
    people = people_pictures(table, video, progress=progress)
    return [_described(person, table, video) for person in sorted(people, key=lambda each: -each.frames)]


def _described(person: PersonPicture, table: PoseTable, video: Path) -> dict[str, Any]:
    name = f"person-{person.track}.jpg"
    height, width = person.picture.shape[:2]
    size = (max(round(width * _PICTURE_HEIGHT / height), 1), _PICTURE_HEIGHT)
    small = cv2.resize(person.picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    video.with_name(name).write_bytes(data.tobytes())
    return {
        "id": person.track,
        "picture": name,
        "seconds": round(person.frames / table.rate, 1),
        "height": round(person.height),
    }


def _remove_results(video: Path) -> None:
    """Remove the results of an earlier choice of people, which may have other names."""
    kept = {video.name, video.stem + DETECTED_SUFFIX}
    for path in video.parent.iterdir():
        if path.name.startswith(video.stem + ".") and path.name not in kept:
            path.unlink()


def make_motion(video: Path, people: Sequence[int], progress: Progress) -> None:
    """Lift the chosen people; write the pose table, the animation, the exports and the page beside the video.

    Args:
        video: The video, after `find_people`.
        people: The ids of the people.
        progress: How progress is shown.

    Raises:
        UsageError: No person has such an id.
        OutputError: A result cannot be written.
    """
    _remove_results(video)
    found = PoseTable.load(video.with_name(video.stem + DETECTED_SUFFIX))
    chosen = select_people(found, Selection(None, tuple(people), ()))
    options = LiftOptions()
    table = lift(chosen, options, load_video_lifter(options), progress=progress, command=_COMMAND)
    path = video.with_name(video.stem + TABLE_SUFFIX)
    table.save(path)
    animate(table, video.with_name(video.stem + ANIMATION_SUFFIX), video=video, progress=progress)
    export_table(table, path, ExportOptions(formats=EXPORTS), overwrite=True)
    view(path, options=ViewOptions(video=video), overwrite=True, progress=progress)
