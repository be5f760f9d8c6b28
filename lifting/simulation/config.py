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
    """How bodies vary.

    Attributes:
        stature: Spread of the logarithm of the factor on all bones.
        stature_mean: Median of that factor.
        bone: Spread of the logarithm of the factor on each group of bones.
        hip_width: Range of the uniformly distributed factor on the width of the hips.
    """

    stature: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    stature_mean: PositiveFloat = 1.02
    bone: Annotated[float, Field(ge=0, lt=0.3)] = 0.06
    hip_width: PositiveRange = (1.0, 1.6)


class CameraConfig(StrictConfig):
    """How the simulated cameras vary. Lengths are metres, angles are degrees.

    Attributes:
        distance: From the person's hip.
        height: Above the floor that people stand on.
        high: Share of cameras with a height of `high_height` instead, as from a balcony.
        low: Share of cameras with a height of `low_height` instead: below a person on a roof or a stage.
        off_axis: Spreads of the horizontal and the vertical angle between the person and the optical axis.
        roll: Spread of the roll about the optical axis.
        focal_error: Spread of the error of the assumed focal length, as a fraction of it.
        near: Share of cameras at a distance of `near_distance` from a point between hip and head and at a
            height of `near_height`, like webcams on a desk and hand-held phones.
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
    """How many keypoints of a person are in the picture and detected. The other keypoints are hidden.

    Attributes:
        angle: Angle of view across the picture's longer side, degrees.
        cut: Share of cameras whose picture may cut off parts of the person. The pictures of the other cameras
            show the whole person. Pictures of near cameras may always cut off parts.
        framed: Share of windows whose lower picture edge crosses the body, between the head and the knees.
        limbs: Share of windows in which a limb, one side, or everything below the chest is hidden, although
            it may be inside the picture.
        passing: Share of those windows in which it is hidden only for a part of the window.
        misplaced: Share of windows in which keypoints outside the picture are not hidden but detected at the
            edge of the picture.
    """

    angle: PositiveRange = (50.0, 95.0)
    cut: Fraction = 0.0
    framed: Fraction = 0.0
    limbs: Fraction = 0.0
    passing: Fraction = 0.4
    misplaced: Fraction = 0.1


class RecombinationConfig(StrictConfig):
    """How motion is recombined from parts of several people, and how trunk and limbs are turned.

    Only people who stand upright are recombined, because motion on the floor would lose its contacts.

    Attributes:
        share: Share of windows with upright people that are recombined.
        upper_body: Share of the recombined windows that get the upper body of another window.
        arm: Share that get an arm of another window; it applies to each arm.
        leg: Share that get one leg of another window.
        turned: Share in which the trunk is turned slowly; it applies to each leg and each arm too.
        trunk: Spread of the turns of the trunk, degrees.
        legs: Spread of the turns of the legs, degrees.
        arms: Spread of the turns of the arms, degrees.
        jumps: Share in which the person is lifted off the floor for a moment.
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
    """The errors of a simulated detector. Lengths are metres at the person's distance.

    Attributes:
        jitter: Range of the spread of independent errors in each frame. It is sampled for each window.
        drift: Range of the spread of slowly changing errors. It is sampled for each window.
        bias: Spread of errors that are constant in a window.
        hidden: How much larger errors are on the side of the body turned away from the camera, as a fraction.
        outliers: Probability of a stray keypoint.
        outlier_size: Spread of the error of a stray keypoint.
        episodes: Probability that a window has an episode in which a limb is lost, or left and right are
            swapped.
        severity: Range of a log-uniform factor, sampled for each window, on all spreads and probabilities. It
            simulates sharp and blurred footage.
    """

    jitter: PositiveRange = (0.003, 0.02)
    drift: PositiveRange = (0.005, 0.04)
    bias: Metres = 0.018
    hidden: Annotated[float, Field(ge=0)] = 1.2
    outliers: Fraction = 0.006
    outlier_size: Metres = 0.15
    episodes: Fraction = 0.35
    severity: PositiveRange = (1.0, 1.0)
