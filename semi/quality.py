"""Measure how consistent lifted footage is, without true poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..lifting.inference.lifter import Lifter
from ..skeleton import H36M17
from .poses_to_motion import bone_lengths
from .spans import Span

_TRUSTED = 0.3  # least score of a keypoint that poses are compared with


@dataclass(frozen=True)
class Quality:
    """Measures of consistency, as means over frames.

    Attributes:
        reprojection: Distance of projected limbs and hip from their detected keypoints, pixels.
        reprojection_rays: The same distance in thousandths of the focal length.
        bones: Standard deviation of a bone's length within a track, percent.
        sides: Difference between the mean lengths of left and right bones, percent.
        jitter: Acceleration of the joints relative to the root, m/s².
        placed: Share of the frames whose root is known.
        frames: Number of frames.
    """

    reprojection: float
    reprojection_rays: float
    bones: float
    sides: float
    jitter: float
    placed: float
    frames: int


def assess(spans: Sequence[Span], lifter: Lifter) -> Quality:
    """Lift spans, as `infer` does, and measure the result.

    Raises:
        ValueError: There are no spans.
    """
    if not spans:
        raise ValueError("expected one span or more, found none")
    found: dict[str, list[NDArray[np.float64]]] = {f.name: [] for f in fields(Quality) if f.name != "frames"}

    def add(name: str, values: NDArray[np.generic]) -> None:
        found[name].append(np.asarray(values, np.float64))

    for span in spans:
        pose, root = span.lifted(lifter)
        placed = np.asarray(np.isfinite(root).all(1))
        distance, scores = span.reprojected(pose, root)
        trusted = (scores > _TRUSTED) & placed[:, None]
        add("reprojection", span.camera.fx * distance[trusted])
        add("reprojection_rays", 1000 * distance[trusted])
        variation, asymmetry = bone_variation(pose)
        add("bones", np.full(len(pose), variation))
        add("sides", np.full(len(pose), asymmetry))
        add("jitter", accelerations(pose, span.times))
        add("placed", placed)
    return Quality(**{k: _mean(v) for k, v in found.items()}, frames=sum(len(span) for span in spans))


def bone_variation(pose: NDArray[np.float32]) -> tuple[float, float]:
    """Return how much bone lengths of poses (T, 17, 3) vary over time, and between the sides, percent."""
    lengths = bone_lengths(pose)
    mean = lengths.mean(0)
    left, right = (mean[[j - 1 for j in side]] for side in (H36M17.left, H36M17.right))
    spread = lengths.std(0) / mean
    return 100 * float(spread.mean()), 100 * float((np.abs(left - right) / (left + right) * 2).mean())


def accelerations(pose: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean acceleration of the joints of evenly timed frames: (T, 17, 3) → (T − 2,), m/s²."""
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    found: NDArray[np.float64] = np.linalg.norm(np.diff(pose, 2, axis=0), axis=-1).mean(1) / step**2
    return found


def _mean(values: Sequence[NDArray[np.float64]]) -> float:
    together = np.concatenate(values)
    return float(together.mean()) if len(together) else float("nan")
