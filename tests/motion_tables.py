"""Motion-capture tables of people who walk, for tests to write and train on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from standing import STILL

Clips = list[tuple[str, str, NDArray[np.float64]]]
"""Person, action, and (T, 19, 3) joints in metres at 50 frames a second."""


def _walk(frames: int, pace: float) -> NDArray[np.float64]:
    """(T, 19, 3): limbs swing, the person moves along x."""
    phase = np.arange(frames)[:, None] / 50 * pace
    swing = np.zeros((frames, 19))
    for joint, size in ((2, 0.15), (3, 0.35), (5, -0.15), (6, -0.35), (12, 0.1), (13, 0.3), (15, -0.1),
                        (16, -0.3)):  # fmt: skip
        swing[:, joint] = size
    positions = np.broadcast_to(STILL, (frames, 19, 3)).copy()
    positions[..., 0] += swing * np.sin(2 * np.pi * phase) + phase
    return positions


def walking_clips() -> Clips:
    people = [("01", "walk"), ("01", "jump"), ("02", "walk"), ("03", "walk"), ("?", "walk"), ("?", "jump")]
    return [(subject, action, _walk(60 + 10 * i, 1 + i / 5)) for i, (subject, action) in enumerate(people)]


def write_table(path: Path, clips: Clips) -> None:
    deltas = [np.diff(np.round(c * 1000), axis=0, prepend=0).reshape(-1, 57).T for _, _, c in clips]
    np.savez_compressed(
        path,
        delta=np.concatenate(deltas, 1).astype(np.int16),
        length=np.array([len(c) for _, _, c in clips]),
        fps=50.0,
        name=np.array([f"{s}_{a}" for s, a, _ in clips]),
        subject=np.array([s for s, _, _ in clips]),
        action=np.array([a for _, a, _ in clips]),
        source=np.array(["made"] * len(clips)),
    )
