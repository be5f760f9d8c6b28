"""The people of unlabelled videos: found once, kept in a folder, and read from there ever after."""

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
from ...inference.detect import detect, load_detector
from ...inference.options import DetectOptions
from ...paths import DETECTED_SUFFIX, find_videos
from ...progress import Stage, say
from ...video.reader import open_video

FOLDER = "detections"


@dataclass(frozen=True)
class People:
    """Everybody in several videos.

    videos: what each is called, its sha256, and where its intrinsics are known from. left_out: which videos
    could not be used, and why. digests: of the tables and lenses.
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
    stage: Stage,
) -> People:
    """Find and follow people in videos, or folders of them; tables without poses are kept in `output`.

    A table is used again where video and options are the same. `failed` is told of each video that cannot be
    used. Raises `InputError` where there is no video, or none can be used, `NoPeopleError` where nobody is in
    any, and `UsageError` for two videos of one name.
    """
    if options.keypoints is not None:
        raise UsageError("semi-train finds people by a detector")
    tables = _tables(find_videos(inputs), output / FOLDER)
    detector = cache(partial(load_detector, options, say))
    if not all(path.exists() for path in tables.values()):
        detector()  # where it cannot be had, no video need be tried
    spans: list[Span] = []
    videos: list[dict[str, str]] = []
    left_out: list[tuple[str, str]] = []
    digests: list[str] = []
    errors: list[Exception] = []
    for source, path in tables.items():
        try:
            table = _known(source, path, options)
            if table is not None:
                say(f"{source.name}: people found before, in {path}")
            else:
                with open_video(source) as video:
                    table = detect(video, options, detector(), progress=stage, command=_key(options))
                table.save(path)
            lens, known_from = find_camera(source, options.focal, table.size)
            found = spans_of(table, lens, source.name)
            if not found:
                raise NoPeopleError(f"{source}: nobody was seen for two frames in a row")
        except Exception as error:
            failed(error)
            errors.append(error)
            reason = str(error).replace(str(source), source.name)
            left_out.append((source.name, reason.removeprefix(source.name).lstrip(": ")))
            continue
        if known_from.startswith("assumed"):
            say(f"note: {source.name}: camera {known_from}")
        if damage := table.meta.get("damaged"):
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
            "nobody was found in any of the unlabelled videos; give footage of people, or another --detector"
        )
    return InputError("none of the unlabelled videos can be used, for the reasons above; give others")


def _tables(videos: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Video → where the people in it are kept."""
    taken: dict[Path, Path] = {}
    for source in videos:
        other = taken.setdefault(folder / (source.stem + DETECTED_SUFFIX), source)
        if other != source:
            raise UsageError(f"{other} and {source} have one name; rename one, or give only one of them")
    return {source: table for table, source in taken.items()}


def _known(source: Path, path: Path, options: DetectOptions) -> PoseTable | None:
    """The table that an earlier run made of this very video by these very options."""
    if not path.exists():
        return None
    try:
        table = PoseTable.load(path)
    except InputError:  # damaged, so it is made again
        return None
    same = (table.meta.get("video") or {}).get("sha256") == file_digest(source)
    return table if same and table.meta.get("command") == _key(options) else None


def _key(options: DetectOptions) -> str:
    """All that decides what is found; the lens is looked up again, and where networks run does not matter."""
    bare = replace(options, device="auto", focal=type(options.focal)())
    return "semi-train " + " ".join(str(value) for value in astuple(bare))
