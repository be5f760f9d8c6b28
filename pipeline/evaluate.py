"""`videopose evaluate`: a lifter and data in, its errors by action and by person out.

Whatever the data, it becomes `Material`: sequences of (subject, action, what the lifter reads, true pose),
the same for the same seed. Another kind of data set is another function like `motion_capture`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import InputError, UsageError
from ..lifting.breakdown import Breakdown, break_down, unweighted
from ..lifting.config import CameraConfig, DetectionConfig
from ..lifting.evaluation import Errors, Lift, Scores, Sequence3D, lift_with, score, sequences
from ..lifting.lifter import Lifter
from ..lifting.mocap import MotionCapture
from ..lifting.shipped import load_lifter
from ..lifting.unseen import select_unseen
from .infer import choose_device
from .progress import Stage, say

TRUE_2D = DetectionConfig(jitter=(1e-9, 1e-9), drift=(1e-9, 1e-9), bias=0, outliers=0, episodes=0)
_WINDOW = 3.0  # seconds
_FOCAL = ", with Human3.6M's focal length"


@dataclass(frozen=True)
class EvaluateOptions:
    """What to measure, and how.

    data: files, or folders of them. subjects, actions: only these (empty: all that may be measured on).
    everybody: people whom the lifter was trained on, too. flip: also with flip augmentation. seeds, cameras:
    how many random draws, and cameras a clip in each. true_2d: perfect keypoints instead of simulated
    detections. lifter_layout, lifter_causal: see `load_lifter`.
    """

    lifter: str
    data: tuple[Path, ...]
    subjects: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    everybody: bool = False
    flip: bool = True
    seeds: int = 3
    cameras: int = 1
    true_2d: bool = False
    device: str = "auto"
    lifter_layout: str | None = None
    lifter_causal: bool = False


@dataclass(frozen=True)
class Material:
    """What a lifter is measured on.

    name: the data's. facts: how it was chosen and seen, by column of the CSV file. notes: the same in words.
    views: seed → sequences, `count` of them. seeds: those to draw.
    """

    name: str
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    views: Callable[[int], Iterable[Sequence3D]]
    count: int
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """A lifter's errors on one material: without and perhaps with flip augmentation, for each seed."""

    material: Material
    by_flip: Mapping[bool, Mapping[int, Breakdown]]


def run(options: EvaluateOptions, *, stage: Stage) -> list[Result]:
    """Measure the lifter on all the data, one result a file.

    Raises `UsageError` for an unknown lifter or name, or where nothing is left to measure on, and
    `InputError` for an unreadable file.
    """
    lifter = load_lifter(options.lifter, layout=options.lifter_layout, causal=options.lifter_causal)
    lifter.to(choose_device(options.device))
    lifts = {flip: lift_with(lifter, flip=flip) for flip in ((True, False) if options.flip else (False,))}
    materials = motion_capture(lifter, options)
    with stage("evaluating", sum(m.count * len(m.seeds) for m in materials)) as advance:
        return [measure(material, lifts, done=advance) for material in materials]


def measure(
    material: Material, lifts: Mapping[bool, Lift], *, done: Callable[[], None] = lambda: None
) -> Result:
    """Every way of lifting on the same sequences; `done` is called after each of them."""
    by_flip: dict[bool, dict[int, Breakdown]] = {flip: {} for flip in lifts}
    for seed in material.seeds:
        scores: dict[bool, list[Scores]] = {flip: [] for flip in lifts}
        for sequence in material.views(seed):
            for flip, lift in lifts.items():
                scores[flip].append(score(lift, sequence))
            done()
        for flip in lifts:
            by_flip[flip][seed] = break_down(scores[flip])
    return Result(material, by_flip)


def motion_capture(lifter: Lifter, options: EvaluateOptions) -> list[Material]:
    """Motion-capture tables through random cameras and a simulated detector, the same for every lifter.

    Of each table the people whom the lifter has not learned from. Of several tables, those without such
    people are left out, which is said. Raises `UsageError` where none remains, `InputError` for an unreadable
    file.
    """
    tables = {path: MotionCapture.load(path) for path in find_tables(options.data)}
    subjects = _known(options.subjects, {s for t in tables.values() for s in t.subjects}, "--subjects")
    actions = _known(options.actions, {a for t in tables.values() for a in t.actions}, "--actions")
    materials, refusals = [], []
    for path, table in tables.items():
        try:
            selection = select_unseen(
                table,
                lifter.about,
                file=path.name,
                subjects=subjects,
                actions=actions,
                everybody=options.everybody,
            )
        except UsageError as error:
            refusals.append(error)
            continue
        chosen = table.select(selection.clips)
        materials.append(_through_cameras(path.name, chosen, selection.people, lifter, options))
    if not materials:
        raise refusals[0]
    for refusal in refusals:
        say(f"left out: {refusal}")
    return materials


def find_tables(data: Sequence[Path]) -> list[Path]:
    """Files as they are; of a folder the `.npz` in it, not deeper. Raises `InputError` for a missing or empty
    one."""
    found: list[Path] = []
    for path in data:
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: no motion-capture table (.npz) in this folder")
        found += inside
    return list(dict.fromkeys(found))


def mean_of_seeds(breakdowns: Mapping[int, Breakdown]) -> Breakdown:
    """Every line's mean over the seeds."""
    every = list(breakdowns.values())
    first = every[0]

    def mean(errors: Iterator[Errors]) -> Errors:
        listed = list(errors)
        return unweighted(listed, frames=listed[0].frames)

    return Breakdown(
        {name: mean(b.actions[name] for b in every) for name in first.actions},
        {name: mean(b.subjects[name] for b in every) for name in first.subjects},
        mean(b.mean for b in every),
        mean(b.frames for b in every),
    )


def _through_cameras(
    name: str, table: MotionCapture, people: str, lifter: Lifter, options: EvaluateOptions
) -> Material:
    rate = lifter.rate or table.rate
    cameras, detections = CameraConfig(), TRUE_2D if options.true_2d else DetectionConfig()
    number = len(set(table.subjects))
    return Material(
        name,
        {
            "people": people,
            "keypoints": "true" if options.true_2d else "simulated detections",
            "rate_hz": f"{rate:g}",
            "cameras_a_clip": str(options.cameras),
        },
        (
            f"people: {', '.join(sorted(set(table.subjects)))} ({people})",
            f"motion: {len(table)} clips of {number} {'person' if number == 1 else 'people'}, "
            f"{table.minutes:.1f} minutes, read at {rate:g} frames a second",
            f"cameras: {options.cameras} a clip and seed, {_span(cameras.distance)} m away, "
            f"{_span(cameras.height)} m up{_FOCAL if lifter.input_space == 'screen' else ''}; "
            f"{'seed 1' if options.seeds == 1 else f'seeds 1 to {options.seeds}'}",
            f"keypoints: {_describe(detections, perfect=options.true_2d)}",
        ),
        partial(_views, table, rate, cameras, detections, per_clip=options.cameras, layout=lifter.layout),
        len(table) * options.cameras,
        tuple(range(1, options.seeds + 1)),
    )


def _views(
    table: MotionCapture,
    rate: float,
    cameras: CameraConfig,
    detections: DetectionConfig,
    seed: int,
    *,
    per_clip: int,
    layout: str,
) -> Iterator[Sequence3D]:
    return sequences(
        table,
        rate=rate,
        cameras=cameras,
        detections=detections,
        per_clip=per_clip,
        seed=seed,
        layout=layout,
        window=_WINDOW,
    )


def _describe(detections: DetectionConfig, *, perfect: bool) -> str:
    if perfect:
        return "true projections, no detector"
    jitter, drift = (_span((1000 * low, 1000 * high)) for low, high in (detections.jitter, detections.drift))
    return (
        f"simulated detector: jitter {jitter} mm, drift {drift} mm, bias {1000 * detections.bias:g} mm, "
        f"{100 * detections.outliers:g} % stray points, a spoilt limb in {100 * detections.episodes:g} % of "
        f"windows of {_WINDOW:g} s"
    )


def _span(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g}–{ends[1]:g}"


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
