"""`videopose evaluate`: a lifter and data in, its errors by action and by person out.

Whatever the data, it becomes `Material`: sequences of (subject, action, what the lifter reads, true pose).
Another kind of data set is another `Source`.
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
from ..progress import Stage, say
from .mocap_test_data import Table
from .recorded_test_data import Studio
from .test_data import EvaluateOptions, Material, Source


@dataclass(frozen=True)
class Result:
    """A lifter's errors on one material: with and without flip augmentation, for each seed (0 where nothing
    was left to chance)."""

    material: Material
    by_flip: Mapping[bool, Mapping[int, Breakdown]]


def run(options: EvaluateOptions, *, stage: Stage) -> list[Result]:
    """Measure the lifter on all the data, one result a table or data set.

    Raises `UsageError` for an unknown lifter or name, or where nothing is left to measure on, and
    `InputError` for an unreadable file.
    """
    lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
    lifter.to(choose_device(options.device))
    materials = choose(find_sources(options), lifter, options)
    with stage("evaluating", sum(m.count * max(1, len(m.seeds)) for m in materials)) as advance:
        return [measure(material, done=advance) for material in materials]


def measure(material: Material, *, done: Callable[[], None] = lambda: None) -> Result:
    """Every way of lifting on the same sequences; `done` is called after each of them."""
    by_flip: dict[bool, dict[int, Breakdown]] = {flip: {} for flip in material.lifts}
    for seed in material.seeds or (0,):
        scores: dict[bool, list[Scores]] = {flip: [] for flip in material.lifts}
        for sequence in material.views(seed):
            for flip, lift in material.lifts.items():
                scores[flip].append(score(lift, sequence, skeleton=material.skeleton))
            done()
        for flip, scored in scores.items():
            by_flip[flip][seed] = break_down(
                scored,
                subjects=material.people,
                actions=list(material.paper.actions) if material.paper else [],
            )
    return Result(material, by_flip)


def choose(sources: Sequence[Source], lifter: Lifter, options: EvaluateOptions) -> list[Material]:
    """What the lifter can be measured on. Of several sources those that are no use for it are left out, which
    is said. Raises `UsageError` where none remains, and for an unknown name."""
    subjects = _known(options.subjects, {s for source in sources for s in source.subjects}, "--subjects")
    actions = _known(options.actions, {a for source in sources for a in source.actions}, "--actions")
    materials, refusals = [], []
    for source in sources:
        try:
            materials.append(source.material(lifter, options, subjects=subjects, actions=actions))
        except UsageError as error:
            refusals.append(error)
    if not materials:
        raise refusals[0]
    for refusal in refusals:
        say(f"left out: {refusal}")
    return materials


def find_sources(options: EvaluateOptions) -> list[Source]:
    """Every motion-capture table and file of studio poses in the data; what a file is, its content says.

    Raises `InputError` where there is none, or one cannot be read.
    """
    kinds = {path: _kind(path) for path in find_files(options.data)}
    keypoints = [path for path, kind in kinds.items() if kind == "keypoints"]
    sources: list[Source] = []
    for path, kind in kinds.items():
        if kind == "poses":
            sources.append(Studio.recognise(path, keypoints))
        elif kind == "table":
            sources.append(Table.load(path))
    if not sources:
        raise InputError(f"{keypoints[0]} holds 2D keypoints; --data also needs the 3D poses (data_3d_….npz)")
    return sources


def find_files(data: Sequence[Path]) -> list[Path]:
    """Files as they are; of a folder the `.npz` in it, not deeper. Raises `InputError` for an empty one."""
    found: list[Path] = []
    for path in data:
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: no motion-capture table (.npz) or data set in this folder")
        found += inside
    return list(dict.fromkeys(found))


def _kind(path: Path) -> str:
    """By the names of its arrays; what is neither poses nor keypoints is for the table's reader to judge."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        names = set()
    return "poses" if "positions_3d.npy" in names else "keypoints" if "positions_2d.npy" in names else "table"


def _known(values: Sequence[str], names: set[str], option: str) -> frozenset[str]:
    """The names given: each value is one, or several with commas between. Raises `UsageError` for an unknown
    one."""
    chosen: set[str] = set()
    for value in values:
        for part in [value] if value in names else [part.strip() for part in value.split(",")]:
            if part not in names:
                near = difflib.get_close_matches(part, names, n=8, cutoff=0.5) or sorted(names)
                more = f" and {len(names) - 12} more" if len(near) > 12 else ""
                raise UsageError(f"{option}: no {part!r} in the data; there is {', '.join(near[:12])}{more}")
            chosen.add(part)
    return frozenset(chosen)
