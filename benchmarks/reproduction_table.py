"""Write the results of benchmarks/reproduction.py: the table in docs/reproduction.md and its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture
from reproduction_plan import CHANNELS, CHUNKS, RECEPTIVE_FIELDS, ROWS, Figure, Row
from study_results import insert

from videopose.files import replacing
from videopose.pipeline.progress import say

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "reproduction.md"
PICTURE = DOCS / "images" / "reproduction-claims.png"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"

Results = Mapping[str, Sequence[Mapping[str, Any]]]
"""By run, one a seed."""


def write(results: Results, *, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Write table and picture. Raises `InputError` if the page has no place for the table."""
    insert(page, BEGIN, END, table(results))
    draw(results, picture)
    say(f"{page} and {picture} are written")


def table(results: Results) -> str:
    """Return the table in Markdown, a line for each figure.

    Changes in per cent are relative to the first figure of the claim with the same metric.
    """
    lines = ["| claim | | paper | here | where they differ |", "|---|---|---|---|---|"]
    speed = _speeds(results)
    for row in ROWS.values():
        for figure in row.figures:
            first = _first(row, figure)
            here = values(results, figure)
            cells = [
                f"**{row.claim}.** {row.source}." if figure is row.figures[0] else "",
                figure.label,
                _cell([] if figure.paper is None else [figure.paper]),
                _cell(here),
                figure.why,
            ]
            if figure is not first:
                cells[2] += _change(figure.paper, first.paper)
                cells[3] += _change(_mean(here), _mean(values(results, first)))
            if row.speed and speed:
                cells[3] += f"; {speed[figure.run]:.2f} × the speed"
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def values(results: Results, figure: Figure) -> list[float]:
    """Return a figure's value for each seed; empty if it was not measured."""
    return [r["errors"][figure.test][figure.metric] for r in results.get(figure.run, ())]


def draw(results: Results, path: Path) -> None:
    """Draw four plots: the claims as changes beside the paper's, and the three sweeps."""
    picture = Picture(figsize=(11, 7.5), layout="constrained")
    canvas = FigureCanvasAgg(picture)
    (claims, fields), (channels, chunks) = picture.subplots(2, 2)
    _draw_claims(claims, results)
    _draw_sweep(fields, results, ROWS["receptive-field"], RECEPTIVE_FIELDS, "frames seen")
    paper = [f.paper or np.nan for f in ROWS["receptive-field"].figures]
    known = np.isfinite(paper)
    fields.plot(np.array(RECEPTIVE_FIELDS)[known], np.array(paper)[known], "s--", color=BLUE, label="paper")
    fields.set_ylim(0, None)
    fields.legend()
    _draw_sweep(channels, results, ROWS["channels"], CHANNELS, "channels")
    _draw_sweep(chunks, results, ROWS["chunk"], CHUNKS, "frames a chunk")
    speed = _speeds(results)
    if speed:
        right = chunks.twinx()
        right.plot(CHUNKS, [speed[f"chunk-{n}"] for n in CHUNKS], "s--", color=GREEN)
        right.set_ylabel("training speed, relative", color=GREEN)
        right.set_ylim(0, None)
    with replacing(path) as part:
        canvas.print_png(part)  # type: ignore[no-untyped-call]


def _draw_claims(axes: Axes, results: Results) -> None:
    """Plot changes in per cent, the paper's and ours."""
    labels = []
    for at, (label, paper, figure, first) in enumerate(_changes()):
        labels.append(label)
        axes.plot(100 * (paper - 1), at, "s", color=BLUE)
        here, base = values(results, figure), values(results, first)
        if here and base:
            change = 100 * (np.array(here) / np.mean(base) - 1)
            axes.errorbar(change.mean(), at, xerr=change.std(), fmt="o", color=ORANGE, capsize=3)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("change of the error, %: paper ■, here ●")
    axes.grid(alpha=0.3)


def _changes() -> Iterator[tuple[str, float, Figure, Figure]]:
    """Yield the changes that the paper gives: name, ratio, and the two figures compared."""
    for row in ROWS.values():
        for figure in row.figures:
            first = _first(row, figure)
            if figure is not first and figure.paper and first.paper:
                yield f"{row.name}: {figure.label}", figure.paper / first.paper, figure, first


def _first(row: Row, figure: Figure) -> Figure:
    """Return the figure that another one of the same claim is compared with."""
    return next(f for f in row.figures if f.metric == figure.metric)


def _draw_sweep(axes: Axes, results: Results, row: Row, at: Sequence[int], label: str) -> None:
    every = [(n, values(results, f)) for n, f in zip(at, row.figures, strict=True)]
    found = [(n, _mean(v), _spread(v) or 0.0) for n, v in every if v]
    if found:
        x, y, spread = zip(*found, strict=True)
        axes.errorbar(x, y, yerr=spread, fmt="o-", color=ORANGE, capsize=3, label="here")
    axes.set_xscale("log")
    axes.set_xticks(at, [str(n) for n in at])
    axes.minorticks_off()
    axes.set(xlabel=label, ylabel="MPJPE, mm")
    axes.grid(alpha=0.3)


def _cell(numbers: Sequence[float]) -> str:
    mean, spread = _mean(numbers), _spread(numbers)
    if mean is None:
        return "–"
    digits = 1 if mean >= 2 else 2
    return f"{mean:.{digits}f}" + (f" ± {spread:.{digits}f}" if spread is not None else "")


def _change(value: float | None, base: float | None) -> str:
    return f" ({100 * (value / base - 1):+.1f} %)".replace("-", "−") if value and base else ""


def _speeds(results: Results) -> dict[str, float]:
    """Return training speeds relative to single frames, by run; empty if not measured."""
    for result in results.get("chunk-speed", ()):
        times = result["milliseconds"]
        return {name: times["chunk-1"] / time for name, time in times.items()}
    return {}


def _mean(numbers: Sequence[float]) -> float | None:
    return float(np.mean(numbers)) if numbers else None


def _spread(numbers: Sequence[float]) -> float | None:
    """Standard deviation over the seeds."""
    return float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None
