"""Measure on motion capture, with random cameras and a simulated detector, the same for every lifter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...lifting.datasets.motion_capture import MotionCapture
from ...lifting.evaluation.held_out import select_held_out
from ...lifting.evaluation.motion_capture_sequences import motion_capture_sequences
from ...lifting.evaluation.scores import Sequence3D, lift_with
from ...lifting.inference.lifter import Lifter
from ...lifting.simulation.config import CameraConfig, DetectionConfig
from .evaluation_data import EvaluateOptions, EvaluationData

TRUE_2D = DetectionConfig(jitter=(1e-9, 1e-9), drift=(1e-9, 1e-9), bias=0, outliers=0, episodes=0)
_WINDOW = 3.0  # seconds
_FOCAL = ", with Human3.6M's focal length"


@dataclass(frozen=True)
class MotionCaptureData:
    """A motion-capture table; an `EvaluationSource`.

    Attributes:
        name: Name of its file.
        motion: The motion capture.
    """

    name: str
    motion: MotionCapture

    @classmethod
    def load(cls, path: Path) -> MotionCaptureData:
        """Read a table.

        Raises:
            InputError: The file cannot be read.
        """
        return cls(path.name, MotionCapture.load(path))

    @property
    def subjects(self) -> frozenset[str]:
        """All people in the table."""
        return frozenset(self.motion.subjects)

    @property
    def actions(self) -> frozenset[str]:
        """All actions in the table."""
        return frozenset(self.motion.actions)

    def select(
        self,
        lifter: Lifter,
        options: EvaluateOptions,
        *,
        subjects: frozenset[str],
        actions: frozenset[str],
    ) -> EvaluationData:
        """See `EvaluationSource.select`."""
        selection = select_held_out(
            self.motion,
            lifter.about,
            file=self.name,
            subjects=subjects,
            actions=actions,
            all_subjects=options.all_subjects,
        )
        table = self.motion.select(selection.clips)
        rate = lifter.rate or table.rate
        cameras, severity = CameraConfig(), (options.severity, options.severity)
        detections = TRUE_2D if options.true_2d else DetectionConfig(severity=severity)
        number = len(set(table.subjects))
        return EvaluationData(
            self.name,
            {
                "people": selection.people,
                "keypoints": "true" if options.true_2d else "simulated detections",
                "severity": "0" if options.true_2d else f"{options.severity:g}",
                "rate_hz": f"{rate:g}",
                "cameras_a_clip": str(options.cameras),
            },
            (
                f"people: {', '.join(sorted(set(table.subjects)))} ({selection.people})",
                f"motion: {len(table)} clips of {number} {'person' if number == 1 else 'people'}, "
                f"{table.minutes:.1f} minutes, read at {rate:g} frames a second",
                f"cameras: {options.cameras} a clip and seed, {_span(cameras.distance)} m away, "
                f"{_span(cameras.height)} m up{_FOCAL if lifter.input_space == 'screen' else ''}; "
                f"{'seed 1' if options.seeds == 1 else f'seeds 1 to {options.seeds}'}",
                f"keypoints: {_describe(detections, perfect=options.true_2d)}",
            ),
            {flip: lift_with(lifter, flip=flip) for flip in options.flips},
            partial(
                _sequences, table, rate, cameras, detections, per_clip=options.cameras, layout=lifter.layout
            ),
            len(table) * options.cameras,
            tuple(range(1, options.seeds + 1)),
        )


def _sequences(
    table: MotionCapture,
    rate: float,
    cameras: CameraConfig,
    detections: DetectionConfig,
    seed: int,
    *,
    per_clip: int,
    layout: str,
) -> Iterator[Sequence3D]:
    return motion_capture_sequences(
        table,
        rate=rate,
        cameras=cameras,
        detections=detections,
        per_clip=per_clip,
        seed=seed,
        layout=layout,
        window=_WINDOW,
    )


def _describe(detections: DetectionConfig, *, perfect: bool) -> str:
    if perfect:
        return "true projections, no detector"
    factor = detections.severity[0]
    jitter, drift = (
        _span((1000 * factor * low, 1000 * factor * high))
        for low, high in (detections.jitter, detections.drift)
    )
    bias, stray = 1000 * factor * detections.bias, 100 * factor * detections.outliers
    damaged = 100 * factor * detections.episodes
    return (
        f"simulated detector: jitter {jitter} mm, drift {drift} mm, bias {bias:g} mm, {stray:g} % stray "
        f"points, a damaged limb in {damaged:g} % of windows of {_WINDOW:g} s"
    )


def _span(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g}–{ends[1]:g}"
