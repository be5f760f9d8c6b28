"""Check the output folder of a training run, so that no result is overwritten by accident."""

from __future__ import annotations

from pathlib import Path

from ...errors import InputError, OutputError
from ..paths import check_writable

LIFTER = "lifter.safetensors"
CHECKPOINT = "checkpoint.pt"


def check_output_folder(
    folder: Path, results: tuple[str, ...] = (LIFTER, CHECKPOINT), *, resume: bool, overwrite: bool
) -> None:
    """Check, before the long work, that a run can write its results to a folder.

    Raises:
        InputError: There is no checkpoint to resume.
        OutputError: A result is there already and may not be replaced, or the folder cannot be written to.
    """
    if resume and CHECKPOINT in results and not (folder / CHECKPOINT).exists():
        raise InputError(
            f"nothing to resume: {folder / CHECKPOINT} does not exist; without --resume the run begins anew"
        )
    for path in (folder / name for name in results):
        if path.exists() and not (overwrite or resume):
            raise OutputError(f"{path} exists; --resume goes on from a checkpoint, --overwrite begins anew")
    check_writable(folder)
