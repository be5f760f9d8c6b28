"""Cost of recombined motion, near cameras and hidden keypoints: of a batch, and of a training step with it.

    python benchmarks/synthesis_speed.py --data FOLDER [--rounds N] [--batch N]

FOLDER holds cmu_h36m17_50hz.npz. Batches of configs/lifting/default-on-cpu.yaml and of the same without these
take turns on one thread. Printed are the median and the quartiles over the rounds: milliseconds a sample by
the clock and, in brackets, of processor time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import count
from pathlib import Path

import torch
from turns import show, take_turns

from videopose.lifting.cameras.input_space import num_features
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.motion_bank import MotionBank
from videopose.lifting.training.config import TrainingConfig, load_config
from videopose.lifting.training.synthetic_batches import SynthesisedBatches

CONFIGS = Path(__file__).parents[1] / "configs" / "lifting"
CLIPS = 300
WITHOUT = {
    "input_space": "centred",
    "recombination.share": 0.0,
    "cameras.near": 0.0,
    "cameras.rolled": 0.0,
    "picture.cut": 0.0,
    "picture.framed": 0.0,
    "picture.limbs": 0.0,
}
"""Settings of plain motion that is seen from a distance."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(1)
    motion = MotionCapture.load(options.data / "cmu_h36m17_50hz.npz")
    bank = MotionBank.build([(motion.select(range(min(CLIPS, len(motion)))), 1.0)])
    sources = {}
    for name, without in (("all", {}), ("plain", WITHOUT)):
        config = load_config(CONFIGS / "default-on-cpu.yaml", {"schedule.batch": options.batch} | without)
        assert isinstance(config, TrainingConfig)
        sources[name] = SynthesisedBatches(bank, config)
    batches = {name: _batches(source) for name, source in sources.items()}
    times = take_turns(batches, options.rounds, per=options.batch)
    show("batch", times, "ms a sample", against="plain")
    steps = {name: _step(source) for name, source in sources.items()}
    times = take_turns(steps, options.rounds, per=options.batch)
    show("batch and step", times, "ms a sample", against="plain")


def _batches(source: SynthesisedBatches) -> Callable[[], object]:
    numbers = count()
    return lambda: source.sample(next(numbers))


def _step(source: SynthesisedBatches) -> Callable[[], object]:
    """A batch, forward, backward, Amsgrad, as `train_lifter` does it."""
    config = source.config
    model = TemporalModel(**config.model.model_dump(), in_features=num_features(config.input_space)).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, amsgrad=True, fused=True)
    numbers = count()

    def step() -> None:
        batch = source.sample(next(numbers))
        with torch.autocast("cpu", torch.bfloat16):
            found = model.forward_strided(batch.keypoints)
        loss = (found.float()[:, 0] - batch.pose).norm(dim=-1).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    main()
