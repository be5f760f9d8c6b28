"""Check and lock the output folder of a training run, so that no result is overwritten by accident."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from torch import distributed

from ...errors import InputError, OutputError
from ..output_lock import output_lock
from ..paths import check_writable

LIFTER = "lifter.safetensors"
CHECKPOINT = "checkpoint.pt"


@contextmanager
def training_folder(
    folder: Path,
    results: Sequence[str] = (LIFTER, CHECKPOINT),
    *,
    resume: bool,
    overwrite: bool,
    command: str = "",
    checkpoint: str | None = CHECKPOINT,
) -> Iterator[None]:
    """Check, before the long work, that a run can write its results to a folder; hold its lock in the block.

    Of several processes that `torchrun` started, only the first one does.

    Args:
        folder: The folder; it is created.
        results: The names of the files that may not be replaced by accident; the first one's lock is held.
        resume: Whether the run goes on from a checkpoint.
        overwrite: Whether results may be replaced.
        command: The command line, which another run in the same folder shows.
        checkpoint: The file without which nothing can be resumed; None if the trainer checks that.

    Raises:
        InputError: There is no checkpoint to resume.
        OutputError: A result is there already and may not be replaced, the folder cannot be written to, or
            another run is writing to it.
    """
    if not is_first_process():
        yield
        return
    check_writable(folder)
    with output_lock([folder / results[0]], command):
        if resume and checkpoint is not None and not (folder / checkpoint).exists():
            raise InputError(
                f"nothing to resume: {folder / checkpoint} does not exist; without --resume the run begins "
                "anew"
            )
        _check_results(folder, results, replaced=resume or overwrite)
        yield


def is_first_process() -> bool:
    """Return whether this is the first of the processes that `torchrun` started, or the only one."""
    return not distributed.is_torchelastic_launched() or os.environ.get("RANK", "0") == "0"


def _check_results(folder: Path, results: Sequence[str], *, replaced: bool) -> None:
    for path in (folder / name for name in results):
        if path.exists() and not replaced:
            raise OutputError(f"{path} exists; --resume goes on from a checkpoint, --overwrite begins anew")
