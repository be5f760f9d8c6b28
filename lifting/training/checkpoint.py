"""A training run's state on disk, from which it goes on as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import InputError
from ...files import replacing
from ..network.temporal_model import TemporalModel
from .config import RecordedConfig, TrainingConfig
from .distributed import gather, place


@dataclass
class Progress:
    """How far a run has come: `step` of `steps`.

    losses: the mean training MPJPE, metres, of every `every` steps (an epoch, where there are epochs).
    running: that of each step since. history: (step, errors by name, millimetres) whenever it was measured.
    """

    steps: int
    every: int
    step: int = 0
    losses: list[float] = field(default_factory=list)
    running: list[float] = field(default_factory=list)
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)


def save(
    path: Path,
    config: TrainingConfig | RecordedConfig,
    model: TemporalModel,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    device: str,
) -> None:
    """Write the state; of several processes all must call it, and the first writes. Raises `OutputError`."""
    random = gather((torch.get_rng_state(), torch.cuda.get_rng_state(device) if _on_gpu(device) else None))
    if place()[0] != 0:
        return
    state = {
        "config": _fingerprint(config),
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": progress.step,
        "losses": progress.losses,
        "running": progress.running,
        "history": progress.history,
        "random": random,
    }
    with replacing(path) as partial:
        torch.save(state, partial)


def restore(
    path: Path,
    config: TrainingConfig | RecordedConfig,
    model: TemporalModel,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    device: str,
) -> None:
    """Read what `save` wrote into model, optimiser, progress and the random generators.

    Raises `InputError` for a missing, damaged or foreign file, or one of another configuration.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        fingerprint = state["config"]
    except FileNotFoundError as error:
        raise InputError(f"nothing to resume: {path} does not exist") from error
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise InputError(f"{path} is not a checkpoint of videopose ({type(error).__name__})") from error
    if fingerprint != _fingerprint(config):
        raise InputError(f"{path} belongs to another configuration; start afresh or give the same one")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    progress.step = state["step"]
    progress.losses = state["losses"]
    progress.running = state["running"]
    progress.history = state.get("history", [])
    random = state["random"]
    if isinstance(random, Tensor):  # as one process wrote it before there were several
        random = [(random, next(iter(state["cuda_random"]), None))]
    rank = place()[0]
    if rank < len(random):  # else more processes than before: this one goes on from its seed
        cpu, cuda = random[rank]
        torch.set_rng_state(cpu)
        if cuda is not None and _on_gpu(device):
            torch.cuda.set_rng_state(cuda, device)


def _on_gpu(device: str) -> bool:
    return torch.device(device).type == "cuda"


def _fingerprint(config: TrainingConfig | RecordedConfig) -> str:
    """Changes with anything that would make a resumed run differ; how often to save or measure does not."""
    values = config.model_dump(mode="json")
    for name in ("checkpoint_every", "measure_every"):
        del values["schedule"][name]
    if not values["model"]["dense"]:  # as before models could be
        del values["model"]["dense"]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
