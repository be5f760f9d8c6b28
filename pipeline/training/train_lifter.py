"""`videopose train`: train a lifter by a configuration, measure it, and write its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ...lifting.inference.lifter import Lifter
from ...lifting.inference.pretrained import load_lifter
from ...lifting.network.temporal_model import TemporalModel
from ...lifting.training.config import RecordedConfig, TrainingConfig, load_config
from ...lifting.training.distributed import process_group, rank_and_world_size
from ...lifting.training.lifter_training import train_lifter
from ...lifting.training.training_state import TrainingState
from ...yaml_config import parse_overrides
from ..device import choose_device
from ..progress import Progress, no_progress, say
from .lifter_session import LifterSession
from .motion_capture_session import motion_capture_session
from .output_folder import LIFTER, training_folder
from .recordings_session import recordings_session
from .report import ProgressReporter, plot_curves, rounded, say_errors

SESSIONS: dict[type, Callable[[Any, Path, str], LifterSession]] = {
    TrainingConfig: motion_capture_session,
    RecordedConfig: recordings_session,
}
"""The kind of configuration → what reads its data: configuration, data folder and device → session."""


def run(
    config_path: Path,
    data: Path,
    output: Path,
    *,
    overrides: Sequence[str] = (),
    resume: bool = False,
    device: str = "auto",
    overwrite: bool = False,
    command: str = "",
    progress: Progress,
) -> Path | None:
    """Train a lifter, measure it on held-out people, and write `lifter.safetensors` and `curves.png`.

    Args:
        config_path: The YAML configuration.
        data: The folder of the files that the configuration names.
        output: The folder to write to.
        overrides: `NAME=VALUE` assignments that replace values of the configuration.
        resume: Whether to go on from the checkpoint in `output`.
        device: "auto", "cpu", "cuda", …
        overwrite: Whether results in `output` may be replaced.
        command: The command line, which another run in the same folder shows.
        progress: How progress is shown.

    Returns:
        The lifter's path. Of several processes that `torchrun` started, only the first one prints, writes and
        returns a path.

    Raises:
        OutputError: A lifter is there already and may not be replaced.
        VideoposeError: The configuration, the data or the checkpoint cannot be read.
    """
    config = load_config(config_path, parse_overrides(overrides))
    device = choose_device(device)
    with training_folder(output, resume=resume, overwrite=overwrite, command=command):
        return _run(config, data, output, resume=resume, device=device, progress=progress)


def _run(
    config: TrainingConfig | RecordedConfig,
    data: Path,
    output: Path,
    *,
    resume: bool,
    device: str,
    progress: Progress,
) -> Path | None:
    """Train, measure and write; see `run`."""
    with process_group(device) as device:
        session = SESSIONS[type(config)](config, data, device)
        start = load_lifter(config.start) if config.start else None
        weights = start.model.state_dict() if start else None
        first = rank_and_world_size()[0] == 0
        if first:
            say(session.plan)
        model, state = _train(
            config,
            session,
            output,
            resume=resume,
            device=device,
            start=weights,
            progress=progress if first else no_progress,
        )
        if not first:
            return None
        if state is None:  # a finished run was resumed
            errors = rounded(session.measure(model)) if session.measure else None
        else:
            errors = state.history[-1][1] if state.history else None
    about = {
        "name": config.name,
        **session.about,
        "acknowledgement": config.acknowledgement,
        "started_from": {"name": config.start, "sha256": start.digest()} if start else None,
        "held_out_errors_mm": errors,
        "config": config.model_dump(mode="json"),
    }
    result = output / LIFTER
    Lifter(model.cpu(), session.layout, config.input_space, session.rate, about=about).save(result)
    if state is not None:  # otherwise the curves of the finished run are kept
        plot_curves(output / "curves.png", state, session.source.steps_per_epoch)
    return result


def _train(
    config: TrainingConfig | RecordedConfig,
    session: LifterSession,
    output: Path,
    *,
    resume: bool,
    device: str,
    start: Mapping[str, Tensor] | None,
    progress: Progress,
) -> tuple[TemporalModel, TrainingState | None]:
    """Return the model and how its training went; None if it was finished before."""
    source, measure = session.source, session.measure

    def measured(model: TemporalModel, step: int) -> dict[str, float]:
        assert measure is not None
        errors = measure(model)
        say_errors(step, source.steps_per_epoch, f"held-out MPJPE {errors.mpjpe:.1f} mm")
        return rounded(errors)

    with progress("training", source.num_steps) as advance:
        reporter = ProgressReporter(advance)
        model = train_lifter(
            config,
            source,
            folder=output,
            resume=resume,
            device=device,
            start=start,
            report=reporter,
            measure=measured if measure else None,
        )
    return model, reporter.latest
