"""`videopose train`: configuration and data in, a lifter file with its measured errors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ...errors import OutputError
from ...lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from ...lifting.evaluation.recorded_sequences import lift_recorded, recorded_sequences
from ...lifting.evaluation.scores import Errors, measure, pool, score
from ...lifting.inference.lifter import Lifter
from ...lifting.inference.pretrained import load_lifter
from ...lifting.network.temporal_model import TemporalModel
from ...lifting.training.batch import BatchSource
from ...lifting.training.checkpoint import Progress
from ...lifting.training.config import RecordedConfig, TrainingConfig, load_config
from ...lifting.training.distributed import joined, place
from ...lifting.training.loop import train
from ...lifting.training.recorded_batches import RecordedBatches
from ...lifting.training.recorded_data import find_dataset, load_recordings
from ...lifting.training.synthetic_batches import SynthesisedBatches, split
from ...skeleton import H36M17
from ...yaml_config import parse_overrides
from ..device import choose_device
from ..paths import check_writable
from ..progress import Stage, say
from .report import Follower, draw_curves, rounded, say_errors


@dataclass(frozen=True)
class Course:
    """What a lifter is trained and measured on.

    measure: a model's errors on people whom it does not learn from, None where there are none. layout, rate:
    of the lifter. plan: what will happen, in words. about: what the lifter's file says of all this.
    """

    source: BatchSource
    measure: Callable[[TemporalModel], Errors] | None
    layout: str
    rate: float
    plan: str
    about: dict[str, object]


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
) -> Path | None:
    """Train, measure on the held-out people, and write `lifter.safetensors` and `curves.png` to `output`.

    data: folder of the files that the configuration names. Returns the lifter's path; of several processes
    that `torchrun` started only the first prints, writes and returns one. Raises `OutputError` where a lifter
    is there already and may not be replaced.
    """
    config = load_config(config_path, parse_overrides(overrides))
    device = choose_device(device)
    result = output / "lifter.safetensors"
    if not overwrite and not resume:
        for path in (result, output / "checkpoint.pt"):
            if path.exists():
                raise OutputError(
                    f"{path} exists; --resume goes on from a checkpoint, --overwrite begins anew"
                )
    check_writable(output)
    with joined(device) as device:
        course = (
            _recorded(config, data, device) if isinstance(config, RecordedConfig) else _motion(config, data)
        )
        start = load_lifter(config.start) if config.start else None
        weights = start.model.state_dict() if start else None
        if place()[0] > 0:
            train(config, course.source, folder=output, resume=resume, device=device, start=weights)
            return None
        say(course.plan)
        model, progress = _train(
            config, course, output, resume=resume, device=device, start=weights, stage=stage
        )
        if progress is None:  # a finished run, resumed
            errors = rounded(course.measure(model)) if course.measure else None
        else:
            errors = progress.history[-1][1] if progress.history else None
    about = {
        "name": config.name,
        **course.about,
        "acknowledgement": config.acknowledgement,
        "started_from": {"name": config.start, "sha256": start.digest()} if start else None,
        "held_out_errors_mm": errors,
        "config": config.model_dump(mode="json"),
    }
    Lifter(model.cpu(), course.layout, config.input_space, course.rate, about=about).save(result)
    if progress is not None:  # else the curves of the finished run are better than none
        draw_curves(output / "curves.png", progress, course.source.epoch)
    return result


def _train(
    config: TrainingConfig | RecordedConfig,
    course: Course,
    output: Path,
    *,
    resume: bool,
    device: str,
    start: Mapping[str, Tensor] | None,
    stage: Stage,
) -> tuple[TemporalModel, Progress | None]:
    """The model and how its training went, None where it was finished before."""

    def measured(model: TemporalModel, step: int) -> dict[str, float]:
        assert course.measure is not None
        errors = course.measure(model)
        say_errors(step, course.source.epoch, f"held-out MPJPE {errors.mpjpe:.1f} mm")
        return rounded(errors)

    with stage("training", course.source.steps) as advance:
        follower = Follower(advance)
        model = train(
            config,
            course.source,
            folder=output,
            resume=resume,
            device=device,
            start=start,
            report=follower,
            measure=measured if course.measure else None,
        )
    return model, follower.latest


def _motion(config: TrainingConfig, data: Path) -> Course:
    bank, held = split(config, data)
    seen = (
        list(
            motion_capture_sequences(
                held, rate=config.rate, cameras=config.cameras, detections=config.detections
            )
        )
        if held is not None
        else []
    )
    minutes = sum(len(s.pose) for s in seen) / config.rate / 60
    return Course(
        SynthesisedBatches(bank, config),
        (lambda model: measure(model, seen, config.input_space)) if seen else None,
        H36M17.name,
        config.rate,
        f"training on {len(bank.points) / bank.rate / 60:.0f} minutes of motion; measuring on {minutes:.0f}",
        {
            "training_data": [motion.path for motion in config.motions],
            "licence": config.licence,
            "held_out_subjects": [subject for motion in config.motions for subject in motion.held_out],
            "measured_with": "three random cameras a clip, simulated detections, flip augmentation",
        },
    )


def _recorded(config: RecordedConfig, data: Path, device: str) -> Course:
    recordings = config.recordings
    train_on, test_on = load_recordings(recordings, data)
    layout = train_on.keypoint_skeleton.name
    frames = [sum(len(r) for r in part.recordings) if part else 0 for part in (train_on, test_on)]

    def errors(model: TemporalModel) -> Errors:
        assert test_on is not None
        settings = {"config": config.model_dump(mode="json")}
        lifter = Lifter(model, layout, config.input_space, train_on.rate, about=settings)
        lift = lift_recorded(lifter, flip=recordings.flip, skeleton=test_on.skeleton)
        seen = recorded_sequences(test_on, lifter)
        return pool([score(lift, sequence, skeleton=test_on.skeleton) for sequence in seen])

    return Course(
        RecordedBatches(train_on, config, device=device),
        errors if test_on else None,
        layout,
        train_on.rate,
        f"training on {frames[0]:,} frames; measuring on {frames[1]:,}",
        {
            "training_data": [f"{recordings.data_set}, {recordings.keypoints} keypoints"],
            "licence": config.licence or find_dataset(recordings).licence,
            "training_subjects": sorted({r.subject for r in train_on.recordings}),
            "held_out_subjects": sorted({r.subject for r in test_on.recordings}) if test_on else [],
            "measured_with": f"every camera, {recordings.keypoints} keypoints, "
            f"{'with' if recordings.flip else 'without'} flip augmentation, mean over frames",
        },
    )
