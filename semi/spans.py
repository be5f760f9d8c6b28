"""Spans of tracks in a user's videos, divided into spans to train on and held-out spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..lifting.cameras.distortion import Lens
from ..lifting.cameras.input_space import to_rays, to_screen, visible_joints
from ..lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from ..lifting.inference.lifter import Lifter
from ..lifting.inference.resampling import even_times, read_at
from ..lifting.inference.visibility import visible_keypoints
from ..lifting.pose_table import PoseTable
from ..skeleton import COCO17, H36M17, convert
from .footage import Footage, FootageSpan, compared_joints, span_of_video

COMPARED = compared_joints(H36M17, exact=False)
"""The joints of a pose that are compared with keypoints."""

_DOUBTFUL = 0.08  # metres, scale of the Geman–McClure weight: distance of a keypoint from the projected joint
_MIN_TO_LEARN, _MIN_TO_MEASURE = 1.0, 0.25  # seconds of a track


@dataclass(frozen=True)
class Span:
    """A span of one person's track in a video.

    Attributes:
        name: The video's name.
        track: The track's number in the video.
        keypoints: (T, 17, 3) COCO17 x, y in undistorted pixels, and score 0–1.
        filled: (T,) bool, whether the keypoints were interpolated across a gap.
        times: (T,) seconds.
        camera: The video's camera.
        size: The video's width and height.
    """

    name: str
    track: int
    keypoints: NDArray[np.float32]
    filled: NDArray[np.bool_]
    times: NDArray[np.float64]
    camera: Intrinsics
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> float:
        """Time from the first frame to the last."""
        return float(self.times[-1] - self.times[0])

    def part(self, frames: slice) -> Span:
        """Return the span of these frames only."""
        parts = self.keypoints[frames], self.filled[frames], self.times[frames]
        return Span(self.name, self.track, *parts, self.camera, self.size)

    def lifted(self, lifter: Lifter) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Lift the span: return poses (T, 17, 3) and roots (T, 3), metres, camera space, as `infer` does."""
        lifted = lifter.lift_track(
            self.keypoints, self.times, lens=Lens(self.camera), size=self.size, filled=self.filled
        )
        return lifted.pose, lifted.root

    def visible_joints(self) -> NDArray[np.float32]:
        """Return (T, 17, 1) float32, 1 for visible and 0 for hidden joints of H36M17."""
        visible = visible_keypoints(self.keypoints, self.size, filled=self.filled)
        return visible_joints(torch.from_numpy(visible)).numpy()[..., None].astype(np.float32)

    def reprojected(
        self, pose: NDArray[np.float32], root: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compare the projected `COMPARED` joints with their keypoints.

        Args:
            pose: (T, 17, 3) metres, root at 0.
            root: (T, 3) metres, camera space.

        Returns:
            Distances (T, S) from the keypoints, in focal lengths, NaN where the root is NaN; and scores (T,
            S) of the keypoints, 0 where they were interpolated.
        """
        detected = convert(self.keypoints, COCO17, H36M17)[:, list(COMPARED)].astype(np.float64)
        point = (pose + root[:, None])[:, list(COMPARED)].astype(np.float64)
        with np.errstate(invalid="ignore"):
            projected = point[..., :2] / point[..., 2:]
        rays = to_rays(detected[..., :2], self.camera) / H36M_FOCAL
        distance = np.linalg.norm(projected - rays, axis=-1)
        return distance, detected[..., 2].clip(0, 1) * ~self.filled[:, None]


def spans_of(table: PoseTable, lens: Lens, name: str) -> list[Span]:
    """Return a span for every track of a video that has at least two frames.

    Args:
        table: The detected keypoints. Its intrinsics are not used.
        lens: The lens of the video.
        name: The video's name.
    """
    keypoints = lens.undistort(table.keypoints)
    return [
        Span(
            name,
            track,
            keypoints[rows],
            table.filled[rows],
            table.time[table.frame[rows]],
            lens.intrinsics,
            table.size,
        )
        for track, rows in table.stretches()
        if rows.stop - rows.start > 1
    ]


def hold_out(spans: Iterable[Span], share: float) -> tuple[list[Span], list[Span]]:
    """Divide spans into parts to train on and held-out parts to measure on.

    Args:
        spans: The spans.
        share: Share of the frames at the end of each span that is held out. Spans that are too short to be
            divided are used for training only.

    Returns:
        The spans to train on, and the held-out spans.
    """
    to_learn, to_measure = [], []
    for span in spans:
        cut = int(np.searchsorted(span.times, span.times[-1] - share * span.seconds))
        first, last = span.part(slice(cut)), span.part(slice(cut, None))
        enough = len(last) > 2 and first.seconds >= _MIN_TO_LEARN and last.seconds >= _MIN_TO_MEASURE
        if share and enough:
            to_learn.append(first)
            to_measure.append(last)
        else:
            to_learn.append(span)
    return to_learn, to_measure


def footage_of(spans: Sequence[Span], lifter: Lifter) -> Footage:
    """Make footage for a lifter: the lifter input at its frame rate, and rays of limbs and hip as targets.

    A keypoint's weight is its score times the Geman–McClure weight of its distance from the projected joint
    that the lifter predicts. If the distance is large, the detector is usually wrong.
    """
    people = list(dict.fromkeys((span.name, span.track) for span in spans))
    spans_read = tuple(_footage_span(span, lifter, people.index((span.name, span.track))) for span in spans)
    return Footage.of(spans_read, COMPARED, H36M17, H36M17.mirror)


def _footage_span(span: Span, lifter: Lifter, person: int) -> FootageSpan:
    positions = convert(span.keypoints, COCO17, H36M17)[..., :2]
    pose, root = span.lifted(lifter)
    distance, scores = span.reprojected(pose, root)
    trusted = np.asarray(scores / (1 + (distance * root[:, 2:] / _DOUBTFUL) ** 2) ** 2, np.float32)
    lost = (~np.isfinite(trusted)).astype(np.float32) + span.filled[:, None]
    weight = np.nan_to_num(trusted)
    visible = span.visible_joints()
    if lifter.reads_visibility:
        weight = weight * visible[:, list(COMPARED), 0]
    grid = even_times(span.times, lifter.rate)
    if grid is not None:
        positions, weight, lost, visible = (
            read_at(v, span.times, grid) for v in (positions, weight, lost, visible)
        )
    rays = to_rays(positions, span.camera)
    keypoints = to_screen(positions, span.size) if lifter.input_space == "screen" else rays
    if lifter.reads_visibility:
        keypoints = np.concatenate([rays, visible], -1)
    return span_of_video(
        keypoints, weight * (lost == 0), rays, person=person, space=lifter.input_space, joints=COMPARED
    )
