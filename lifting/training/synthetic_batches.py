"""Training batches from motion capture: which clips train, which are held out, and batches of the former."""

from __future__ import annotations

from pathlib import Path

import torch

from ...errors import UsageError
from ..datasets.motion_capture import MotionCapture
from ..simulation.motion_bank import MotionBank
from ..simulation.rare_postures import make_scarce_motion
from .config import MotionFile, TrainingConfig
from .synthesis import Batch, synthesise


class SynthesisedBatches:
    """A `training.BatchSource` of motion capture through virtual cameras: endless, without epochs.

    Each process of several synthesises its share of a batch by itself.
    """

    joints = (17, 17)
    epoch = None

    def __init__(self, bank: MotionBank, config: TrainingConfig) -> None:
        self.bank = bank
        self.config = config
        self.steps = config.schedule.steps

    def draw(self, step: int, *, rank: int = 0, world: int = 1) -> Batch:
        """A batch as of `synthesise`, or a process's share of it."""
        batch = self.config.schedule.batch
        count = batch * (rank + 1) // world - batch * rank // world
        # (The generator looks at the lower 32 bits only.)
        seed = self.config.seed * 1_000_003 + step + rank * 2_654_435_761
        return synthesise(self.bank, self.config, count, torch.Generator().manual_seed(seed))


def split(config: TrainingConfig, folder: Path) -> tuple[MotionBank, MotionCapture | None]:
    """Read the configured motion: what to train on, and the held-out people (None if there are none)."""
    train: list[tuple[MotionCapture, float]] = []
    held: list[MotionCapture] = []
    for motion in config.motions:
        table = MotionCapture.load(folder / motion.path)
        known = {*table.subjects, *(f"{s}/{a}" for s, a in zip(table.subjects, table.actions, strict=True))}
        if unknown := sorted(({*motion.held_out} - {*table.subjects}) | ({*motion.exclude} - known)):
            raise UsageError(f"{motion.path} has nobody called {', '.join(unknown)}")
        keep = [i for i in range(len(table)) if _role(table, i, motion) == "train"]
        if not keep:
            raise UsageError(f"{motion.path}: every clip is held out or excluded")
        train.append((table.select(keep), motion.weight))
        test = [i for i in range(len(table)) if _role(table, i, motion) == "held out"]
        if test:
            held.append(table.select(test))
    if config.scarce.minutes:
        made = make_scarce_motion(train[0][0], minutes=config.scarce.minutes, seed=config.seed)
        train.append((made, config.scarce.weight))
    if len(held) > 1:
        raise UsageError("people can be held out of one motion file only")
    return MotionBank.build(train), held[0] if held else None


def _role(table: MotionCapture, clip: int, motion: MotionFile) -> str:
    subject, action = table.subjects[clip], table.actions[clip]
    if subject in motion.held_out:
        return "held out"
    return "excluded" if {subject, f"{subject}/{action}"} & set(motion.exclude) else "train"
