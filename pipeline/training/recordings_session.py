"""Training a lifter on recordings of calibrated cameras, such as Human3.6M's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...lifting.datasets.recordings import RecordingSet
from ...lifting.evaluation.recorded_sequences import lift_recorded, recorded_sequences
from ...lifting.evaluation.scores import Errors, pool, score
from ...lifting.inference.lifter import Lifter
from ...lifting.network.temporal_model import TemporalModel
from ...lifting.training.config import RecordedConfig
from ...lifting.training.recorded_batches import RecordedBatches
from ...lifting.training.recorded_data import find_dataset, load_recordings
from .lifter_session import LifterSession


def recordings_session(config: RecordedConfig, data: Path, device: str) -> LifterSession:
    """Read the dataset in folder `data`; its frames are kept on `device`."""
    train_on, test_on = load_recordings(config.recordings, data)
    frames = [sum(len(r) for r in part.recordings) if part else 0 for part in (train_on, test_on)]
    return LifterSession(
        source=RecordedBatches(train_on, config, device=device),
        measure=error_on(test_on, config) if test_on else None,
        layout=train_on.keypoint_skeleton.name,
        rate=train_on.rate,
        plan=f"training on {frames[0]:,} frames; measuring on {frames[1]:,}",
        about=about_recordings(config, train_on, test_on),
    )


def error_on(test_on: RecordingSet, config: RecordedConfig) -> Callable[[TemporalModel], Errors]:
    """Return a function that measures a model on every frame of every recording."""
    settings = {"config": config.model_dump(mode="json")}
    layout = test_on.keypoint_skeleton.name

    def measure(model: TemporalModel) -> Errors:
        lifter = Lifter(model, layout, config.input_space, test_on.rate, about=settings)
        lift = lift_recorded(lifter, flip=config.recordings.flip, skeleton=test_on.skeleton)
        tests = recorded_sequences(test_on, lifter)
        return pool([score(lift, sequence, skeleton=test_on.skeleton) for sequence in tests])

    return measure


def about_recordings(
    config: RecordedConfig, train_on: RecordingSet, test_on: RecordingSet | None
) -> dict[str, object]:
    """Return metadata for the lifter's file about the recordings that it was trained and measured on."""
    recordings = config.recordings
    return {
        "training_data": [f"{recordings.data_set}, {recordings.keypoints} keypoints"],
        "licence": config.licence or find_dataset(recordings).licence,
        "training_subjects": sorted({r.subject for r in train_on.recordings}),
        "held_out_subjects": sorted({r.subject for r in test_on.recordings}) if test_on else [],
        "measured_with": f"every camera, {recordings.keypoints} keypoints, "
        f"{'with' if recordings.flip else 'without'} flip augmentation, mean over frames",
    }
