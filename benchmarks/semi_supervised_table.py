"""The tables and the picture of benchmarks/semi_supervised.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from reproduction_table import BLACK, BLUE, GREEN, ORANGE, PURPLE, Results
from semi_supervised_plan import EFFECTS, KEYPOINTS, METHODS, Run
from study_results import insert

from videopose.errors import InputError
from videopose.files import replacing
from videopose.pipeline.progress import say

PAGE = Path(__file__).parents[1] / "docs" / "semi-supervised.md"
PICTURE = PAGE.parent / "images" / "semi-supervised.png"
BEGIN, END = "<!-- semi-supervised benchmark -->", "<!-- end -->"


def write(results: Results, *, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Put the tables into the page and draw the picture.

    Raises:
        InputError: The page has no place for the tables, or there are no results.
    """
    measured = [keypoints for keypoints in KEYPOINTS if shares(results, keypoints)]
    if not measured:
        raise InputError("no results; train first, by `run`")
    tables = "\n\n".join([*(table(results, keypoints) for keypoints in measured), effects(results, measured)])
    shown = f"![Errors by the number of labeled frames](images/{picture.name})"
    insert(page, BEGIN, END, f"{tables}\n\n{shown}")
    draw(results, measured, picture)
    say(f"{page} and {picture} are written")


def table(results: Results, keypoints: str) -> str:
    """Return a table in Markdown: means, deviations and changes from labels alone, by share of labels."""
    lines = [
        f"| {KEYPOINTS[keypoints]}: labels | frames | {' | '.join(METHODS)} |",
        "|---|---|" + "---|" * len(METHODS),
    ]
    for share in shares(results, keypoints):
        base, *others = (mpjpe(results, keypoints, share, method) for method in METHODS)
        cells = [f"{100 * share:g} %", f"{_labeled_frames(results, keypoints, share):,}", _cell(base)]
        cells += [_cell(other, base) for other in others]
        lines.append(f"| {' | '.join(cells).replace('-', '−')} |")
    return "\n".join(lines)


def effects(results: Results, measured: Sequence[str]) -> str:
    """Return a table in Markdown: what each term changes, mean of the seeds and its standard error."""
    lines = [
        f"| Change of MPJPE by a term, mm | frames | {' | '.join(EFFECTS)} |",
        "|---|---|" + "---|" * len(EFFECTS),
    ]
    for keypoints in measured:
        for share in shares(results, keypoints):
            pairs = [paired(results, keypoints, share, *methods) for methods in EFFECTS.values()]
            cells = [KEYPOINTS[keypoints], f"{_labeled_frames(results, keypoints, share):,}"]
            cells += [_change(changes) for changes in pairs]
            lines.append(f"| {' | '.join(cells).replace('-', '−')} |")
    return "\n".join(lines)


def draw(results: Results, measured: Sequence[str], path: Path) -> None:
    """Draw errors by labeled frames, a plot for each kind of keypoints; bands are one standard deviation."""
    picture = Figure(figsize=(1 + 5 * len(measured), 4.5), layout="constrained")
    canvas = FigureCanvasAgg(picture)
    panels = picture.subplots(1, len(measured), sharey=True, squeeze=False)[0]
    for axes, keypoints in zip(panels, measured, strict=True):
        for method, colour in zip(METHODS, (BLUE, ORANGE, GREEN, PURPLE, BLACK), strict=True):
            at = [share for share in shares(results, keypoints) if mpjpe(results, keypoints, share, method)]
            found = [mpjpe(results, keypoints, share, method) for share in at]
            frames = [_labeled_frames(results, keypoints, share) for share in at]
            centre = np.array([mean(values) for values in found])
            spread = np.array([stdev(values) if len(values) > 1 else 0.0 for values in found])
            axes.plot(frames, centre, "o-", color=colour, label=method)
            axes.fill_between(frames, centre - spread, centre + spread, color=colour, alpha=0.25)
        axes.set(title=KEYPOINTS[keypoints], xlabel="labeled frames", xscale="log")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("MPJPE, mm")
    panels[0].set_ylim(0, None)
    panels[0].legend()
    with replacing(path) as part:
        canvas.print_png(part)  # type: ignore[no-untyped-call]


def shares(results: Results, keypoints: str) -> list[float]:
    """Return the shares of labels that any run has, in ascending order."""
    runs = (run for found in results.values() for run in found)
    recordings = (run["settings"]["recordings"] for run in runs)
    return sorted({r.get("subset", 1.0) for r in recordings if r.get("keypoints", "gt") == keypoints})


def mpjpe(results: Results, keypoints: str, share: float, method: str) -> list[float]:
    """Return MPJPE for each seed; empty if it was not measured."""
    found = results.get(Run(keypoints, share, method, 0).name, ())
    return [run["errors"]["mpjpe"] for run in found]


def paired(results: Results, keypoints: str, share: float, before: str, after: str) -> list[float]:
    """Return the change of MPJPE from one method to another, for each seed that both have."""
    first, second = (
        {run["seed"]: run["errors"]["mpjpe"] for run in results.get(Run(keypoints, share, name, 0).name, ())}
        for name in (before, after)
    )
    return [second[seed] - first[seed] for seed in first if seed in second]


def _labeled_frames(results: Results, keypoints: str, share: float) -> int:
    names = (Run(keypoints, share, method, 0).name for method in METHODS)
    return next(int(results[name][0]["frames"]["labeled"]) for name in names if name in results)


def _change(values: Sequence[float]) -> str:
    if not values:
        return "–"
    error = f" ± {stdev(values) / math.sqrt(len(values)):.1f}" if len(values) > 1 else ""
    return f"{mean(values):+.1f}{error}"


def _cell(values: Sequence[float], base: Sequence[float] = ()) -> str:
    if not values:
        return "–"
    spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    change = f" ({100 * (mean(values) / mean(base) - 1):+.0f} %)" if base else ""
    return f"{mean(values):.1f}{spread}{change}"
