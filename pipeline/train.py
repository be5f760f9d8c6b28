"""`videopose train`: configuration and motion files in, a lifter file with its measured errors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..errors import OutputError, UsageError
from ..files import replacing
from ..lifting.config import TrainingConfig, load_config
from ..lifting.evaluation import Errors, Sequence3D, measure, sequences
from ..lifting.lifter import Lifter
from ..lifting.mocap import MotionCapture
from ..lifting.model import TemporalModel
from ..lifting.training import LOSS_EVERY, Progress, split, train
from .infer import choose_device
from .outputs import check_writable
from .progress import Stage, say


def run(
    config_path: Path,
    data: Path,
    output: Path,
    *,
    overrides: Sequence[str] = (),
    resume: bool = False,
    device: str = "auto",
    overwrite: bool = False,
    stage: Stage,
) -> Path:
    """Train, measure on the held-out people, and write `lifter.safetensors` and `curves.png` to `output`.

    data: folder of the motion files that the configuration names. Returns the lifter's path. Raises
    `OutputError` where a lifter is there already and may not be replaced.
    """
    config = load_config(config_path, _parse(overrides))
    device = choose_device(device)
    result = output / "lifter.safetensors"
    if not overwrite and not resume:
        for path in (result, output / "checkpoint.pt"):
            if path.exists():
                raise OutputError(
                    f"{path} exists; --resume goes on from a checkpoint, --overwrite begins anew"
                )
    check_writable(output)
    bank, held = split(config, data)
    seen = _views(held, config) if held is not None else []
    minutes = len(bank.points) / bank.rate / 60
    say(f"training on {minutes:.0f} minutes of motion; measuring on {_minutes(seen, config):.0f}")

    history: list[tuple[int, Errors]] = []

    def measured(model: TemporalModel, step: int) -> None:
        if seen:
            history.append((step, measure(model, seen, config.input_space)))
            say(f"step {step}: held-out MPJPE {history[-1][1].mpjpe:.1f} mm")

    final = Progress(config.schedule.steps)
    with stage("training", config.schedule.steps) as advance:
        done = 0

        def report(progress: Progress) -> None:
            nonlocal final, done
            final = progress
            advance(progress.step - done)  # a resumed run jumps to where it was
            done = progress.step

        model = train(
            config,
            bank,
            folder=output,
            resume=resume,
            device=device,
            report=report,
            measure=measured,
        )
    if not history:  # a finished run, resumed
        measured(model, config.schedule.steps)
    errors = history[-1][1] if history else None
    lifter = Lifter(model.cpu(), "h36m17", config.input_space, config.rate, about=_about(config, errors))
    lifter.save(result)
    if final.step:  # else the curves of the finished run are better than none
        _draw_curves(output / "curves.png", final, history)
    return result


def _parse(overrides: Sequence[str]) -> dict[str, object]:
    values = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}")
        try:
            values[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {text}: not a value") from error
    return values


def _views(held: MotionCapture, config: TrainingConfig) -> list[Sequence3D]:
    return list(sequences(held, rate=config.rate, cameras=config.cameras, detections=config.detections))


def _minutes(seen: list[Sequence3D], config: TrainingConfig) -> float:
    return sum(len(s.pose) for s in seen) / config.rate / 60


def _about(config: TrainingConfig, errors: Errors | None) -> dict[str, object]:
    """What the lifter's file says of itself."""
    held = [subject for motion in config.motions for subject in motion.held_out]
    return {
        "name": config.name,
        "training_data": [motion.path for motion in config.motions],
        "licence": config.licence,
        "acknowledgement": config.acknowledgement,
        "held_out_subjects": held,
        "held_out_errors_mm": asdict(errors) if errors else None,
        "measured_with": "three random cameras a clip, simulated detections, flip augmentation",
        "config": config.model_dump(mode="json"),
    }


def _draw_curves(path: Path, progress: Progress, history: list[tuple[int, Errors]]) -> None:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    steps = [LOSS_EVERY * (i + 1) for i in range(len(progress.losses))]
    axes.plot(steps, [1000 * v for v in progress.losses], color="#0072B2", lw=1, label="training MPJPE")
    if history:
        at = [s for s, _ in history]
        mpjpe, p_mpjpe = [e.mpjpe for _, e in history], [e.p_mpjpe for _, e in history]
        axes.plot(at, mpjpe, "o-", color="#D55E00", label="held-out people: MPJPE")
        axes.plot(at, p_mpjpe, "s--", color="#009E73", label="held-out people: P-MPJPE")
    axes.set(xlabel="step", ylabel="mm", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(path) as partial:
        canvas.print_png(partial)  # type: ignore[no-untyped-call]
