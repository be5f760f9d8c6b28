"""How simulated motion, bodies, cameras and detections vary."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, model_validator

from ...yaml_config import Fraction, Metres, PositiveRange, Range, StrictConfig


class RarePosturesConfig(StrictConfig):
    """Simulated motion in rare postures, on the bodies of the training people of the first motion file.

    Attributes:
        minutes: Length of this motion; 0 for none.
        weight: Weight in sampling, as in `MotionFile`.
    """

    minutes: Annotated[float, Field(ge=0)] = 0.0
    weight: Annotated[float, Field(ge=0)] = 1.0


class BodyConfig(StrictConfig):
    """How bodies vary: log-normal spreads, and a uniform factor for the hips."""

    stature: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    stature_mean: PositiveFloat = 1.02
    bone: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    hip_width: PositiveRange = (1.0, 1.6)


class CameraConfig(StrictConfig):
    """Where the virtual cameras stand. Lengths in metres, angles in degrees.

    Attributes:
        distance: From the person's hip.
        height: Above the floor that people stand on.
        high: Share of cameras with a height of `high_height` instead, as from a balcony.
        low: Share of cameras with a height of `low_height` instead: below a person on a roof or a stage.
        off_axis: Spreads of the angles by which the camera looks past the person, sideways and up or down.
        roll: Spread of the roll about the optical axis.
        focal_error: Spread of the error of the assumed focal length, as a fraction of it.
        near: Share of cameras at a distance of `near_distance` from a point between hip and head, and at a
            height of `near_height`, as webcams on a desk and phones held by hand are.
        rolled: Share of cameras that are rolled by up to `rolled_angle` to either side.
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
    near: Fraction = 0.0
    near_distance: PositiveRange = (0.5, 1.8)
    near_height: Range = (0.7, 1.9)
    rolled: Fraction = 0.0
    rolled_angle: Annotated[float, Field(ge=0, le=180)] = 30.0

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.high + self.low > 1:
            raise ValueError("high and low are shares of all cameras: together one at most")
        return self


class PictureConfig(StrictConfig):
    """What of a person is in the picture and found by the detector; the rest is hidden keypoints.

    Attributes:
        angle: Angle of view across the picture's longer side, degrees.
        cut: Share of cameras (near ones apart, whose picture always ends somewhere) with a picture that may
            cut off parts of the person. The others are framed so that the whole person is in the picture.
        framed: Share of windows whose picture ends below a part of the body, from the head to the knees.
        limbs: Share of windows in which a limb, a side, or all below the chest is hidden wherever it is.
        passing: Share of those windows in which it is hidden for a while only.
        misplaced: Share of windows in which keypoints outside the picture are not hidden but found at the
            picture's edge.
    """

    angle: PositiveRange = (50.0, 95.0)
    cut: Fraction = 0.0
    framed: Fraction = 0.0
    limbs: Fraction = 0.0
    passing: Fraction = 0.4
    misplaced: Fraction = 0.1


class RecombinationConfig(StrictConfig):
    """Motion recombined from several people's, and turned at trunk and limbs.

    Only people who stand upright are recombined: floor motion would lose its contacts.

    Attributes:
        share: Share of windows that are recombined where the person is upright.
        upper_body, arm, leg: Shares of these that get another window's upper body, each arm, one leg.
        turned: Share of these whose trunk is slowly turned; likewise each leg, each arm.
        trunk, legs, arms: Spreads of the turns, degrees.
        jumps: Share of these that are lifted off the floor for a moment.
    """

    share: Fraction = 0.0
    upper_body: Fraction = 0.35
    arm: Fraction = 0.35
    leg: Fraction = 0.25
    turned: Fraction = 0.5
    trunk: Annotated[float, Field(ge=0, le=40)] = 14.0
    legs: Annotated[float, Field(ge=0, le=40)] = 16.0
    arms: Annotated[float, Field(ge=0, le=40)] = 21.0
    jumps: Fraction = 0.1


class DetectionConfig(StrictConfig):
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
