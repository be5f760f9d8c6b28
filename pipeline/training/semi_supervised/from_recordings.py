"""The paper's experiments: some people of a data set with labels, the keypoints of others as footage."""

from __future__ import annotations

from pathlib import Path

from ....errors import UsageError
from ....lifting.evaluation.recorded_sequences import lift_recorded, recorded_sequences
from ....lifting.evaluation.scores import pool, score
from ....lifting.inference.lifter import Lifter
from ....lifting.training.distributed import joined, place
from ....lifting.training.recorded_batches import RecordedBatches
from ....lifting.training.recorded_data import find_dataset, load_recordings
from ....semi.batches import UnlabelledBatches
from ....semi.config import SemiRecordedConfig
from ....semi.footage import studio_footage
from ....semi.networks import Networks
from ...progress import Stage, say
from ..report import draw_curves, rounded
from .session import Course


def learn_from_studio(
    config: SemiRecordedConfig, folder: Path, output: Path, *, resume: bool, device: str, stage: Stage
) -> Path | None:
    """Train on the data set in `folder`, measure, and write a lifter and its curves to `output`.

    Of several processes that `torchrun` started only the first prints, writes and returns a path.
    """
    with joined(device) as device:
        course, about = _course(config, folder, device)
        networks, progress = course.run(output, resume=resume, device=device, stage=stage)
        if place()[0] > 0:
            return None
    errors = progress.history[-1][1] if progress and progress.history else None
    if errors is None and course.measure is not None:
        errors = course.measure(networks)
    result = output / "lifter.safetensors"
    course.lifter(networks.cpu(), {**about, "held_out_errors_mm": errors}).save(result)
    if progress is not None:  # else the curves of the finished run are better than none
        draw_curves(output / "curves.png", progress, course.labelled.epoch)
    return result


def _course(config: SemiRecordedConfig, folder: Path, device: str) -> tuple[Course, dict[str, object]]:
    """What to learn from, and what the lifter's file says of it."""
    recordings, semi = config.recordings, config.semi
    train_on, test_on = load_recordings(recordings, folder)
    labelled = sorted({r.subject for r in train_on.recordings})
    measured = sorted({r.subject for r in test_on.recordings}) if test_on else []
    if not semi.subjects:
        raise UsageError("semi.subjects: say whose keypoints stand for unlabelled footage")
    if both := sorted({*semi.subjects} & {*labelled, *measured}):
        raise UsageError(f"semi.subjects: {', '.join(both)} cannot be both unlabelled and labelled")
    without = {"train_subjects": semi.subjects, "test_subjects": (), "subset": 1.0}
    footage = studio_footage(
        load_recordings(recordings.model_copy(update=without), folder)[0], config.input_space, semi
    )
    joints = len(train_on.keypoint_skeleton), len(train_on.skeleton)
    strided = config.schedule.chunk == 1 and not config.model.dense
    networks = Networks.fresh(config.model, joints, seed=config.seed, strided=strided)
    layout = train_on.keypoint_skeleton.name
    frames = sum(len(r) for r in train_on.recordings)
    if place()[0] == 0:
        say(f"learning from {frames:,} labelled and {footage.frames:,} unlabelled frames")

    def errors(networks: Networks) -> dict[str, float]:
        assert test_on is not None
        settings = {"config": config.model_dump(mode="json")}
        lifter = Lifter(networks.pose, layout, config.input_space, train_on.rate, about=settings)
        lift = lift_recorded(lifter, flip=recordings.flip, skeleton=test_on.skeleton)
        seen = recorded_sequences(test_on, lifter)
        return rounded(pool([score(lift, sequence, skeleton=test_on.skeleton) for sequence in seen]))

    course = Course(
        config,
        networks,
        RecordedBatches(train_on, config, device=device),
        UnlabelledBatches(
            footage,
            networks.pose,
            chunk=config.schedule.chunk,
            flip=recordings.flip,
            seed=config.seed + 1,
        ),
        train_on.skeleton.bones,
        errors if test_on else None,
        layout,
        train_on.rate,
    )
    about: dict[str, object] = {
        "name": config.name,
        "training_data": [f"{recordings.data_set}, {recordings.keypoints} keypoints"],
        "licence": config.licence or find_dataset(recordings).licence,
        "training_subjects": labelled,
        "unlabelled_subjects": list(semi.subjects),
        "held_out_subjects": measured,
        "measured_with": f"every camera, {recordings.keypoints} keypoints, "
        f"{'with' if recordings.flip else 'without'} flip augmentation, mean over frames",
        "acknowledgement": config.acknowledgement,
        "config": config.model_dump(mode="json"),
    }
    return course, about
