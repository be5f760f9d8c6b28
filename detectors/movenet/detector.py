"""The built-in detector, MoveNet: MultiPose finds people, Thunder follows each from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ...errors import UsageError
from ...files import file_digest
from ..crop import Crop, halve
from ..people import NUM_KEYPOINTS, Image, People
from ..tracking.similarity import keypoint_boxes, oks
from .tfjs import read_tfjs
from .tfjs_to_onnx import tfjs_to_onnx

THUNDER_SIZE = 256
FINDER_STEP = 32  # MultiPose takes sides that are multiples of this
_TORSO = (5, 6, 11, 12)  # shoulders and hips

# Of a person's 17 keypoints the nine best decide how sure the detector is: someone half outside the frame,
# or seen from the side, is no less a person.
_DECISIVE = 9


@dataclass(frozen=True)
class _Followed:
    """Somebody seen on this frame.

    keypoints: (17, 3). centre: (2,) of the box around them. motion: (2,) pixels a frame. crop: for the next.
    """

    keypoints: NDArray[np.float32]
    centre: NDArray[np.float32]
    motion: NDArray[np.float32]
    crop: Crop

    @property
    def confidence(self) -> float:
        return _confidence(self.keypoints)


class MoveNet:
    """Finds people with MoveNet MultiPose and follows each with MoveNet Thunder (COCO17 keypoints).

    multipose, thunder: the JSON and the binary file of each published TensorFlow.js graph. max_people: the
    most that are followed at once. look_interval: frames between two looks of MultiPose while everybody is
    in sight. search_interval: the same while nobody is, or while somebody was lost within the last
    `look_interval` frames. finder_size: longer side, in pixels, of the frame as MultiPose sees it; a multiple
    of 32. Larger ones find smaller people: somebody a quarter of the longer side tall may escape at 256 and
    is found at the default. One look yields at most six people.
    find_threshold, start_threshold, keep_threshold: MultiPose's score for trying a find, and the mean of
    a person's nine best keypoint scores for starting to follow, and for going on. threads: of onnxruntime,
    None for its own choice. device: "cpu" or "cuda"; with "cuda" the networks run there if the installed
    onnxruntime can, else on the CPU.

    Raises `InputError` where a file is not the graph it should be, `UsageError` for impossible options.
    """

    name = "movenet"

    def __init__(
        self,
        *,
        multipose: tuple[Path, Path],
        thunder: tuple[Path, Path],
        max_people: int | None = None,
        look_interval: int = 20,
        search_interval: int = 3,
        finder_size: int = 512,
        find_threshold: float = 0.15,
        start_threshold: float = 0.35,
        keep_threshold: float = 0.25,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if finder_size < FINDER_STEP or finder_size % FINDER_STEP:
            raise UsageError(f"finder_size must be a multiple of {FINDER_STEP}, not {finder_size}")
        if min(look_interval, search_interval) < 1 or (max_people is not None and max_people < 1):
            raise UsageError("max_people, look_interval and search_interval must be at least 1")
        self._limit = max_people
        self._look_interval = look_interval
        self._search_interval = min(search_interval, look_interval)
        self._finder_size = finder_size
        self._find_threshold = find_threshold
        self._start_threshold = start_threshold
        self._keep_threshold = keep_threshold
        # After a look the finder's idle threads would spin on the cores that Thunder needs.
        self._finder = open_session(*multipose, threads=threads, device=device, spin=False)
        self._refiner = open_session(*thunder, threads=threads, device=device)
        self._sha256 = {path.name: file_digest(path) for path in (*multipose, *thunder)}

    def describe(self) -> dict[str, object]:
        """Name, options that decide the result, where it runs, and the files' sha256."""
        return {
            "name": self.name,
            "finder_size": self._finder_size,
            "look_interval": self._look_interval,
            "search_interval": self._search_interval,
            "max_people": self._limit,
            "provider": self._refiner.get_providers()[0],
            "sha256": self._sha256,
        }

    def detect(self, frames: Iterable[Image]) -> Iterator[People]:
        """One `People` per frame, in order; scores are the mean keypoint score."""
        followed: list[_Followed] = []
        last_look = last_loss = -self._look_interval
        for index, frame in enumerate(frames):
            kept = self._follow(frame, followed)
            lost = [person for person in followed if not any(person is before for before, _ in kept)]
            followed = [after for _, after in kept]
            if lost:
                last_loss = index
            searching = not followed or index - last_loss < self._look_interval
            interval = self._search_interval if searching else self._look_interval
            if lost or index - last_look >= interval:
                last_look = index
                followed = self._look(frame, followed, lost)
            yield _people(followed, frame.shape)

    def _follow(self, frame: Image, followed: Sequence[_Followed]) -> list[tuple[_Followed, _Followed]]:
        """Everybody who is still there, as they were and as they are."""
        moved = []
        for before in followed:
            after = _step(before, self._refine(frame, before.crop), frame.shape)
            if after is not None and after.confidence >= self._keep_threshold:
                moved.append((before, after))
        # Two crops may come to show the same person: the one who moved less abruptly is who was followed.
        constancy = [oks(_expected(before)[None], after.keypoints[None])[0, 0] for before, after in moved]
        kept: list[int] = []
        for index in np.argsort(constancy)[::-1]:
            if _likeness(moved[index][1].keypoints, [moved[i][1].keypoints for i in kept]) < _DUPLICATE:
                kept.append(int(index))
        return [moved[index] for index in sorted(kept)]

    def _look(self, frame: Image, followed: list[_Followed], lost: Sequence[_Followed]) -> list[_Followed]:
        """Ask MultiPose who is there: confirm those followed, add who is new or was lost."""
        finds = self._find(frame)
        claims = _claims([person.keypoints for person in followed], finds)
        # a crop may cling to something that looks like a person; only MultiPose sees the whole frame
        followed = [
            person
            for index, person in enumerate(followed)
            if index in claims or person.confidence >= self._start_threshold
        ]
        unclaimed = [find for index, find in enumerate(finds) if index not in claims.values()]
        for find in sorted(unclaimed, key=lambda find: _priority(find, lost), reverse=True):
            if self._limit is not None and len(followed) >= self._limit:
                break
            person = self._start(frame, find, [other.keypoints for other in followed])
            if person is not None:
                followed.append(person)
        return followed

    def _start(
        self, frame: Image, find: NDArray[np.float32], others: Sequence[NDArray[np.float32]]
    ) -> _Followed | None:
        """Follow a find of MultiPose if Thunder agrees; the second pass has the better crop."""
        nearest = _likeness(find, others)
        if nearest >= _DUPLICATE:
            return None
        person: _Followed | None = _begin(find, frame.shape)
        for _ in range(2):
            if person is None:
                return None
            keypoints = self._refine(frame, person.crop)
            if _likeness(keypoints, others) >= _DUPLICATE:
                # Thunder sees one person in a crop, and here it is the one in front. MultiPose told the two
                # apart: take its word, less exact as it is, until they part.
                clear = nearest < _SAME and _confidence(find) >= self._start_threshold
                return _begin(find, frame.shape) if clear else None
            if _confidence(keypoints) < self._start_threshold:
                return None
            person = _begin(keypoints, frame.shape)
        return person

    def _refine(self, frame: Image, crop: Crop) -> NDArray[np.float32]:
        """Thunder on one crop → (17, 3) keypoints in pixels of the frame."""
        pixels = crop.cut(frame, THUNDER_SIZE).astype(np.int32)
        (output,) = self._refiner.run(None, {"input": pixels[None]})
        return _keypoints(output[0, 0], crop)

    def _find(self, frame: Image) -> NDArray[np.float32]:
        """MultiPose on the whole frame → (P, 17, 3) keypoints in pixels of the frame, P at most six."""
        height, width = frame.shape[:2]
        small = frame
        while max(small.shape[:2]) >= 2 * self._finder_size and min(small.shape[:2]) > 1:
            small = halve(small)
        scale = self._finder_size / max(height, width)
        shape = max(round(width * scale), 1), max(round(height * scale), 1)
        small = np.asarray(cv2.resize(small, shape), np.uint8)
        rows, columns = (-(-side // FINDER_STEP) * FINDER_STEP for side in small.shape[:2])
        pixels = np.zeros((1, rows, columns, 3), np.int32)
        pixels[0, : small.shape[0], : small.shape[1]] = small
        (output,) = self._finder.run(None, {"input": pixels})
        finds = output[0][output[0, :, 55] >= self._find_threshold]
        points = finds[:, :51].reshape(-1, NUM_KEYPOINTS, 3)
        keypoints = points[..., [1, 0, 2]]
        keypoints[..., 0] *= columns * width / small.shape[1]
        keypoints[..., 1] *= rows * height / small.shape[0]
        return np.asarray(keypoints, np.float32)


def open_session(
    topology: Path, weights: Path, *, threads: int | None = None, device: str = "cpu", spin: bool = True
) -> onnxruntime.InferenceSession:
    """A TensorFlow.js graph, ready to run under onnxruntime.

    spin: whether its threads wait busily for the next run, onnxruntime's default: quickest for a network that
    runs all the time.
    """
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    if not spin:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    model = tfjs_to_onnx(read_tfjs(topology, weights))
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers)


# people -------------------------------------------------------------------------------------------------

_CLAIM = 0.3  # least oks of somebody followed and their find by MultiPose, which is less exact
_DUPLICATE = 0.6  # oks from which two crops show the same person
_SAME = 0.45  # oks from which two finds of MultiPose may be the same person
_MIRRORED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]  # COCO17, left and right swapped
_MARGIN = 1.25  # a crop's side over the longer side of the box around the keypoints
_SHRINK = 0.85  # a crop's least side over that of the frame before
_TORSOS = 2.6  # a crop's least side over the length of the torso, so that unseen legs can be found again


def _confidence(keypoints: NDArray[np.float32]) -> float:
    return float(np.sort(keypoints[:, 2])[-_DECISIVE:].mean())


def _centre(box: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((box[:2] + box[2:]) / 2, np.float32)


def _keypoints(output: NDArray[np.float32], crop: Crop) -> NDArray[np.float32]:
    """Thunder's y, x, score by fractions of the crop → x, y, score in pixels of the frame."""
    return np.concatenate([crop.to_frame(output[:, [1, 0]]), np.clip(output[:, 2:], 0, 1)], 1)


def _begin(keypoints: NDArray[np.float32], shape: tuple[int, ...]) -> _Followed | None:
    return _seen(keypoints, np.zeros(2, np.float32), 0, shape)


def _step(before: _Followed, keypoints: NDArray[np.float32], shape: tuple[int, ...]) -> _Followed | None:
    """The same person a frame later; None where the keypoints must be somebody else's or nobody's."""
    box = keypoint_boxes(keypoints)
    motion = _centre(box) - before.centre
    if np.abs(motion - before.motion).max() > before.crop.side / 2:
        return None
    motion = np.asarray(0.5 * (before.motion + motion), np.float32)
    return _seen(keypoints, motion, before.crop.side, shape)


def _seen(
    keypoints: NDArray[np.float32], motion: NDArray[np.float32], side: float, shape: tuple[int, ...]
) -> _Followed | None:
    height, width = shape[:2]
    box = keypoint_boxes(keypoints)
    if not (box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0):
        return None  # wholly outside
    centre = _centre(box)
    shoulders, hips = (keypoints[list(pair), :2].mean(0) for pair in (_TORSO[:2], _TORSO[2:]))
    extent = max(
        _MARGIN * float((box[2:] - box[:2]).max()),
        _TORSOS * float(np.hypot(*(shoulders - hips))),
        _SHRINK * side,
    )
    motion = np.asarray(np.clip(motion, -extent / 4, extent / 4), np.float32)
    extent = min(max(extent + float(np.abs(motion).max()), 16), 1.5 * max(height, width))
    aim = centre + motion
    return _Followed(keypoints, centre, motion, Crop(float(aim[0]), float(aim[1]), extent))


def _expected(person: _Followed) -> NDArray[np.float32]:
    """The keypoints where they should be on the next frame."""
    expected = person.keypoints.copy()
    expected[:, :2] += person.motion
    return expected


def _likeness(keypoints: NDArray[np.float32], others: Sequence[NDArray[np.float32]]) -> float:
    """The greatest similarity to any of `others`, be left and right the right way round or swapped."""
    if not others:
        return 0.0
    both = np.stack([keypoints, keypoints[_MIRRORED]])
    return float(oks(both, np.stack(others)).max())


def _claims(people: Sequence[NDArray[np.float32]], finds: NDArray[np.float32]) -> dict[int, int]:
    """Which person followed, by index, is which find of MultiPose; each is at most one of the other."""
    if not people or not len(finds):
        return {}
    alike = np.maximum(oks(np.stack(people), finds), oks(np.stack(people)[:, _MIRRORED], finds))
    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    return {int(person): int(find) for person, find in pairs if alike[person, find] > _CLAIM}


def _priority(find: NDArray[np.float32], lost: Sequence[_Followed]) -> tuple[bool, float]:
    """Who was just lost comes first, then who is large and certain: it matters up to `max_people`."""
    box = keypoint_boxes(find)
    centre = _centre(box)
    returning = any(
        float(np.abs(person.centre + person.motion - centre).max()) < person.crop.side / 2 for person in lost
    )
    return returning, float((box[2:] - box[:2]).max()) * _confidence(find)


def _people(followed: Sequence[_Followed], shape: tuple[int, ...]) -> People:
    if not followed:
        return People.none()
    height, width = shape[:2]
    keypoints = np.stack([person.keypoints for person in followed])
    boxes = keypoint_boxes(keypoints)
    # keypoints end at eyes and ankles, people do not
    margin = 0.1 * (boxes[:, 2:] - boxes[:, :2]).max(-1, keepdims=True)
    boxes = boxes + margin * np.array([-1, -1, 1, 1], np.float32)
    boxes = np.clip(boxes, 0, np.array([width, height] * 2, np.float32)).astype(np.float32)
    return People(boxes, cast("NDArray[np.float32]", keypoints[..., 2].mean(1)), keypoints)
