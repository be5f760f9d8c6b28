"""The training loop of every network that is trained here.

Callers provide the network, a function that computes the loss of a batch, an optimiser and a schedule.
The trainer runs the steps, measures, saves checkpoints and goes on from them. Mask R-CNN alone is trained by
detectron2's own loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel

from .checkpoint import Checkpoint, Stateful
from .distributed import rank_and_world_size, wrap_ddp
from .schedule import Rates
from .training_state import TrainingState

Network = TypeVar("Network", bound=nn.Module)
Minibatch = TypeVar("Minibatch")
Precision = Literal["float32", "bfloat16"]


class StepLoss(NamedTuple):
    """What one training step computes.

    Attributes:
        total: The scalar that the step makes smaller.
        shown: The scalar that the training curve shows.
    """

    total: Tensor
    shown: Tensor


@dataclass(frozen=True)
class Intervals:
    """Steps between two checkpoints, and between two measurements; both also follow the last step."""

    checkpoint: int
    measure: int


def train(
    network: Network,
    compute_loss: Callable[[nn.Module, Minibatch], StepLoss],
    batches: Callable[[int], Generator[Minibatch, None, None]],
    optimiser: torch.optim.Optimizer,
    rates: Callable[[int], Rates],
    state: TrainingState,
    *,
    checkpoint: Checkpoint | None,
    intervals: Intervals,
    resume: bool = False,
    device: str = "cpu",
    precision: Precision = "float32",
    average: AveragedModel | None = None,
    report: Callable[[TrainingState], None] = lambda state: None,
    measure: Callable[[Network, int], Mapping[str, float]] | None = None,
) -> Network:
    """Train a network and return it, or the average of its weights, in evaluation mode.

    A resumed run ends in the numbers of an uninterrupted one, if batches depend on their step alone. Several
    processes (`distributed.process_group`) must all call this. Each gets its own batches, gradients are
    averaged over the processes, and only the first one measures and writes.

    Args:
        network: On `device`.
        compute_loss: Calls the network that it is given on a batch. With bfloat16 it runs under autocast.
        batches: Step → the batches of this step and all later ones, on `device`. It is a generator and is
            closed at the end.
        optimiser: Of the network's parameters. A group's `share`, if it has one, scales the learning rate.
        rates: Step → learning rate and batch-norm momentum.
        state: At step 0. It is kept up to date while the run goes on.
        checkpoint: Where the run is saved; None saves nothing.
        intervals: How often the run is saved and measured.
        resume: Whether to go on from the checkpoint.
        device: "cpu", "cuda", …
        precision: Number type of the forward pass. The weights are float32.
        average: A running average of the network's weights. It is updated after every step, measured, and
            returned, instead of the network. None for no average.
        report: Called after every step, in every process.
        measure: The network in evaluation mode and the step → errors by name, for `TrainingState.history`.

    Raises:
        InputError: There is no fitting checkpoint to resume.
        UsageError: The loss becomes infinite or not a number.
    """
    rank, _ = rank_and_world_size()
    called = wrap_ddp(network, device)
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    result = network if average is None else cast(Network, average.module)
    parts: dict[str, Stateful] = {"network": network, "optimiser": optimiser, "state": state}
    if average is not None:
        parts["average"] = average
    if resume:
        assert checkpoint is not None
        checkpoint.restore(parts, device)

    autocast = torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16")
    losses: list[Tensor] = []  # of the last steps; reading them would wait for the GPU in every step
    network.train()
    with closing(batches(state.step)) as stream:
        while state.step < state.steps:
            learning_rate, momentum = rates(state.step)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * group.get("share", 1.0)
            for norm in norms:
                norm.momentum = momentum
            batch = next(stream)
            with autocast:
                loss = compute_loss(called, batch)
            optimiser.zero_grad(set_to_none=True)
            loss.total.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if average is not None:
                average.update_parameters(network)

            state.step += 1
            state.learning_rate = learning_rate
            losses.append(loss.shown.detach())
            last = state.step == state.steps
            saving = checkpoint is not None and (last or state.step % intervals.checkpoint == 0)
            measuring = measure is not None and (last or state.step % intervals.measure == 0)
            if saving or measuring or state.step % state.loss_every == 0:
                state.add_losses(torch.stack(losses).tolist())
                losses.clear()
            if measure is not None and measuring and rank == 0:
                result.eval()
                state.add_measurement(measure(result, state.step))
                network.train()
            if checkpoint is not None and saving:
                checkpoint.save(parts, device)
            report(state)
    return result.eval()
