"""What people look like: the colours of torso and legs, by which a person who returns is recognised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...skeleton import COCO17
from ..people import APPEARANCE_FEATURES, Image, People
from .similarity import keypoint_boxes

_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_PART = 3 * len(_QUANTILES)  # features of one part of the body: quantiles of L, a and b
_WEIGHTS = np.repeat([0.5, 1.0, 1.0], len(_QUANTILES)) / len(_QUANTILES)  # light changes more than colour
_SHARES = np.array([0.6, 0.4])  # of torso and legs
_MIDDLE, _DARK = 70.0, 20.0  # lightness at which a and b stay about as they are; that hardly has a colour
_SURE = 0.3  # least score of a keypoint beside which colours are read
_LEAST = 0.5  # share of a part's points that must be visible
_THIN = 0.25  # a torso is at least so wide, relative to its length; from the side, shoulders coincide
_SHOULDERS, _HIPS = COCO17.indices("lshoulder", "rshoulder"), COCO17.indices("lhip", "rhip")
_LEGS = [(COCO17.index(s + "hip"), COCO17.index(s + "knee"), COCO17.index(s + "ankle")) for s in "lr"]


def with_appearance(people: People, image: Image) -> People:
    """Return the people of a frame with what they look like there.

    Points on torso and legs that are outside the picture, or inside the box of a person who stands nearer to
    the camera (whose box ends lower), are not read. The features of a part of which too little is visible are
    NaN.

    Args:
        people: The people on the frame.
        image: The frame.

    Returns:
        The people with `appearance`: for torso and legs, quantiles of lightness, and of the colours a and b
        relative to it (CIELAB).
    """
    if not len(people):
        return people
    features = np.full((len(people), APPEARANCE_FEATURES), np.nan, np.float32)
    boxes = keypoint_boxes(people.keypoints)
    for index, keypoints in enumerate(people.keypoints):
        nearer = [box for other, box in enumerate(boxes) if other != index and box[3] > boxes[index, 3]]
        for part, points in enumerate((_torso_points(keypoints), _leg_points(keypoints))):
            if points is None:
                continue
            visible = _inside(points, np.array([0, 0, image.shape[1] - 1, image.shape[0] - 1]))
            for box in nearer:
                visible &= ~_inside(points, box)
            if visible.mean() >= _LEAST:
                features[index, part * _PART : (part + 1) * _PART] = _colours(image, points[visible])
    return replace(people, appearance=features)


def difference(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how different appearances are, in units of CIELAB; NaN where they have no part in common.

    Shape:
        a: (…, 30).
        b: (…, 30).
        result: (…).
    """
    apart = np.abs(np.asarray(a, np.float64) - b).reshape(*np.broadcast(a, b).shape[:-1], 2, _PART)
    parts = (apart * _WEIGHTS).sum(-1)
    known = np.isfinite(parts)
    share = (_SHARES * known).sum(-1)
    total = (np.where(known, parts, 0) * _SHARES).sum(-1)
    return np.asarray(np.where(share > 0, total / np.where(share > 0, share, 1), np.nan))


def usual(appearances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the usual appearance (30,) of several (n, 30): medians of features, NaN if never known."""
    result = np.full(appearances.shape[-1], np.nan)
    known = np.isfinite(appearances)
    for part in (slice(None, _PART), slice(_PART, None)):
        rows = known[:, part].all(1)
        if rows.any():
            result[part] = np.median(appearances[rows, part], axis=0)
    return result


def _torso_points(keypoints: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """(n, 2) points on the torso; None if it was not found for sure."""
    corners = keypoints[[*_SHOULDERS, *_HIPS]]
    if (corners[:, 2] < _SURE).any():
        return None
    left = corners[[0, 2], :2]
    right = corners[[1, 3], :2]
    length = float(np.hypot(*(left + right)[1] - (left + right)[0])) / 2
    across = right - left
    width = np.linalg.norm(across, axis=1, keepdims=True)
    least = _THIN * length
    aside = np.where(width > 1e-3, across / np.maximum(width, 1e-3), [[1.0, 0.0]])
    middle = (left + right) / 2
    half = aside * np.maximum(width, least) / 2
    down, over = np.meshgrid(np.linspace(0.15, 0.85, 7), np.linspace(-0.7, 0.7, 5))
    start = middle[0] + (middle[1] - middle[0]) * down.reshape(-1, 1)
    reach = half[0] + (half[1] - half[0]) * down.reshape(-1, 1)
    return np.asarray(start + reach * over.reshape(-1, 1), np.float32)


def _leg_points(keypoints: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """(n, 2) points on the legs that were found for sure; None if none was."""
    points = []
    for leg in _LEGS:
        for upper, lower in ((leg[0], leg[1]), (leg[1], leg[2])):
            if min(keypoints[upper, 2], keypoints[lower, 2]) >= _SURE:
                along = np.linspace(0.2, 0.85, 7)[:, None]
                points.append(keypoints[upper, :2] + along * (keypoints[lower, :2] - keypoints[upper, :2]))
    return np.asarray(np.concatenate(points), np.float32) if points else None


def _inside(points: NDArray[np.float32], box: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.asarray(((points >= box[:2]) & (points <= box[2:])).all(1))


def _colours(image: Image, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(15,) quantiles of L and of a and b, relative to L, at these points."""
    import cv2  # here, since the options of a run are read without it

    columns, rows = np.round(points).astype(int).T
    pixels = image[rows, columns].astype(np.float32)[None] / 255
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]
    lab[:, 1:] *= _MIDDLE / (lab[:, :1] + _DARK)  # in the shade, a and b are smaller too
    return np.asarray(np.quantile(lab, _QUANTILES, axis=0).T.ravel(), np.float32)
