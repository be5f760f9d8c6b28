from pathlib import Path
from typing import Any

import pytest
import torch

from videopose.errors import InputError
from videopose.lifting.datasets.recordings import RecordingSet
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.training.recorded_batches import RecordedBatches
from videopose.lifting.training.training_state import TrainingState
from videopose.semi.batches import UnlabeledBatch, UnlabeledBatches
from videopose.semi.config import SemiRecordedConfig
from videopose.semi.footage import recorded_footage
from videopose.semi.losses import pose_error
from videopose.semi.networks import PoseAndTrajectory, predict
from videopose.semi.second_view import second_view
from videopose.semi.training import train_semi_supervised, unlabeled_losses

Studio = dict[str, RecordingSet]


def _config(*, semi: Any = {}, model: Any = {}, **schedule: Any) -> SemiRecordedConfig:  # noqa: B006
    return SemiRecordedConfig.model_validate({
        "name": "tiny", "recordings": {"data_set": "studio"}, "input_space": "rays", "seed": 5,
        "model": {"filter_widths": [3], "channels": 32, "dropout": 0.1} | model,
        "schedule": {"batch": 64, "epochs": 4, "measure_every": 100} | schedule,
        "semi": semi,
    })  # fmt: skip


class Run:
    """Everything that training takes, for a configuration."""

    def __init__(self, config: SemiRecordedConfig, studio: Studio, batches: type = UnlabeledBatches) -> None:
        chunk = config.schedule.chunk
        self.config = config
        self.networks = PoseAndTrajectory.untrained(config.model, seed=config.seed, strided=chunk == 1)
        self.labeled = RecordedBatches(studio["a"], config)
        footage = recorded_footage(studio["b"], config.input_space, config.semi)
        self.unlabeled = batches(footage, self.networks.pose, chunk=chunk)

    def train(self, folder: Path, **options: Any) -> PoseAndTrajectory:
        return train_semi_supervised(
            self.config,
            self.networks,
            self.labeled,
            self.unlabeled,
            folder=folder,
            **options,
        )


def _same(a: PoseAndTrajectory, b: PoseAndTrajectory) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


class _InterruptedError(Exception):
    pass


SINGLE_FRAMES: Any = {"model": {"filter_widths": [1, 1]}, "semi": {"view_consistency": 2.0}}


@pytest.mark.parametrize("changes", [{}, SINGLE_FRAMES], ids=["paper", "views"])
def test_an_interrupted_run_ends_in_the_numbers_of_an_uninterrupted_one(
    tmp_path: Path, studio: Studio, changes: Any
) -> None:
    config = _config(checkpoint_every=5, **changes)
    progress: list[TrainingState] = []
    whole = Run(config, studio).train(tmp_path / "whole", report=progress.append)
    assert progress[-1].steps > 12

    def until(now: TrainingState) -> None:
        if now.step == 12:  # two steps after the last checkpoint, in the second epoch
            raise _InterruptedError

    with pytest.raises(_InterruptedError):
        Run(config, studio).train(tmp_path / "parts", report=until)
    again: list[TrainingState] = []
    parts = Run(config, studio).train(tmp_path / "parts", resume=True, report=again.append)
    assert _same(whole, parts)
    assert again[-1].losses == progress[-1].losses


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path, studio: Studio) -> None:
    Run(_config(epochs=1), studio).train(tmp_path)
    with pytest.raises(InputError, match="another configuration"):
        Run(_config(epochs=1, semi={"bones": 0.5}), studio).train(tmp_path, resume=True)


class _Counted(UnlabeledBatches):
    sampled = 0

    def sample(self, at: int, count: int) -> UnlabeledBatch:
        type(self).sampled += 1
        return super().sample(at, count)


@pytest.mark.parametrize(("warmup", "semi"), [(2, {}), (4, {}), (0, {"reprojection": 0, "bones": 0})])
def test_footage_waits_until_the_warm_up_is_over(
    tmp_path: Path, studio: Studio, warmup: int, semi: dict[str, float]
) -> None:
    _Counted.sampled = 0
    run = Run(_config(semi={"warmup": warmup, **semi}), studio, _Counted)
    run.train(tmp_path)
    after = run.labeled.num_steps - warmup * run.labeled.steps_per_epoch
    # (one batch is made ahead of the last step)
    assert _Counted.sampled == (0 if semi else after + 1)


def test_without_footage_the_pose_model_learns_as_from_labels_alone(tmp_path: Path, studio: Studio) -> None:
    """Neither network reads the other's weights."""
    off = {"reprojection": 0, "bones": 0}
    poses = [
        Run(_config(semi={**off, "trajectory": weight}, model={"dropout": 0}), studio).train(tmp_path).pose
        for weight in (0, 1)
    ]
    for a, b in zip(*(p.state_dict().values() for p in poses), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("model", "schedule"),
    [({"causal": True}, {}), ({}, {"chunk": 4}), ({"causal": True}, {"chunk": 4})],
    ids=str,
)
def test_causal_and_chunked(tmp_path: Path, studio: Studio, model: Any, schedule: Any) -> None:
    run = Run(_config(model=model, epochs=1, **schedule, semi={"warmup": 0}), studio)
    before = [p.clone() for p in run.networks.parameters()]
    networks = run.train(tmp_path)
    assert not networks.training
    for old, new in zip(before, networks.parameters(), strict=True):
        assert torch.isfinite(new).all()
        assert not torch.equal(old, new)


def test_poses_of_footage_come_to_lie_on_its_keypoints_and_bones_to_keep_their_length(
    tmp_path: Path, studio: Studio
) -> None:
    errors = {}
    for name, semi in (
        ("labels", {"reprojection": 0, "bones": 0}),
        ("footage", {"bones": 0, "warmup": 2}),
        ("steady", {"bones": 0, "bone_consistency": 3, "warmup": 2}),
    ):
        run = Run(_config(semi=semi, epochs=30, batch=128, decay=0.9), studio)
        networks = run.train(tmp_path / name)
        batch = run.unlabeled.sample(0, len(run.unlabeled))
        with torch.no_grad():
            prediction = predict(networks, batch.keypoints, padding=networks.pose.padding, input_space="rays")
        terms = unlabeled_losses(prediction, batch, prediction.pose, run.unlabeled.footage)
        errors[name] = {term: float(value) for term, value in terms.items()}
    assert errors["footage"]["reprojection"] < 0.7 * errors["labels"]["reprojection"]
    assert errors["steady"]["reprojection"] < 0.7 * errors["labels"]["reprojection"]
    assert errors["steady"]["bone_consistency"] < 0.85 * errors["footage"]["bone_consistency"]


def test_lifters_come_to_give_the_same_pose_from_all_sides(tmp_path: Path, studio: Studio) -> None:
    errors = []
    for weight in (0.0, 1.0):
        semi = {"bones": 0, "warmup": 2, "view_consistency": weight, "view_noise": 0}
        config = _config(semi=semi, model={"filter_widths": [1, 1]}, epochs=30, batch=128, decay=0.9)
        run = Run(config, studio)
        networks = run.train(tmp_path / str(weight))
        batch = run.unlabeled.sample(0, len(run.unlabeled))
        seen = run.unlabeled.footage.seen
        assert seen is not None
        with torch.no_grad():
            prediction = predict(networks, batch.keypoints, padding=networks.pose.padding, input_space="rays")
            view = second_view(prediction, batch.camera, seen, noise=0)
            errors.append(float(pose_error(networks.lift(view.keypoints), view.pose)))
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("changes", [{"semi": {"warmup": 0}}, SINGLE_FRAMES], ids=["paper", "views"])
def test_bfloat16(tmp_path: Path, studio: Studio, changes: Any) -> None:
    config = _config(epochs=2, **changes).model_copy(update={"precision": "bfloat16"})
    assert all(torch.isfinite(p).all() for p in Run(config, studio).train(tmp_path).parameters())


def test_it_is_measured_in_evaluation_mode(tmp_path: Path, studio: Studio) -> None:
    run = Run(_config(measure_every=2), studio)
    seen: list[tuple[int, bool]] = []
    progress: list[TrainingState] = []

    def measure(networks: PoseAndTrajectory, step: int) -> dict[str, float]:
        seen.append((step, networks.training or networks.pose.training))
        return {"error": float(step)}

    run.train(tmp_path, measure=measure, report=progress.append)
    epoch = run.labeled.steps_per_epoch
    assert seen == [(2 * epoch, False), (4 * epoch, False)]
    assert progress[-1].history == [(step, {"error": float(step)}) for step, _ in seen]


def test_networks_of_a_lifter(studio: Studio) -> None:
    config = _config()
    fresh = PoseAndTrajectory.untrained(config.model, seed=0, strided=True).eval()
    keypoints = RecordedBatches(studio["a"], config).sample(0).keypoints
    lone = Lifter(fresh.pose, "h36m17", "rays", 50)
    both = Lifter(fresh.pose, "h36m17", "rays", 50, fresh.trajectory)
    torch.testing.assert_close(
        PoseAndTrajectory.from_lifter(both, seed=1, strided=True)(keypoints), fresh(keypoints)
    )
    new = PoseAndTrajectory.from_lifter(lone, seed=1, strided=True)
    assert torch.equal(new(keypoints)[0], fresh(keypoints)[0])
    assert new(keypoints)[1].shape == (len(keypoints), 1, 1, 3)
    assert torch.equal(new.trajectory.expand_conv.weight, fresh.pose.expand_conv.weight)
    with torch.no_grad():
        new.trajectory.expand_conv.weight.zero_()
    assert fresh.pose.expand_conv.weight.any()
    assert new.pose.expand_conv.weight.any()
    Lifter(new.pose, "h36m17", "rays", 50, new.trajectory)  # they belong together
