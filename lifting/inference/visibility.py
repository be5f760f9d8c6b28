"""Which keypoints are visible, by their scores and places, and how reliable a lifted joint is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...parts import in_parts
from ...skeleton import COCO_TO_H36M
from ..cameras.input_space import visible_joints

HIDDEN_BELOW = 0.2
"""A keypoint with a score below this counts as hidden."""

VISIBLE_FROM = 0.3
"""A hidden keypoint counts as visible again from this score on.

Measured with MoveNet on the demo clip, cut off at the knees, at the hips and at the chest: with these two
limits 4, 8 and 7 % of the keypoints outside the picture count as visible, and 0.4, 0.0 and 2.5 % of those
inside as hidden. With 0.1 and 0.15 it is 48, 15 and 23 % of those outside.
"""

PATIENCE = 5
"""Frames that a keypoint must stay hidden to count as hidden. Shorter dips of the score are ignored."""

_FEWEST = 6  # visible keypoints of a frame; with fewer, every keypoint that has a score counts as visible
_WEIGHTS = np.abs(COCO_TO_H36M) / np.abs(COCO_TO_H36M).sum(1, keepdims=True)


def visible_keypoints(
    keypoints: NDArray[np.float32], size: tuple[int, int], *, filled: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Decide which keypoints of one unbroken track are visible.

    A keypoint becomes hidden when its score falls below `HIDDEN_BELOW` or its position is outside the
    picture. It becomes visible again when its score reaches `VISIBLE_FROM`. Hidden periods shorter than
    `PATIENCE` frames are ignored.

    Args:
        keypoints: COCO17 x, y in pixels of the picture as it was filmed, and score.
        size: Width and height of the picture in pixels.
        filled: Frames whose keypoints were interpolated across a gap. Their visibility is that of the last
            frame before the gap.

    Shape:
        keypoints (T, 17, 3); filled (T,); result (T, 17).
    """
    if not len(keypoints):
        return np.zeros(keypoints.shape[:2], np.bool_)
    evidence = in_parts(lambda part: _evidence(part, size), keypoints)
    if filled is not None:
        evidence[filled] = 0
    visible = np.empty(evidence.shape, np.bool_)
    for joint in range(evidence.shape[1]):  # one by one, which bounds the memory
        visible[:, joint] = ~_long_runs(~_held(evidence[:, joint]))
    return visible | _too_few(visible, keypoints)


def visible_so_far(
    keypoints: NDArray[np.float32], size: tuple[int, int], *, filled: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Decide which keypoints of one unbroken track are visible, each frame by `next_visible`.

    This is what a causal lifter reads: its pose of a frame depends on no later frame.

    Shape:
        keypoints (T, 17, 3); filled (T,); result (T, 17).
    """
    visible = np.zeros(keypoints.shape[:2], np.bool_)
    state = None
    for frame, current in enumerate(keypoints):
        unseen = None if filled is None else filled[frame : frame + 1]
        seen, state = next_visible(state, current[None], size, unseen=unseen)
        visible[frame] = seen[0]
    return visible


class VisibilityState(NamedTuple):
    """The state that `next_visible` passes from one frame to the next.

    Attributes:
        hidden_for: (P, 17) frames for which each keypoint has been hidden; 0 if it is visible.
    """

    hidden_for: NDArray[np.int64]


def next_visible(
    before: VisibilityState | None,
    keypoints: NDArray[np.float32],
    size: tuple[int, int],
    begins: NDArray[np.bool_] | None = None,
    unseen: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.bool_], VisibilityState]:
    """Decide which keypoints of the next frame are visible, for one or several people, without future frames.

    The rules are those of `visible_keypoints`, except that a keypoint counts as hidden only after the rules
    have found it hidden for `PATIENCE` frames. In a person's first frame it counts as hidden at once.

    Args:
        before: The state after the previous frame; None for the first frame.
        keypoints: COCO17 x, y in pixels, and score.
        size: Width and height of the picture in pixels.
        begins: True for people who are new in this frame. All are in the first frame.
        unseen: True for people who were not detected in this frame. Their visibility stays as it was.

    Returns:
        Which keypoints are visible, and the state to pass on with the next frame.

    Shape:
        keypoints (P, 17, 3); begins and unseen (P,); result (P, 17).
    """
    evidence = _evidence(keypoints, size)
    if unseen is not None:
        evidence[unseen] = 0
    new = np.ones(len(keypoints), np.bool_) if before is None else begins
    hidden_for = np.zeros(evidence.shape, np.int64) if before is None else before.hidden_for
    if new is not None:
        hidden_for = np.where(new[:, None], np.where(evidence < 0, PATIENCE - 1, 0), hidden_for)
    hidden = (evidence < 0) | ((evidence == 0) & (hidden_for > 0))
    hidden_for = np.where(hidden, hidden_for + 1, 0)
    visible = hidden_for < PATIENCE
    return visible | _too_few(visible, keypoints), VisibilityState(hidden_for)


def confidence(keypoints: NDArray[np.float32], visible: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the confidence of each lifted joint: the mean score of its keypoints, 0 if it is hidden.

    Keypoints that were interpolated across a gap have half the score of those before and after. Therefore the
    confidence of their joints is halved too.

    Args:
        keypoints: COCO17 x, y and score.
        visible: Which keypoints are visible.

    Returns:
        Confidence of Human3.6M's joints, 0–1.

    Shape:
        keypoints (…, 17, 3); visible (…, 17); result (…, 17).
    """
    score = np.clip(np.nan_to_num(keypoints[..., 2]), 0, 1) * visible
    joints = visible_joints(torch.from_numpy(visible)).numpy()
    return np.asarray((score @ _WEIGHTS.T) * joints, np.float32)


def _evidence(keypoints: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.int8]:
    """1 where a keypoint (…, 17, 3) is certainly visible, −1 where it is certainly not, 0 between."""
    x, y, score = keypoints[..., 0], keypoints[..., 1], keypoints[..., 2]
    inside = (x >= 0) & (x <= size[0]) & (y >= 0) & (y <= size[1])
    # A comparison with NaN is false, so a keypoint without position or score is hidden.
    shown, hidden = inside & (score >= VISIBLE_FROM), ~(inside & (score >= HIDDEN_BELOW))
    return shown.astype(np.int8) - hidden.astype(np.int8)


def _held(evidence: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether the last certain evidence (T,) was 1; before the first one, that one counts; else True."""
    certain = evidence != 0
    last = np.maximum.accumulate(np.where(certain, np.arange(len(evidence)), -1))
    return np.asarray(evidence[np.where(last < 0, np.argmax(certain), last)] >= 0)


def _long_runs(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T,): True in runs of at least `PATIENCE` frames, and in shorter ones that span the track."""
    frames = len(flags)
    at = np.arange(frames)
    begin = np.maximum.accumulate(np.where(flags, -1, at))  # last frame before the run
    end = np.minimum.accumulate(np.where(flags, frames, at)[::-1])[::-1]  # first frame after it
    return flags & (end - begin - 1 >= min(PATIENCE, frames))


def _too_few(visible: NDArray[np.bool_], keypoints: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(…, 17): the keypoints that have a score, in frames where fewer than `_FEWEST` are visible."""
    return (visible.sum(-1, keepdims=True) < _FEWEST) & (keypoints[..., 2] > 0)
