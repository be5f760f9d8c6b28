"""Run the paper's experiments: some people of a dataset are labeled, the keypoints of others are footage."""

from __future__ import annotations

from pathlib import Path

from ....errors import UsageError
from ....lifting.training.distributed import process_group, rank_and_world_size
from ....lifting.training.lifter_training import has_strided_form
from ....lifting.training.recorded_batches import RecordedBatches
from ....lifting.training.recorded_data import load_recordings
from ....semi.batches import UnlabeledBatches
from ....semi.config import SemiRecordedConfig
from ....semi.footage import recorded_footage
from ....semi.networks import PoseAndTrajectory
from ...progress import Progress, no_progress, say
from ..output_folder import LIFTER
from ..recordings_session import about_recordings, error_on
from ..report import plot_curves, rounded
from .session import SemiSession


def train_on_recordings(
    config: SemiRecordedConfig, folder: Path, output: Path, *, resume: bool, device: str, progress: Progress
) -> Path | None:
    """Train on the dataset in `folder`, measure, and write a lifter and its curves to `output`.

    Of several processes that `torchrun` started, only the first one prints, writes and returns a path.
    """
    with process_group(device) as device:
        first = rank_and_world_size()[0] == 0
        session, about = _session(config, folder, device)
        networks, state = session.train(
            output, resume=resume, device=device, progress=progress if first else no_progress
        )
        if not first:
            return None
    errors = state.history[-1][1] if state and state.history else None
    if errors is None and session.measure is not None:
        errors = session.measure(networks)
    result = output / LIFTER
    session.lifter(networks.cpu(), {**about, "held_out_errors_mm": errors}).save(result)
    if state is not None:  # otherwise the curves of the finished run are kept
        plot_curves(output / "curves.png", state, session.labeled.steps_per_epoch)
    return result


def _session(config: SemiRecordedConfig, folder: Path, device: str) -> tuple[SemiSession, dict[str, object]]:
    """Return the session, and metadata about its data for the lifter's file."""
    recordings, semi = config.recordings, config.semi
    train_on, test_on = load_recordings(recordings, folder)
    about = about_recordings(config, train_on, test_on)
    with_labels = {r.subject for part in (train_on, test_on) if part for r in part.recordings}
    if not semi.subjects:
        raise UsageError("semi.subjects: say whose keypoints are used as unlabeled footage")
    if both := sorted({*semi.subjects} & with_labels):
        raise UsageError(f"semi.subjects: {', '.join(both)} cannot be both unlabeled and labeled")
    without_labels = {"train_subjects": semi.subjects, "test_subjects": (), "subset": 1.0}
    unlabeled, _ = load_recordings(recordings.model_copy(update=without_labels), folder)
    footage = recorded_footage(unlabeled, config.input_space, semi)
    networks = PoseAndTrajectory.untrained(
        config.model,
        num_joints_in=len(train_on.keypoint_skeleton),
        num_joints_out=len(train_on.skeleton),
        seed=config.seed,
        strided=has_strided_form(config),
    )
    frames = sum(len(r) for r in train_on.recordings)
    if rank_and_world_size()[0] == 0:
        say(f"learning from {frames:,} labeled and {footage.frames:,} unlabeled frames")
        if (share := semi.share_of_weight(frames)) < 1:
            say(
                f"losses of unlabeled frames have {100 * share:.0f} % of their weights: there are more than "
                f"semi.full_weight_frames={semi.full_weight_frames:,} labeled frames"
            )
    error = error_on(test_on, config) if test_on else None
    session = SemiSession(
        config=config.for_labeled_frames(frames),
        networks=networks,
        labeled=RecordedBatches(train_on, config, device=device),
        unlabeled=UnlabeledBatches(
            footage,
            networks.pose,
            chunk=config.schedule.chunk,
            flip=recordings.flip,
            seed=config.seed + 1,
        ),
        measure=(lambda networks: rounded(error(networks.pose))) if error else None,
        layout=train_on.keypoint_skeleton.name,
        rate=train_on.rate,
    )
    about |= {
        "name": config.name,
        "unlabeled_subjects": list(semi.subjects),
        "acknowledgement": config.acknowledgement,
        "config": config.model_dump(mode="json"),
    }
    return session, about
