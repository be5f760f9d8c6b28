"""A user's footage, person by person, as `infer` sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..lifting.cameras.distortion import Lens
from ..lifting.cameras.input_space import to_rays, to_screen
from ..lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from ..lifting.inference.lifter import Lifter
from ..lifting.inference.resampling import even_times, read_at
from ..lifting.pose_table import PoseTable
from ..skeleton import COCO17, H36M17, convert
from .footage import Clip, Footage, as_clip, compared, mirror_of

COMPARED = compared(H36M17, exact=False)
"""The joints of a pose that are held against keypoints."""

_DOUBTFUL = 0.08  # metres at the person's distance between a keypoint and a lifted joint
_LEARNT, _KEPT = 1.0, 0.25  # seconds of a track, at least, to learn from and to measure on


@dataclass(frozen=True)
class Span:
    """One person through time, without a break.

    name: the video's. keypoints: (T, 17, 3) COCO17 pixels, undistorted, and scores. filled: (T,), where they
    were interpolated. times: (T,) seconds. camera, size: of the video.
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
        """From the first frame to the last."""
        return float(self.times[-1] - self.times[0])

    def part(self, frames: slice) -> Span:
        """Some of its frames."""
        parts = self.keypoints[frames], self.filled[frames], self.times[frames]
        return Span(self.name, self.track, *parts, self.camera, self.size)

    def lifted(self, lifter: Lifter) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Poses (T, 17, 3) and roots (T, 3), as `infer` would give them."""
        lifted = lifter.lift_track(self.keypoints, self.times, lens=Lens(self.camera), size=self.size)
        return lifted.pose, lifted.root

    def reprojected(
        self, pose: NDArray[np.float32], root: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far joints that are `COMPARED` are from their keypoints, in focal lengths, and the keypoints'
        scores: both (T, S). Distances are NaN where the root is, scores 0 where nothing was seen."""
        seen = convert(self.keypoints, COCO17, H36M17)[:, list(COMPARED)].astype(np.float64)
        point = (pose + root[:, None])[:, list(COMPARED)].astype(np.float64)
        with np.errstate(invalid="ignore"):
            projected = point[..., :2] / point[..., 2:]
        off = np.linalg.norm(projected - to_rays(seen[..., :2], self.camera) / H36M_FOCAL, axis=-1)
        return off, seen[..., 2].clip(0, 1) * ~self.filled[:, None]


def spans_of(table: PoseTable, lens: Lens, name: str) -> list[Span]:
    """Everybody in a video. lens: that filmed it; the table's own intrinsics are not looked at."""
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
        for track, rows in table.tracks()
        if rows.stop - rows.start > 1
    ]


def hold_out(spans: Iterable[Span], share: float) -> tuple[list[Span], list[Span]]:
    """Spans to learn from, and spans to measure on: the end of every one that is long enough for both."""
    learnt, kept = [], []
    for span in spans:
        cut = int(np.searchsorted(span.times, span.times[-1] - share * span.seconds))
        parts = span.part(slice(cut)), span.part(slice(cut, None))
        enough = len(parts[1]) > 2 and parts[0].seconds >= _LEARNT and parts[1].seconds >= _KEPT
        if share and enough:
            learnt.append(parts[0])
            kept.append(parts[1])
        else:
            learnt.append(span)
    return learnt, kept


def footage_of(spans: Sequence[Span], lifter: Lifter) -> Footage:
    """What `lifter` is to learn from: its input, at its frame rate, beside limbs and hip as rays.

    A keypoint counts by its score, and the less the further it is from where the lifter sees the joint
    (Geman–McClure's weight): a detector that is far off is wrong more often than the lifter is.
    """
    people = list(dict.fromkeys((span.name, span.track) for span in spans))
    clips = tuple(_clip(span, lifter, people.index((span.name, span.track))) for span in spans)
    return Footage(clips, COMPARED, H36M17.mirror, mirror_of(COMPARED, H36M17))


def _clip(span: Span, lifter: Lifter, person: int) -> Clip:
    positions = convert(span.keypoints, COCO17, H36M17)[..., :2]
    pose, root = span.lifted(lifter)
    off, scores = span.reprojected(pose, root)
    agreed = np.asarray(scores / (1 + (off * root[:, 2:] / _DOUBTFUL) ** 2) ** 2, np.float32)
    lost = (~np.isfinite(agreed)).astype(np.float32) + span.filled[:, None]
    weight = np.nan_to_num(agreed)
    grid = even_times(span.times, lifter.rate)
    if grid is not None:
        positions, weight, lost = (read_at(v, span.times, grid) for v in (positions, weight, lost))
    rays = to_rays(positions, span.camera)
    seen = to_screen(positions, span.size) if lifter.input_space == "screen" else rays
    return as_clip(seen, weight * (lost == 0), rays, person=person, space=lifter.input_space, joints=COMPARED)
