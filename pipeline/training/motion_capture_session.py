"""Training a lifter on motion capture that is seen through random cameras."""

from __future__ import annotations

from pathlib import Path

from ...lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from ...lifting.evaluation.scores import measure
from ...lifting.training.config import TrainingConfig
from ...lifting.training.synthetic_batches import SynthesisedBatches, split
from ...skeleton import H36M17
from .lifter_session import LifterSession


def motion_capture_session(config: TrainingConfig, data: Path, device: str) -> LifterSession:
    """Read the motion-capture tables in folder `data`."""
    bank, held_out = split(config, data)
    tests = (
        list(
            motion_capture_sequences(
                held_out, rate=config.rate, cameras=config.cameras, detections=config.detections
            )
        )
        if held_out is not None
        else []
    )
    minutes = sum(len(sequence.pose) for sequence in tests) / config.rate / 60
    return LifterSession(
        # On a GPU batches are made there, too.
        source=SynthesisedBatches(bank.to(device), config),
        measure=(lambda model: measure(model, tests, config.input_space)) if tests else None,
        layout=H36M17.name,
        rate=config.rate,
        plan=f"training on {len(bank.points) / bank.rate / 60:.0f} minutes of motion; "
        f"measuring on {minutes:.0f}",
        about={
            "training_data": [motion.path for motion in config.motions],
            "licence": config.licence,
            "held_out_subjects": [subject for motion in config.motions for subject in motion.held_out],
            "measured_with": "three random cameras a clip, simulated detections, flip augmentation",
        },
    )
