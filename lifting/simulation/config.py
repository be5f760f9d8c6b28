"""How simulated motion, bodies, cameras and detections vary."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, model_validator

from ...yaml_config import Fraction, Metres, PositiveRange, Range, _Strict


class ScarceConfig(_Strict):
    """Made motion (`scarce`) beside the recorded: minutes of it, 0 for none, on the bodies of the first
    motion file's training people; weight as of `MotionFile`."""

    minutes: Annotated[float, Field(ge=0)] = 0.0
    weight: Annotated[float, Field(ge=0)] = 1.0


class BodyConfig(_Strict):
    """How bodies vary: log-normal spreads, and a uniform factor for the hips."""

    stature: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    stature_mean: PositiveFloat = 1.02
    bone: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    hip_width: PositiveRange = (1.0, 1.6)


class CameraConfig(_Strict):
    """Where the virtual cameras stand. Lengths in metres, angles in degrees.

    height: above the floor that people stand on. high, low: the shares of cameras with a height of
    `high_height` or `low_height` instead: on a balcony, or below somebody on a roof, a stage or a rock.
    """

    distance: PositiveRange = (1.8, 9.0)
    height: Range = (0.2, 2.6)
    high: Fraction = 0.1
    high_height: Range = (2.6, 5.0)
    low: Fraction = 0.0
    low_height: Range = (-3.0, 0.2)
    off_axis: tuple[float, float] = (11.0, 6.0)
    roll: float = 2.5
    focal_error: Annotated[float, Field(ge=0, lt=0.5)] = 0.07

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.high + self.low > 1:
            raise ValueError("high and low are shares of all cameras: together one at most")
        return self


class DetectionConfig(_Strict):
    """What a detector does to the projected points. Lengths are metres at the person's distance.

    severity: every window multiplies all spreads and chances by a factor of this range, log-uniform: some
    footage is sharp and some is not.
    """

    jitter: PositiveRange = (0.003, 0.02)
    drift: PositiveRange = (0.005, 0.04)
    bias: Metres = 0.018
    hidden: Annotated[float, Field(ge=0)] = 1.2
    outliers: Fraction = 0.006
    outlier_size: Metres = 0.15
    episodes: Fraction = 0.35
    severity: PositiveRange = (1.0, 1.0)
