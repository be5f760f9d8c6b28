"""Report a lifter's errors: as a table on the terminal, and in more detail as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from ...files import replacing
from ...lifting.evaluation.breakdown import Breakdown, mean_of_seeds
from ...lifting.evaluation.scores import METRICS, Errors
from ..plain_text import plain
from .evaluate_lifter import Result
from .evaluation_data import PaperTable

PROTOCOLS = {
    "1": ("mpjpe", "limbs_mpjpe"),
    "2": ("p_mpjpe", "limbs_p_mpjpe"),
    "3": ("n_mpjpe",),
    "velocity": ("mpjve",),
}
"""The paper's protocols, and the errors that belong to each."""

_TITLES = {
    "mpjpe": "MPJPE",
    "p_mpjpe": "P-MPJPE",
    "n_mpjpe": "N-MPJPE",
    "mpjve": "MPJVE",
    "limbs_mpjpe": "limbs\nMPJPE",
    "limbs_p_mpjpe": "limbs\nP-MPJPE",
}
_PAPER_TITLES = {
    "mpjpe": "Protocol 1 MPJPE",
    "p_mpjpe": "Protocol 2 P-MPJPE",
    "n_mpjpe": "Protocol 3 N-MPJPE",
    "mpjve": "velocity MPJVE",
}

_COLUMNS = {
    name: f"{name}_mm_per_frame" if name == "mpjve" else f"{name}_mm" for name in METRICS
}  # in the CSV file
_WIDTH = 130  # characters, where the output is no terminal
_UNBOUNDED = 1000
_UNITS = "mm; MPJVE: mm a frame"


def show(results: Sequence[Result], *, lifter: str, protocols: Sequence[str] = ()) -> None:
    """Print one table per result.

    Args:
        results: The errors.
        lifter: Name of the lifter.
        protocols: Show only these of `PROTOCOLS`; empty for all.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _WIDTH))
    shown = {metric for protocol in protocols or PROTOCOLS for metric in PROTOCOLS[protocol]}
    for result in results:
        heading = plain(f"{lifter} on {result.data.name}")
        console.print(heading, style="bold", markup=False, highlight=False)
        for note in result.data.notes:
            console.print(plain(note), markup=False, highlight=False, soft_wrap=True)
        table = _table(result, {metric: title for metric, title in _TITLES.items() if metric in shown})
        if result.data.paper is not None:
            titles = {metric: title for metric, title in _PAPER_TITLES.items() if metric in shown}
            wide = _paper_table(result, result.data.paper, titles)
            unbounded = console.options.update(width=_UNBOUNDED)
            if Measurement.get(console, unbounded, wide).maximum <= console.width:
                table = wide
        console.print(table)


def write_csv(path: Path, results: Sequence[Result], *, lifter: str) -> None:
    """Write the errors as CSV: a row for each line of the table, with and without flips, and each seed.

    The mean over seeds has a row too. The seed's cell is empty if nothing is random; the cell of an undefined
    error is empty.

    Raises:
        OutputError: The file cannot be written.
    """
    facts = list(dict.fromkeys(fact for result in results for fact in result.data.facts))
    head = ["lifter", "data", *facts, "flip", "by", "name", "seed", "frames", *_COLUMNS.values()]
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for result in results:
            same = [lifter, result.data.name, *(result.data.facts.get(fact, "") for fact in facts)]
            for flip, seeds in result.by_flip.items():
                by_seed = {str(seed): breakdown for seed, breakdown in seeds.items()}
                by_seed["mean"] = mean_of_seeds(list(seeds.values()))
                for seed, breakdown in (by_seed if result.data.seeds else {"": by_seed["mean"]}).items():
                    for by, name, errors in _lines(breakdown):
                        cells = [_number(getattr(errors, metric), 3) for metric in METRICS]
                        writer.writerow(
                            [*same, "yes" if flip else "no", by, name, seed, errors.frames, *cells]
                        )


def _table(result: Result, columns: dict[str, str]) -> Table:
    """Make a table with a row per action and a column per metric."""
    table = Table(box=box.SIMPLE, caption=_UNITS, caption_justify="left")
    table.add_column("action", overflow="fold")
    for title in (*columns.values(), "frames"):
        table.add_column(title, justify="right", no_wrap=True)
    means = {flip: mean_of_seeds(list(seeds.values())) for flip, seeds in result.by_flip.items()}
    main = next(iter(means.values()))  # with flips if they were measured

    def add(name: str, errors: Errors, style: str = "") -> None:
        cells = [_number(getattr(errors, metric), 1) or "–" for metric in columns]
        table.add_row(Text(plain(name)), *cells, str(errors.frames), style=style)

    for name, errors in main.actions.items():
        add(name, errors)
    table.add_section()
    for flip, mean in means.items():
        way, seeds = _way(flip), result.by_flip[flip]
        add(f"mean of actions, {way}", mean.mean, "bold")
        if len(seeds) > 1:
            table.add_row("  furthest seed", *(_spread(seeds.values(), mean, metric) for metric in columns))
        add(f"mean of frames, {way}", mean.frames)
    table.add_section()
    table.add_row("each person's mean of actions", style="italic")
    for name, errors in main.subjects.items():
        add(name, errors)
    return table


def _paper_table(result: Result, paper: PaperTable, rows: dict[str, str]) -> Table:
    """Make a table as in the paper: a column per action, and their mean; a row per metric.

    There is a group of rows with and one without flips, and one per person. If `paper.by_person`, there is a
    column for each person's action.
    """
    groups: dict[str, dict[str, Errors]] = {}
    for flip, seeds in result.by_flip.items():
        mean = mean_of_seeds(list(seeds.values()))
        if paper.by_person:
            average, columns = (
                mean.people,
                {
                    f"{paper.actions.get(a, a)}\n{person.removeprefix('Validate/')}": mean.cells[person, a]
                    for a in mean.actions
                    for person in mean.subjects
                    if (person, a) in mean.cells
                },
            )
        else:
            average, columns = mean.mean, {paper.actions.get(a, a): e for a, e in mean.actions.items()}
        groups[_way(flip)] = columns | {"Avg.": average}
    if not paper.by_person:
        main = mean_of_seeds(list(next(iter(result.by_flip.values())).values()))
        for person, average in main.subjects.items():
            columns = {paper.actions.get(a, a): e for (who, a), e in main.cells.items() if who == person}
            groups[person] = columns | {"Avg.": average}

    headings = list(next(iter(groups.values())))
    table = Table(box=box.SIMPLE, caption=_UNITS, caption_justify="left", padding=0)
    table.add_column(no_wrap=True)
    for heading in headings:
        table.add_column(Text(plain(heading)), justify="right", no_wrap=True)
    for group, line in groups.items():
        table.add_section()
        table.add_row(Text(plain(group)), style="italic")
        for metric, label in rows.items():
            values = [_number(getattr(line[h], metric), 1) or "–" if h in line else "" for h in headings]
            table.add_row(label, *values)
    return table


def _way(flip: bool) -> str:
    return "flips" if flip else "no flips"


def _lines(breakdown: Breakdown) -> Iterator[tuple[str, str, Errors]]:
    for name, errors in breakdown.actions.items():
        yield "action", name, errors
    for name, errors in breakdown.subjects.items():
        yield "subject", name, errors
    for (subject, action), errors in breakdown.cells.items():
        yield "subject and action", f"{subject} {action}", errors
    yield "mean of actions", "", breakdown.mean
    yield "mean of subjects", "", breakdown.people
    yield "mean of frames", "", breakdown.frames


def _spread(breakdowns: Iterable[Breakdown], mean: Breakdown, metric: str) -> str:
    """Return the largest deviation of the mean of actions from its mean over seeds."""
    off = [abs(getattr(b.mean, metric) - getattr(mean.mean, metric)) for b in breakdowns]
    return "–" if any(math.isnan(v) for v in off) else f"±{max(off):.1f}"


def _number(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
