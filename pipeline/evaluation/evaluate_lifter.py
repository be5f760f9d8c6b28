"""`videopose evaluate`: measure a lifter's errors by action and by person.

Data of every kind becomes `EvaluationData`: sequences of lifter input and true poses. A new kind of dataset
is a new `EvaluationSource`, and a line in `find_sources`.
"""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, UsageError
from ...lifting.evaluation.breakdown import Breakdown, break_down
from ...lifting.evaluation.scores import Scores, score
from ...lifting.inference.lifter import Lifter
from ...lifting.inference.pretrained import load_lifter
from ..device import choose_device
from ..progress import Progress, say
from .evaluation_data import EvaluateOptions, EvaluationData, EvaluationSource
from .motion_capture_data import MotionCaptureData
from .paper_datasets import PaperData


@dataclass(frozen=True)
class Result:
    """A lifter's errors on one dataset.

    Attributes:
        data: What it was measured on.
        by_flip: Errors with and without flip augmentation, for each seed (0 if nothing is random).
    """

    data: EvaluationData
    by_flip: Mapping[bool, Mapping[int, Breakdown]]


def run(options: EvaluateOptions, *, progress: Progress) -> list[Result]:
    """Measure the lifter on all the data.

    Args:
        options: What to measure, and how.
        progress: How progress is shown.

    Returns:
        One result per table or dataset.

    Raises:
        UsageError: The lifter, a person or an action is unknown, or nothing is left to measure on.
        InputError: A file cannot be read.
    """
    lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
    lifter.to(choose_device(options.device))
    datasets = choose(find_sources(options), lifter, options)
    with progress("evaluating", sum(data.count * max(1, len(data.seeds)) for data in datasets)) as advance:
        return [measure(data, done=advance) for data in datasets]


def measure(data: EvaluationData, *, done: Callable[[], None] = lambda: None) -> Result:
    """Measure with and without flip augmentation on the same sequences; `done` is called after each."""
    by_flip: dict[bool, dict[int, Breakdown]] = {flip: {} for flip in data.lifts}
    for seed in data.seeds or (0,):
        scores: dict[bool, list[Scores]] = {flip: [] for flip in data.lifts}
        for sequence in data.sequences(seed):
            for flip, lift in data.lifts.items():
                scores[flip].append(score(lift, sequence, skeleton=data.skeleton))
            done()
        for flip, scored in scores.items():
            by_flip[flip][seed] = break_down(
                scored,
                subjects=data.people,
                actions=list(data.paper.actions) if data.paper else [],
            )
    return Result(data, by_flip)


def choose(
    sources: Sequence[EvaluationSource], lifter: Lifter, options: EvaluateOptions
) -> list[EvaluationData]:
    """Select the data that the lifter can be measured on; sources that it cannot use are reported.

    Raises:
        UsageError: No source remains, or a person or an action is unknown.
    """
    subjects = _known(options.subjects, {s for source in sources for s in source.subjects}, "--subjects")
    actions = _known(options.actions, {a for source in sources for a in source.actions}, "--actions")
    selected, refusals = [], []
    for source in sources:
        try:
            selected.append(source.select(lifter, options, subjects=subjects, actions=actions))
        except UsageError as error:
            refusals.append(error)
    if not selected:
        raise refusals[0]
    for refusal in refusals:
        say(f"left out: {refusal}")
    return selected


def find_sources(options: EvaluateOptions) -> list[EvaluationSource]:
    """Find all motion-capture tables and files of 3D poses in the data, by the contents of the files.

    Raises:
        InputError: There is none, or one cannot be read.
    """
    kinds = {path: _kind(path) for path in find_files(options.data)}
    keypoints = [path for path, kind in kinds.items() if kind == "keypoints"]
    sources: list[EvaluationSource] = []
    for path, kind in kinds.items():
        if kind == "poses":
            sources.append(PaperData.recognise(path, keypoints))
        elif kind == "table":
            sources.append(MotionCaptureData.load(path))
    if not sources:
        raise InputError(f"{keypoints[0]} holds 2D keypoints; --data also needs the 3D poses (data_3d_….npz)")
    return sources


def find_files(data: Sequence[Path]) -> list[Path]:
    """Return the files, and of a folder the `.npz` files directly in it.

    Raises:
        InputError: A folder has no such file.
    """
    found: list[Path] = []
    for path in data:
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: no motion-capture table (.npz) or dataset in this folder")
        found += inside
    return list(dict.fromkeys(found))


def _kind(path: Path) -> str:
    """Return "poses", "keypoints" or "table", by the names of the file's arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        names = set()
    return "poses" if "positions_3d.npy" in names else "keypoints" if "positions_2d.npy" in names else "table"


def _known(values: Sequence[str], names: set[str], option: str) -> frozenset[str]:
    """Split values at commas and return the names. Raises `UsageError` if a name is unknown."""
    chosen: set[str] = set()
    for value in values:
        for part in [value] if value in names else [part.strip() for part in value.split(",")]:
            if part not in names:
                near = difflib.get_close_matches(part, names, n=8, cutoff=0.5) or sorted(names)
                more = f" and {len(names) - 12} more" if len(near) > 12 else ""
                raise UsageError(f"{option}: no {part!r} in the data; there is {', '.join(near[:12])}{more}")
            chosen.add(part)
    return frozenset(chosen)
