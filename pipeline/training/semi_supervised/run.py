"""Run `videopose semi-train`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import distributed

from ....errors import UsageError
from ....semi.config import load_recorded_recipe
from ....yaml_config import parse_overrides
from ...device import choose_device
from ...progress import Progress
from ..output_folder import training_folder
from .find_people import People, find_people
from .from_recordings import train_on_recordings
from .from_videos import train_on_videos
from .options import SemiOptions

__all__ = ["SemiOptions", "run"]


def run(
    options: SemiOptions,
    output: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    overwrite: bool = False,
    command: str = "",
    failed: Callable[[Exception], None],
    progress: Progress,
    steps: Progress | None = None,
) -> Path | None:
    """Train and write `lifter.safetensors` and its curves to `output`.

    For a user's videos it also writes `report.md`, and `detections/`, which a second run uses.

    Args:
        options: The user's options.
        output: The folder to write to.
        resume: Whether to go on from the checkpoint in `output`.
        device: "auto", "cpu", "cuda", …
        overwrite: Whether results in `output` may be replaced.
        command: The command line, for the lifter's file.
        failed: Called for each video that cannot be used; the others are used.
        progress: How progress is shown.
        steps: How the progress of training is shown; None for `progress`.

    Returns:
        The lifter's path. Of several processes that `torchrun` started, only the first one prints, writes and
        returns a path.

    Raises:
        UsageError: The options do not go together.
        InputError: There is nothing to learn from, or to resume.
        OutputError: A lifter is there already and may not be replaced.
    """
    device = choose_device(device)
    if options.unlabeled and distributed.is_torchelastic_launched():
        raise UsageError("learning from videos takes one process; start semi-train without torchrun")
    with training_folder(output, resume=resume, overwrite=overwrite, command=command):
        return _run(
            options,
            output,
            partial(find_people, failed=failed, progress=progress),
            resume=resume,
            device=device,
            command=command,
            steps=steps or progress,
        )


def _run(
    options: SemiOptions,
    output: Path,
    find: Callable[..., People],
    *,
    resume: bool,
    device: str,
    command: str,
    steps: Progress,
) -> Path | None:
    """Train on videos or on recordings; see `run`."""
    recipe = options.recipe_file
    if options.unlabeled:
        return train_on_videos(
            options,
            recipe,
            output,
            find,
            resume=resume,
            device=device,
            command=command,
            progress=steps,
        )
    config = load_recorded_recipe(recipe, parse_overrides(options.overrides))
    if options.labeled is None:
        raise UsageError(f"recipe {options.recipe} needs the dataset's folder: --labeled FOLDER")
    return train_on_recordings(config, options.labeled, output, resume=resume, device=device, progress=steps)
