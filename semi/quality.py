"""How well lifted footage holds together, where nobody knows the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..lifting.inference.lifter import Lifter
from ..skeleton import H36M17
from .spans import Span

_TRUSTED = 0.3  # score of a keypoint that is measured against


@dataclass(frozen=True)
class Quality:
    """Means over frames.

    reprojection: pixels between limbs, hip and their keypoints, those that were seen. reprojection_rays: the
    same in thousandths of the focal length. bones: how much a bone's length varies within a track, percent.
    sides: how much the mean lengths of left and right bones differ, percent. jitter: acceleration of the
    joints about the root, m/s². placed: share of frames whose root is known. frames: how many.
    """

    reprojection: float
    reprojection_rays: float
    bones: float
    sides: float
    jitter: float
    placed: float
    frames: int


def assess(spans: Sequence[Span], lifter: Lifter) -> Quality:
    """Lift spans as `infer` would and look at them. Raises `ValueError` for no spans."""
    if not spans:
        raise ValueError("nothing to assess")
    found: dict[str, list[NDArray[np.float64]]] = {f.name: [] for f in fields(Quality) if f.name != "frames"}

    def add(name: str, values: NDArray[np.generic]) -> None:
        found[name].append(np.asarray(values, np.float64))

    for span in spans:
        pose, root = span.lifted(lifter)
        there = np.asarray(np.isfinite(root).all(1))
        off, scores = span.reprojected(pose, root)
        trusted = (scores > _TRUSTED) & there[:, None]
        add("reprojection", span.camera.fx * off[trusted])
        add("reprojection_rays", 1000 * off[trusted])
        spread, uneven = bone_spread(pose)
        add("bones", np.full(len(pose), spread))
        add("sides", np.full(len(pose), uneven))
        add("jitter", accelerations(pose, span.times))
        add("placed", there)
    return Quality(**{k: _mean(v) for k, v in found.items()}, frames=sum(len(span) for span in spans))


def bone_spread(pose: NDArray[np.float32]) -> tuple[float, float]:
    """How much bone lengths of poses (T, 17, 3) vary through time, and between left and right, percent."""
    lengths = bone_lengths(pose)
    mean = lengths.mean(0)
    left, right = (mean[[j - 1 for j in side]] for side in (H36M17.left, H36M17.right))
    spread = lengths.std(0) / mean
    return 100 * float(spread.mean()), 100 * float((np.abs(left - right) / (left + right) * 2).mean())


def bone_lengths(pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """(T, 17, 3) → (T, 16), metres; the bone of joint j at j − 1."""
    child, parent = (list(ends) for ends in zip(*H36M17.bones, strict=True))
    lengths: NDArray[np.float64] = np.linalg.norm(pose[:, child] - pose[:, parent], axis=-1)
    return lengths


def accelerations(pose: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 17, 3) → (T − 2,) m/s², a mean over joints, for evenly timed frames."""
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    found: NDArray[np.float64] = np.linalg.norm(np.diff(pose, 2, axis=0), axis=-1).mean(1) / step**2
    return found


def _mean(values: Sequence[NDArray[np.float64]]) -> float:
    together = np.concatenate(values)
    return float(together.mean()) if len(together) else float("nan")
