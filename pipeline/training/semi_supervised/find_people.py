"""Find the people in unlabeled videos. Detections are kept in a folder and used again by later runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache, partial
from pathlib import Path

from ....errors import InputError, NoPeopleError, UsageError
from ....files import file_digest
from ....lifting.pose_table import PoseTable
from ....semi.spans import Span, spans_of
from ...camera_metadata.find_camera import find_camera
from ...camera_metadata.notes import camera_notes
from ...camera_metadata.sidecar import camera_file_of
from ...inference.detect import detect, load_detector
from ...inference.kept_parts import KeptParts
from ...inference.options import DetectOptions
from ...inputs import find_videos
from ...naming import naming
from ...paths import DETECTED_SUFFIX, base_name
from ...progress import Progress, say
from ...video.damage import damage_warning
from ...video.reader import open_video, video_digest

FOLDER = "detections"


@dataclass(frozen=True)
class People:
    """The people of several videos.

    Attributes:
        spans: Their tracks.
        videos: Each video's name, its sha256, and the source of its intrinsics.
        left_out: The name of each video that could not be used, and why.
        digests: Hashes of the tables and lenses.
    """

    spans: tuple[Span, ...]
    videos: tuple[dict[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    digests: tuple[str, ...]


def find_people(
    inputs: Sequence[Path],
    output: Path,
    options: DetectOptions,
    *,
    failed: Callable[[Exception], None],
    progress: Progress,
) -> People:
    """Detect and track people in videos.

    Pose tables without poses are kept in a folder in `output`. One is used again if the video and the options
    are the same.

    Args:
        inputs: Videos, or folders of them.
        output: Where the tables are kept.
        options: How people are detected.
        failed: Called for each video that cannot be used; the others are used.
        progress: How progress is shown.

    Raises:
        InputError: There is no video, or none can be used.
        NoPeopleError: No video shows a person.
        UsageError: Two videos have the same name, or the options bring keypoints of their own.
    """
    if options.keypoints is not None:
        raise UsageError("semi-train finds people by a detector")
    errors: list[Exception] = []

    def report(error: Exception) -> None:
        failed(error)
        errors.append(error)

    tables = _tables(find_videos(inputs, report), output / FOLDER)
    detector = cache(partial(load_detector, options, say))
    if not all(path.exists() for path in tables.values()):
        detector()  # if it cannot be loaded, no video needs to be tried
    spans: list[Span] = []
    videos: list[dict[str, str]] = []
    left_out: list[tuple[str, str]] = []
    digests: list[str] = []
    for source, path in tables.items():
        try:
            table = _known(source, path, options)
            if table is not None:
                say(f"{source.name}: people found before, in {path}")
            else:
                with KeptParts(report=say) as kept:
                    with open_video(source, fps=options.fps, rotate=options.rotate) as video:
                        table = detect(
                            video, options, detector(), progress=progress, command=_key(options), kept=kept
                        )
                    table.save(path)
            lens, known_from = find_camera(source, options.focal, table.size)
            found = spans_of(table, lens, source.name)
            if not found:
                raise NoPeopleError(f"{source}: no person was detected in two successive frames")
        except Exception as error:
            report(error)
            reason = str(error).replace(str(source), source.name)
            left_out.append((source.name, reason.removeprefix(source.name).lstrip(": ")))
            continue
        for note in camera_notes(
            source.name,
            known_from,
            lens.intrinsics,
            table.size,
            camera_file=camera_file_of(source).name,
        ):
            with naming(source if len(tables) > 1 else None):
                say(note)
        if damage := damage_warning(table.meta.get("damaged")):
            say(f"warning: {source}: {damage}")
        spans += found
        digest = str(table.meta["video"]["sha256"])
        videos.append({"name": source.name, "sha256": digest, "intrinsics": known_from})
        digests.append(file_digest(path) + "".join(f" {v:g}" for v in lens.parameters.tolist()))
    if not spans:
        raise _nothing(errors)
    return People(tuple(spans), tuple(videos), tuple(left_out), tuple(digests))


def _nothing(errors: Sequence[Exception]) -> InputError:
    if all(isinstance(error, NoPeopleError) for error in errors):
        return NoPeopleError(
            "no person was found in any of the unlabeled videos; give videos of people, or another --detector"
        )
    return InputError("none of the unlabeled videos can be used, for the reasons above; give others")


def _tables(videos: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Video → the table of the people in it."""
    taken: dict[Path, Path] = {}
    for source in videos:
        other = taken.setdefault(folder / (base_name(source) + DETECTED_SUFFIX), source)
        if other != source:
            raise UsageError(f"{other} and {source} have one name; rename one, or give only one of them")
    return {source: table for table, source in taken.items()}


def _known(source: Path, path: Path, options: DetectOptions) -> PoseTable | None:
    """The table that an earlier run made of this video with these options."""
    if not path.exists():
        return None
    try:
        table = PoseTable.load(path)
    except InputError:  # damaged, so it is made again
        return None
    same = (table.meta.get("video") or {}).get("sha256") == video_digest(source)
    return table if same and table.meta.get("command") == _key(options) else None


def _key(options: DetectOptions) -> str:
    """Return a text of all options that affect the detections. The device and the lens do not affect them."""
    bare = replace(options, device="auto", focal=type(options.focal)())
    return "semi-train " + " ".join(str(value) for value in astuple(bare))
