"""Estimate the rotation of the camera from the background of a video.

Corners outside people's boxes are tracked from frame to frame by optical flow, at a small picture size. The
rotation of each frame is fitted relative to a keyframe, by all corners that have been tracked since the
keyframe, so that errors of single frames do not accumulate. A new keyframe is also compared with earlier
keyframes that show the same background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import cv2
import numpy as np
from numpy.typing import NDArray

from ...detectors.people import Image
from ...lifting.cameras.distortion import Lens
from ...lifting.world.camera_motion import Edge, Turn, fill_in, fit_turn, join_turns
from .background_measurements import Arrays, Keyframe, Measurements, Seen

_HEIGHT = 300  # approximate shorter side of the small picture, pixels
_CORNERS = 150
_SMALLEST = 16  # pixels of a side in which marks of the background can be found
_FEWEST = 60  # corners still followed; with fewer a new keyframe begins
_FARTHEST = 0.25  # of the shorter side: a larger shift of the picture begins a new keyframe
_ERROR = 0.7  # small pixels: the usual error of a corner that is followed
_MARGIN = 0.1  # of a person's box: margin around it without corners
_STILL = 0.4  # small pixels: a smaller shift since the keyframe counts as no shift
_REST = 15  # frames without any shift, after which only every `_EVERY`th frame is looked at
_EVERY = 4
NO_BOXES: NDArray[np.float32] = np.zeros((0, 4), np.float32)
"""For frames on which no person is known."""

_FLOW_WINDOW = (13, 13)
_FLOW_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03)
_LEAST_SHARED = 25  # matches of descriptors that make two keyframes show the same background
_GUESSED = 0.01  # weight of a turn that was not measured
_MOST_LOST = 0.1  # of the frames; with more the result is uncertain
_AGREEING = 0.5  # of the matches; fewer means that the camera also moved, or that people fill the picture

Grey = NDArray[np.uint8]
"""(h, w) uint8, a small picture or a mask."""


@dataclass(frozen=True)
class CameraMotion:
    """The rotation of the camera over time.

    Attributes:
        rotations: (T, 3, 3), camera space of the first frame ← of each frame. The identity if the camera is
            still.
        how: How the rotations were found, in words.
        warning: Why they may be wrong, in words; None if there is no reason for doubt.
    """

    rotations: NDArray[np.float64]
    how: str
    warning: str | None = None

    @classmethod
    def none(cls, frames: int) -> CameraMotion:
        """Return the motion of a camera that the user states to be still."""
        return cls(np.tile(np.eye(3), (frames, 1, 1)), "still: --static-camera")


class BackgroundWatch:
    """Estimates the rotation of the camera. Call `see` for each frame in order, then `result`.

    Args:
        lens: The camera.
        size: Width and height of the frames in pixels.
    """

    def __init__(self, lens: Lens, size: tuple[int, int]) -> None:
        self._lens, self._size = lens, size
        self._measured = Measurements()
        self._seen, self._keyframes = self._measured.seen, self._measured.keyframes
        self._edges = self._measured.edges
        self._first: tuple[Grey, Grey] | None = None  # the first keyframe's picture and mask
        self._grey: Grey = np.zeros((0, 0), np.uint8)  # the picture last seen, small
        self._now = np.zeros((0, 2), np.float32)  # corners in it
        self._then = self._now  # the same corners in the keyframe
        self._guess: NDArray[np.float64] | None = None  # the rotation last measured
        self._at_rest = 0  # frames without any shift up to now
        self._moved = False
        self._given = 0, 0, 0  # measurements returned so far by `new_measurements`
        self._orb = cv2.ORB.create(300, fastThreshold=12)

    def see(self, index: int, image: Image, boxes: NDArray[np.floating]) -> None:
        """Process the next frame.

        Args:
            index: The number of the frame.
            image: (H, W, 3) RGB.
            boxes: (P, 4) x0, y0, x1, y1 in pixels, the approximate boxes of people.
        """
        if self._at_rest >= _REST and index % _EVERY:
            return
        grey = self._small(image)
        if not self._keyframes:
            self._begin(grey, boxes)
            self._seen.append(Seen(index, 0, np.eye(3), 1.0))
            return
        self._follow(grey)
        turn = self._turn()
        shift = float(np.median(np.linalg.norm(self._now - self._then, axis=1))) if len(self._now) else np.inf
        still = turn is not None and shift < _STILL
        self._at_rest = self._at_rest + 1 if still else 0
        self._moved |= not still
        key = len(self._keyframes) - 1
        rotation = None if turn is None else np.eye(3) if still else turn.rotation
        self._seen.append(Seen(index, key, rotation, 0.0 if turn is None else turn.agreeing))
        if turn is None or len(self._now) < _FEWEST or shift > _FARTHEST * min(grey.shape):
            sure = 1.0 if turn is not None else _GUESSED
            self._edges.append(Edge(key, key + 1, self._last_rotation(key), sure))
            self._begin(grey, boxes)
            self._look_back()
        self._grey = grey

    def new_measurements(self) -> Arrays:
        """Return what was measured since the last call, as plain arrays.

        All of these, in order, and the latest `memory` are what `resume` needs to go on, bit for bit.
        """
        new, self._given = self._measured.to_arrays(self._given), self._measured.count()
        return new

    def memory(self) -> Arrays:
        """Return what the next frame needs, beside all measurements, as plain arrays."""
        pictures = {} if self._first is None else dict(zip(("picture", "mask"), self._first, strict=True))
        # The first keyframe is described later than it is made.
        first = Measurements(keyframes=self._keyframes[:1]).to_arrays()
        return {
            **pictures,
            **{f"first_{name}": array for name, array in first.items()},
            "grey": self._grey,
            "now": self._now,
            "then": self._then,
            "guess": np.zeros((0, 3)) if self._guess is None else self._guess,
            "at_rest": np.array(self._at_rest),
            "moved": np.array(self._moved),
        }

    def resume(self, measured: Sequence[Arrays], memory: Arrays) -> None:
        """Go on where another watch of the same video stopped; see `new_measurements`."""
        for arrays in measured:
            self._measured.extend(arrays)
        self._given = self._measured.count()
        first = Measurements()
        first.extend({name.removeprefix("first_"): array for name, array in memory.items()})
        self._keyframes[:1] = first.keyframes
        self._first = (memory["picture"], memory["mask"]) if "picture" in memory else None
        self._grey, self._now, self._then = memory["grey"], memory["now"], memory["then"]
        self._guess = memory["guess"] if len(memory["guess"]) else None
        self._at_rest, self._moved = int(memory["at_rest"]), bool(memory["moved"])

    def result(self, frames: int, *, with_people: range | None = None) -> CameraMotion:
        """Return the rotation of the camera over time.

        Args:
            frames: Number of frames of the video. Rotations of frames that were not measured are
                interpolated.
            with_people: From the first to the last frame with people. A warning is about these only: of a
                title before them, no background is needed. None for all frames.
        """
        still = np.tile(np.eye(3), (frames, 1, 1))
        if not self._moved:
            return CameraMotion(still, "still: the background does not move")
        keys = join_turns(len(self._keyframes), self._edges)
        rotations, measured = still.copy(), np.zeros(frames, np.bool_)
        for seen in self._seen:
            if seen.rotation is not None and seen.frame < frames:
                rotations[seen.frame] = keys[seen.keyframe] @ seen.rotation
                measured[seen.frame] = True
        needed = range(frames) if with_people is None else with_people
        lost = sum(seen.rotation is None for seen in self._seen if seen.frame in needed)
        agreeing = [seen.agreeing for seen in self._seen if seen.frame in needed]
        warning = None
        if lost > _MOST_LOST * len(agreeing):
            warning = (
                f"the background could not be followed on {lost} of {len(agreeing)} frames, so how the "
                "camera turned is uncertain; --static-camera takes it to be still"
            )
        elif agreeing and np.median(agreeing) < _AGREEING:
            warning = (
                "the background does not move as it does when a camera only turns: the camera seems to "
                "travel, and that is not recovered"
            )
        how = f"turns measured on the background, {len(self._keyframes)} keyframes"
        return CameraMotion(fill_in(rotations, measured), how, warning)

    def _small(self, image: Image) -> Grey:
        """Return the green channel, which is nearest to brightness, at a reduced size."""
        step = max(1, round(min(image.shape[:2]) / _HEIGHT))
        return np.ascontiguousarray(image[::step, ::step, 1])

    def _begin(self, grey: Grey, boxes: NDArray[np.floating]) -> None:
        """Start a keyframe: find corners outside people's boxes."""
        mask = np.full(grey.shape, 255, np.uint8)
        scale = np.tile([grey.shape[1] / self._size[0], grey.shape[0] / self._size[1]], 2)
        for x0, y0, x1, y1 in np.asarray(boxes, np.float64) * scale:
            x, y = _MARGIN * (x1 - x0), _MARGIN * (y1 - y0)
            left, top = max(0, int(x0 - x)), max(0, int(y0 - y))
            mask[top : max(0, int(y1 + y) + 1), left : max(0, int(x1 + x) + 1)] = 0
        corners = cv2.goodFeaturesToTrack(grey, _CORNERS, 0.01, 7, mask=mask)
        self._now = np.zeros((0, 2), np.float32) if corners is None else np.float32(corners).reshape(-1, 2)
        self._then, self._grey, self._guess = self._now, grey, np.eye(3)
        self._keyframes.append(Keyframe())
        # Descriptors are computed only after the camera has turned away from the first keyframe, to save
        # time.
        if self._first is None:
            self._first = grey, mask
            return
        if len(self._keyframes) == 2:
            self._describe(self._keyframes[0], *self._first)
        self._describe(self._keyframes[-1], grey, mask)

    def _describe(self, keyframe: Keyframe, grey: Grey, mask: Grey) -> None:
        if min(grey.shape) < _SMALLEST:  # OpenCV fails on pictures of a pixel
            return
        found, descriptors = self._orb.detectAndCompute(grey, mask)
        if descriptors is not None and len(found) >= _LEAST_SHARED:
            keyframe.keypoints = np.array([point.pt for point in found], np.float32)
            keyframe.descriptors = np.asarray(descriptors, np.uint8)

    def _follow(self, grey: Grey) -> None:
        """Track the corners to the next frame. Corners that are lost or leave the picture are dropped."""
        if not len(self._now):
            return
        corners = self._now.reshape(-1, 1, 2).copy()
        there, found, _ = cv2.calcOpticalFlowPyrLK(
            self._grey,
            grey,
            corners,
            corners.copy(),
            winSize=_FLOW_WINDOW,
            maxLevel=3,
            criteria=_FLOW_STEPS,
        )
        kept = found[:, 0] > 0
        inside = (there[:, 0] > 2).all(1) & (there[:, 0] < np.array(grey.shape[::-1]) - 3).all(1)
        kept &= inside
        self._now, self._then = there[kept, 0], self._then[kept]

    def _turn(self) -> Turn | None:
        """Fit the rotation since the keyframe, and drop the corners that contradict it."""
        if len(self._now) < 8:
            return None
        then, now = self._rays(self._then), self._rays(self._now)
        turn = fit_turn(then, now, error=self._error, guess=self._guess)
        self._guess = None if turn is None else turn.rotation
        if turn is not None and turn.agreeing >= _AGREEING:
            off = np.linalg.norm(then - now @ turn.rotation.T, axis=1)
            kept = off < 6 * self._error
            self._now, self._then = self._now[kept], self._then[kept]
        return turn

    def _look_back(self) -> None:
        """Compare the newest keyframe with earlier keyframes that show the same background."""
        new = self._keyframes[-1]
        if new.descriptors is None or len(self._keyframes) < 3:
            return
        rotations = join_turns(len(self._keyframes), self._edges)
        view = 2 * np.arctan(self._span / 2)
        matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
        apart = np.arccos(np.clip(rotations[:-2, :, 2] @ rotations[-1, :, 2], -1, 1))
        for key in np.argsort(apart)[:2]:
            old = self._keyframes[int(key)]
            if apart[key] > 0.6 * view or old.descriptors is None:
                continue
            matches = matcher.match(old.descriptors, new.descriptors)
            if len(matches) < _LEAST_SHARED:
                continue
            assert old.keypoints is not None
            assert new.keypoints is not None
            first = self._rays(old.keypoints[[match.queryIdx for match in matches]])
            second = self._rays(new.keypoints[[match.trainIdx for match in matches]])
            turn = fit_turn(first, second, error=1.5 * self._error)
            if turn is not None and turn.agreeing * turn.matches >= _LEAST_SHARED:
                self._edges.append(Edge(int(key), len(self._keyframes) - 1, turn.rotation))

    def _last_rotation(self, key: int) -> NDArray[np.float64]:
        """The last rotation measured against the newest keyframe."""
        of_keyframe = takewhile(lambda seen: seen.keyframe == key, reversed(self._seen))
        return next((seen.rotation for seen in of_keyframe if seen.rotation is not None), np.eye(3))

    def _rays(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """(M, 2) small pixels → (M, 3) unit rays."""
        camera = self._lens.intrinsics
        scale = np.array([self._size[0] / self._grey.shape[1], self._size[1] / self._grey.shape[0]])
        pixels = (points + 0.5) * scale - 0.5
        if not self._lens.linear:
            pixels = self._lens.undistort(pixels)
        rays = np.ones((len(points), 3))
        rays[:, :2] = (pixels - [camera.cx, camera.cy]) / [camera.fx, camera.fy]
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True), np.float64)

    @property
    def _error(self) -> float:
        """The usual error of a corner, radians."""
        return _ERROR * self._size[0] / self._grey.shape[1] / self._lens.intrinsics.fx

    @property
    def _span(self) -> float:
        """The picture's shorter side over the focal length."""
        return min(self._size) / self._lens.intrinsics.fx
