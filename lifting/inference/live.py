"""Lift live: read the keypoints of one frame and return the poses, at a constant cost per frame."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from numbers import Integral, Real
from typing import NamedTuple, TypeGuard, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import UsageError, shown
from ..cameras.distortion import Lens
from ..cameras.input_space import turn_back
from ..cameras.intrinsics import Intrinsics
from ..network.fused_model import Precision
from .lifter import Lifter
from .live_clock import MOST_STREAMS, LiveClock, between
from .live_keypoints import KeypointMemory
from .live_network import LiveNetwork, check_frame_by_frame
from .live_root import LiveRoots
from .predict import to_network
from .visibility import VisibilityState, confidence, next_visible

_USUAL_RATE = 30.0  # frames per second of a lifter or a camera that does not tell


class LiveFrame(NamedTuple):
    """What is known of all people in one frame, in camera space.

    Attributes:
        pose: (P, 17, 3) float32, Human3.6M's joints in metres, relative to the root.
        root: (P, 3) float32, metres; NaN where the keypoints do not determine it.
        confidence: (P, 17) float32, how reliable each joint is, 0–1.
    """

    pose: NDArray[np.float32]
    root: NDArray[np.float32]
    confidence: NDArray[np.float32]


def check_live(lifter: Lifter) -> None:
    """Raise `UsageError` if a lifter looks into the future, or does not read a video's keypoints."""
    lifter.check_fits()
    try:
        check_frame_by_frame(lifter.model)
    except ValueError as error:
        raise UsageError(f"{error}, such as the lifter causal") from error


def _check_camera(camera: object, size: object, people: object, rate: object) -> None:
    """Raise `UsageError` unless a camera, its size, a number of people and a rate are possible."""
    if not isinstance(camera, Intrinsics | Lens):
        raise UsageError(f"camera: expected Intrinsics or a Lens, found {shown(camera)}")
    sides = size if isinstance(size, tuple | list | np.ndarray) else ()
    if len(sides) != 2 or not all(isinstance(side, Integral) and int(side) > 0 for side in sides):
        raise UsageError(f"size: expected width and height in pixels, found {shown(size)}")
    if not isinstance(people, Integral) or int(people) < 1:
        raise UsageError(f"people: expected a number from 1 on, found {shown(people)}")
    if rate is not None and not (_is_finite(rate) and float(rate) > 0):
        raise UsageError(f"rate: expected frames per second or None, found {shown(rate)}")


def _is_finite(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and math.isfinite(value)


class LiveLifter:
    """A causal lifter that reads keypoints frame by frame.

    If the camera's frame rate is far from the lifter's, or frames are left out, the times of the frames have
    to be given: then frames are inserted, or several copies of the network take turns (see `live_clock`). A
    keypoint that is NaN or infinite is estimated from the frame before, so that it spoils no other joint and
    no later frame.

    Args:
        lifter: A causal lifter, such as the pretrained one named "causal".
        camera: The camera that films, or its lens with distortion.
        size: Width and height of its frames in pixels.
        people: Number of people that can be tracked at a time.
        flip: Average with the prediction for the mirrored person.
        precision: Number type of the network's hidden layers.
        rate: Frames per second of the camera, if known. Without it, the rate is measured.

    Raises:
        UsageError: The lifter looks into the future, or does not read a video's keypoints; or another
            value has the wrong type or is impossible.

    Example:
        ```python
        import numpy as np
        import videopose

        size = (1280, 720)
        camera = videopose.Intrinsics.from_fov(65, size[0], size)
        live = videopose.LiveLifter(videopose.load_lifter("causal"), camera=camera, size=size)
        keypoints = np.zeros((1, 17, 3), np.float32)  # what a detector found on the next frame
        pose = live.step(keypoints)
        ```
    """

    def __init__(
        self,
        lifter: Lifter,
        *,
        camera: Intrinsics | Lens,
        size: tuple[int, int],
        people: int = 1,
        flip: bool = True,
        precision: Precision = "float32",
        rate: float | None = None,
    ) -> None:
        if not isinstance(lifter, Lifter):
            raise UsageError(f"lifter: expected a Lifter, as load_lifter gives, found {shown(lifter)}")
        check_live(lifter)
        _check_camera(camera, size, people, rate)
        if precision not in (known := get_args(Precision)):
            raise UsageError(f"precision: expected {' or '.join(known)}, found {shown(precision)}")
        people, size = int(people), (int(size[0]), int(size[1]))
        self._lifter, self._size, self.people = lifter, size, people
        self._lens = camera if isinstance(camera, Lens) else Lens(camera)
        self._visibility: VisibilityState | None = None
        mirror = lifter.skeleton if flip else None
        network = LiveNetwork(lifter.model, people=people, flip=mirror, precision=precision)
        self._networks = [network]
        # Of each network: its last frame, and the people who are new since then.
        self._inputs: list[NDArray[np.float32] | None] = [None]
        self._new = [np.zeros(people, np.bool_)]
        self._clock = LiveClock(lifter.rate, rate)
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=MOST_STREAMS)  # the newest poses
        self._age = np.zeros(people, np.int64)  # frames since each person began
        self._memory = KeypointMemory()
        self._roots = LiveRoots(people, self._lens.intrinsics)
        self._begun = np.zeros(people, np.bool_)
        self._time: float | None = None

    def step(
        self,
        keypoints: NDArray[np.float32],
        begins: NDArray[np.bool_] | None = None,
        *,
        time: float | None = None,
        unseen: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Read the next frame's keypoints and return the poses; see `lift`.

        Returns:
            H36M17 poses in camera space, metres, root at 0: (people, 17, 3).
        """
        return self.lift(keypoints, begins, time=time, unseen=unseen).pose

    def lift(
        self,
        keypoints: NDArray[np.float32],
        begins: NDArray[np.bool_] | None = None,
        *,
        time: float | None = None,
        unseen: NDArray[np.bool_] | None = None,
    ) -> LiveFrame:
        """Read the next frame's keypoints and return poses, roots and confidence.

        The poses are those of `Lifter.lift_track`, if no keypoint is missing and the times are given.

        Args:
            keypoints: COCO17 keypoints of all people: x, y in pixels and score.
            begins: True for people who are new in this frame, see `LiveNetwork.step`.
            time: The frame's time in seconds. Default: the frame follows at the lifter's rate.
            unseen: True for people who were not detected in this frame. Their keypoints are an estimate, such
                as those of the frame before.

        Raises:
            UsageError: `keypoints` has another shape or holds no numbers, or `time` is not finite.

        Shape:
            keypoints (people, 17, 3); begins and unseen (people,).
        """
        keypoints = np.asarray(keypoints)
        if keypoints.shape != (self.people, 17, 3) or keypoints.dtype.kind not in "fiu":
            raise UsageError(
                f"expected keypoints of shape {(self.people, 17, 3)}, found {keypoints.shape} of "
                f"{keypoints.dtype}"
            )
        if time is not None and not _is_finite(time):
            raise UsageError(f"time: expected seconds, found {shown(time)}")
        begins = ~self._begun if begins is None else begins | ~self._begun
        self._begun |= begins
        keypoints = self._memory.complete(keypoints, begins)
        visible, self._visibility = next_visible(self._visibility, keypoints, self._size, begins, unseen)
        undistorted = keypoints if self._lens.linear else self._lens.undistort(keypoints)
        pose = self._poses(self._lifter_input(keypoints, undistorted, visible), begins, time)
        if self._lifter.reads_visibility:
            undistorted = undistorted.copy()
            undistorted[~visible, 2] = 0
        root = self._roots.step(pose, undistorted, begins, self._elapsed(time))
        return LiveFrame(pose, root, confidence(keypoints, visible))

    def _lifter_input(
        self,
        keypoints: NDArray[np.float32],
        undistorted: NDArray[np.float32],
        visible: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        filmed = keypoints if self._lifter.input_space == "screen" else undistorted
        return self._lifter.lifter_input(
            filmed, camera=self._lens.intrinsics, size=self._size, visible=visible
        )

    def _poses(
        self, lifter_input: NDArray[np.float32], begins: NDArray[np.bool_], time: float | None
    ) -> NDArray[np.float32]:
        """Feed the frame to the network whose turn it is; return its poses."""
        stream, source, steps, averaged = self._clock.turn(time)
        self._new = [new | begins for new in self._new]
        if stream != source:
            self._networks[stream : stream + 1] = [self._networks[source].fork()]
            self._inputs[stream : stream + 1] = [self._inputs[source]]
            self._new[stream : stream + 1] = [self._new[source]]
        new, before = self._new[stream], self._inputs[stream]
        self._new[stream], self._inputs[stream] = np.zeros_like(new), lifter_input
        before = lifter_input if before is None else np.where(new[:, None, None], lifter_input, before)
        with torch.inference_mode():
            pose = self._feed(stream, between(before, lifter_input, steps), new)
        return self._mean_pose(pose, begins, averaged)

    def _feed(
        self, stream: int, frames: Sequence[NDArray[np.float32]], new: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Feed frames to a network; return the poses of the last one. new: people who begin in the first."""
        for step, frame in enumerate(frames):
            network_input, rotation = to_network(frame, self._lifter.input_space)
            pose = self._networks[stream].step(network_input, None if step else new)
        if rotation is not None:
            pose = turn_back(torch.from_numpy(pose), rotation).numpy()
        return pose - pose[:, :1]

    def _mean_pose(
        self, pose: NDArray[np.float32], begins: NDArray[np.bool_], averaged: int
    ) -> NDArray[np.float32]:
        """Return the mean of the newest poses, of each person since they began."""
        self._age = np.where(begins, 1, self._age + 1)
        self._recent.append(pose)
        if averaged == 1:
            return pose
        counts = np.minimum(averaged, self._age)
        total = pose.copy()
        for back in range(1, int(counts.max())):
            total += np.where((counts > back)[:, None, None], self._recent[-1 - back], 0)
        return np.asarray(total / counts[:, None, None].astype(np.float32))

    def _elapsed(self, time: float | None) -> float:
        """Seconds since the frame before."""
        elapsed = 1 / (self._lifter.rate or _USUAL_RATE)
        if time is not None:
            elapsed = elapsed if self._time is None else max(time - self._time, 0.0)
            self._time = time
        return elapsed
