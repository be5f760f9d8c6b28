"""Measure the paper's claims on open motion capture with simulated detections.

    python benchmarks/reproduction.py ROW --data FOLDER    train and measure what one claim needs
    python benchmarks/reproduction.py all --data FOLDER    every claim
    python benchmarks/reproduction.py table                write docs/reproduction.md's table and its picture

FOLDER holds the motion capture that `videopose prepare cmu` makes. Every run and seed adds a row to the CSV
table --results. Runs that it has are not done again, so an interrupted benchmark goes on where it stopped.
Runs go side by side, --jobs at a time, on one core each. docs/reproduction.md says what is trained and
measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from reproduction_plan import ROWS, Row, Run, runs_of
from reproduction_table import write
from reproduction_training import chunk_speed, perform
from study_results import is_done, load, save

from videopose.errors import UsageError, VideoposeError
from videopose.pipeline.progress import Progress, progress_bar, say

RESULTS = Path(__file__).with_name("results") / "reproduction.csv"
SPEED = "chunk-speed"


def main() -> None:
    """Read the options; train what is missing, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("row", choices=(*ROWS, "all", "table"), metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--data", type=Path, help="folder of the motion capture, cmu*.npz")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the CSV table of results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    options = parser.parse_args()
    try:
        if options.row == "table":
            write(load(options.results))
            return
        if options.data is None:
            raise UsageError("give --data FOLDER, the motion capture that `videopose prepare cmu` makes")
        rows = ROWS if options.row == "all" else {options.row: ROWS[options.row]}
        progress = partial(progress_bar, unit="core seconds/s")
        carry_out(rows, options.seeds, options.data, options.results, jobs=options.jobs, progress=progress)
    except VideoposeError as error:
        sys.exit(str(error))


def carry_out(
    rows: Mapping[str, Row],
    seeds: Iterable[int],
    data: Path,
    results: Path,
    *,
    jobs: int,
    progress: Progress,
) -> None:
    """Do the runs that some rows need and that have no result yet, seed by seed. Raises `VideoposeError`."""
    tasks = [(run, seed) for seed in seeds for run in runs_of(rows)]
    missing = [(run, seed) for run, seed in tasks if not is_done(results, run.name, seed, run.settings(seed))]
    work = sum(run.seconds for run, _ in missing)
    say(
        f"{len(tasks) - len(missing)} of {len(tasks)} runs are there; the others take about "
        f"{work / 60 / jobs:.0f} minutes on {jobs} idle cores"
    )
    if missing:
        _side_by_side(missing, work, data, results, jobs=jobs, progress=progress)
    if any(row.speed for row in rows.values()) and not is_done(results, SPEED, None):
        say("training speed by chunk size")
        save(results, {"run": SPEED, "milliseconds": chunk_speed(data)})


def _side_by_side(
    tasks: Sequence[tuple[Run, int]], work: float, data: Path, results: Path, *, jobs: int, progress: Progress
) -> None:
    context = get_context("spawn")
    counter = context.Value("d", 0.0)
    with (
        progress("training", round(work)) as advance,
        ProcessPoolExecutor(jobs, context, _count_with, (counter,)) as pool,
    ):
        waiting: set[Future[str]] = {pool.submit(keep, run, seed, data, results) for run, seed in tasks}
        shown = 0
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                advance(int(counter.value) - shown)
                shown = int(counter.value)
                for future in finished:
                    say(future.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def keep(run: Run, seed: int, data: Path, results: Path) -> str:
    """Do a run, write its result, and return it as a line of text."""
    began = time.perf_counter()
    result = perform(run, seed, data, count=_count)
    save(results, result)
    errors = "; ".join(f"{test}: {values['mpjpe']:.1f} mm" for test, values in result["errors"].items())
    return f"{run.name}, seed {seed}: {errors} ({time.perf_counter() - began:.0f} s)"


_counter: Any = None  # seconds of work that all processes have done


def _count_with(counter: Any) -> None:
    """Set up a worker process: one thread, and the shared counter of work done."""
    global _counter
    _counter = counter
    torch.set_num_threads(1)


def _count(seconds: float) -> None:
    if _counter is not None:
        with _counter.get_lock():
            _counter.value += seconds


if __name__ == "__main__":
    main()
