"""Semi-supervised training (paper, §4): one half of every batch is labeled, the other half is footage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from ..lifting.training.batch import Batch, BatchSource, prefetched
from ..lifting.training.checkpoint import Checkpoint
from ..lifting.training.distributed import rank_and_world_size
from ..lifting.training.lifter_training import LOSS_EVERY, config_fingerprint, intervals
from ..lifting.training.trainer import StepLoss, train
from ..lifting.training.training_state import TrainingState
from .batches import MixedBatch, MixedBatches, UnlabeledBatch, UnlabeledBatches
from .config import AnySemiConfig, SemiRecordedLosses
from .footage import Footage
from .losses import LABELED_LOSSES, UNLABELED_LOSSES, LabeledHalf, UnlabeledHalf, pose_error
from .networks import PoseAndTrajectory, Prediction, predict
from .second_view import second_view


def train_semi_supervised(
    config: AnySemiConfig,
    networks: PoseAndTrajectory,
    labeled: BatchSource,
    unlabeled: UnlabeledBatches | None,
    *,
    folder: Path,
    resume: bool = False,
    device: str = "cpu",
    report: Callable[[TrainingState], None] = lambda state: None,
    measure: Callable[[PoseAndTrajectory, int], Mapping[str, float]] | None = None,
) -> PoseAndTrajectory:
    """Train both networks and return them in evaluation mode.

    Several processes share each batch; see `lifting.training.trainer.train`.

    Args:
        config: Losses, schedule, seed and precision.
        networks: The networks to train.
        labeled: Batches with poses and roots, in the input space that `config` names.
        unlabeled: Footage. After the warm-up, each step uses equally many labeled and unlabeled samples. None
            trains on labeled data alone.
        folder: The folder of `checkpoint.pt`.
        resume: Whether to continue from the checkpoint. The result is that of an uninterrupted run.
        device: "cpu", "cuda", …
        report: Called after every step.
        measure: Networks in evaluation mode and step → errors by name, for `TrainingState.history`.

    Raises:
        InputError: There is no fitting checkpoint to resume.
        UsageError: The loss becomes infinite or not a number.
    """
    semi, epoch = config.semi, labeled.steps_per_epoch
    torch.manual_seed(config.seed + rank_and_world_size()[0])
    networks.to(device)
    used = unlabeled if semi.uses_unlabeled else None
    batches = MixedBatches(labeled, used, warmup=semi.warmup * (epoch or 1))
    shares = {networks.pose: semi.pose_rate, networks.trajectory: 1.0}
    groups = [{"params": [*network.parameters()], "share": share} for network, share in shares.items()]

    def compute_loss(called: nn.Module, batch: MixedBatch) -> StepLoss:
        prediction = predict(
            called, batch.keypoints, padding=networks.pose.padding, input_space=config.input_space
        )
        half = len(batch.labeled.keypoints)
        losses = labeled_losses(prediction[:half], batch.labeled)
        if batch.unlabeled is not None and used is not None:
            labeled_pose = prediction.pose[:half]
            losses |= unlabeled_losses(prediction[half:], batch.unlabeled, labeled_pose, used.footage)
            if isinstance(semi, SemiRecordedLosses) and semi.view_consistency > 0:
                assert used.footage.seen is not None
                view = second_view(
                    prediction[half:], batch.unlabeled.camera, used.footage.seen, noise=semi.view_noise
                )
                losses["view_consistency"] = pose_error(networks.lift(view.keypoints).float(), view.pose)
        total = torch.stack([semi.weight(name) * value for name, value in losses.items()]).sum()
        return StepLoss(total, losses["pose"])

    train(
        networks,
        compute_loss,
        partial(prefetched, batches.sample, device=device),
        torch.optim.Adam(groups, lr=config.schedule.learning_rate, amsgrad=True, fused=True),
        lambda step: config.schedule.at(step, labeled.num_steps),
        TrainingState(labeled.num_steps, epoch or LOSS_EVERY),
        checkpoint=Checkpoint(folder / "checkpoint.pt", config_fingerprint(config)),
        intervals=intervals(config, labeled),
        resume=resume,
        device=device,
        precision=config.precision,
        report=report,
        measure=measure,
    )
    return networks


def labeled_losses(prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
    """Return every loss of labeled samples, by name."""
    true_root = prediction.from_camera_space(batch.root.reshape(prediction.root.shape))
    half = LabeledHalf(
        pose=prediction.pose,
        true_pose=batch.pose.reshape(prediction.pose.shape),
        root=prediction.root[:, :, 0],
        true_root=true_root[:, :, 0],
    )
    return {name: loss.compute(half) for name, loss in LABELED_LOSSES.items()}


def unlabeled_losses(
    prediction: Prediction, batch: UnlabeledBatch, labeled_pose: Tensor, footage: Footage
) -> dict[str, Tensor]:
    """Return every loss of unlabeled samples, by name.

    Args:
        prediction: The prediction of the networks for the batch.
        batch: Samples of `footage`.
        labeled_pose: (M, chunk, J, 3) poses predicted for the labeled samples.
        footage: The footage that `batch` was sampled from.
    """
    half = UnlabeledHalf(
        pose=prediction.pose,
        placed=prediction.in_camera_space()[:, :, list(footage.joints)],
        labeled_pose=labeled_pose,
        keypoints=batch.target,
        weight=batch.weight,
        camera=batch.camera,
        person=batch.person,
        bones=footage.bones,
    )
    return {name: loss.compute(half) for name, loss in UNLABELED_LOSSES.items()}
