"""`videopose semi-train`: footage without labels beside motion with labels in, a lifter out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import distributed

from ....errors import InputError, OutputError, UsageError
from ....semi.config import load_studio_recipe
from ....yaml_config import parse_overrides
from ...device import choose_device
from ...paths import check_writable
from ...progress import Stage
from .find_people import find_people
from .from_recordings import learn_from_studio
from .from_videos import learn_from_videos
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
    stage: Stage,
    steps: Stage | None = None,
) -> Path | None:
    """Train and write `lifter.safetensors` and its curves to `output`; of a user's footage also `report.md`,
    and `detections/`, which a second run finds and uses.

    `failed` is told of each video that cannot be used, and the others are. stage: how progress is shown;
    steps: that of training, where it differs. Returns the lifter's path; of several processes that `torchrun`
    started only the first prints, writes and returns one.
    Raises `UsageError` for options that do not go together, `InputError` where nothing is left to learn from,
    or to resume, and `OutputError` where a lifter is there already and may not be replaced.
    """
    device = choose_device(device)
    _check(output, resume=resume, overwrite=overwrite)
    recipe = options.recipe_file
    if options.unlabelled:
        if distributed.is_torchelastic_launched():
            raise UsageError("learning from videos takes one process; start semi-train without torchrun")
        find = partial(find_people, failed=failed, stage=stage)
        return learn_from_videos(
            options, recipe, output, find, resume=resume, device=device, command=command, stage=steps or stage
        )
    config = load_studio_recipe(recipe, parse_overrides(options.overrides))
    if options.labelled is None:
        raise UsageError(f"recipe {options.recipe} needs the data set's folder: --labeled FOLDER")
    return learn_from_studio(
        config, options.labelled, output, resume=resume, device=device, stage=steps or stage
    )


def _check(output: Path, *, resume: bool, overwrite: bool) -> None:
    """Before the long work: that there is something to go on with, and nothing would be lost."""
    result, checkpoint = output / "lifter.safetensors", output / "checkpoint.pt"
    if resume and not checkpoint.exists():
        raise InputError(
            f"nothing to resume: {checkpoint} does not exist; without --resume training begins, and people "
            f"found before in the same videos are not looked for again"
        )
    for path in (result, checkpoint):
        if path.exists() and not (overwrite or resume):
            raise OutputError(f"{path} exists; --resume goes on from a checkpoint, --overwrite begins anew")
    check_writable(output)
