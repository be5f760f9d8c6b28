import re

import numpy as np
import pytest

from videopose.errors import InputError, UsageError
from videopose.lifting.datasets.motion_capture import coco_face
from videopose.pipeline.keypoint_import.layouts import LAYOUTS, find_layout, recognise_layout
from videopose.skeleton import (
    COCO17,
    CONVERSIONS,
    GUESS_SCORE,
    H36M17,
    MPII16,
    Conversion,
    Skeleton,
    conversion_weights,
    convert,
)

LIMBS = [
    i for i, name in enumerate(COCO17.names) if name[1:] in "shoulder elbow wrist hip knee ankle".split()
]
FACE = [i for i in range(17) if i not in LIMBS]

# What VideoPose3D's files say of themselves: left joints, right joints.
COCO = Skeleton.without_names("coco", 17, (1, 3, 5, 7, 9, 11, 13, 15), (2, 4, 6, 8, 10, 12, 14, 16))
H36M = Skeleton.without_names("h36m", 17, (4, 5, 6, 11, 12, 13), (1, 2, 3, 14, 15, 16))
H36M_SWAPPED = Skeleton.without_names(  # as MMPose has called them
    "h36m", 17, (1, 2, 3, 11, 12, 13), (4, 5, 6, 14, 15, 16)
)
MPII = Skeleton.without_names("", 16, (3, 4, 5, 13, 14, 15), (0, 1, 2, 10, 11, 12))
HUMANEVA = Skeleton.without_names("humaneva15", 15, (2, 3, 4, 8, 9, 10), (5, 6, 7, 11, 12, 13))


def _random(layout: Skeleton) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate(
        [rng.uniform(0, 500, (5, len(layout), 2)), rng.uniform(0.3, 1, (5, len(layout), 1))], -1
    ).astype(np.float32)


def own_index(coco: int, layout: Skeleton) -> int:
    name = COCO17.names[coco]
    return layout.index(name.replace("ankle", "foot") if layout is H36M17 else name)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_what_a_layout_has_is_passed_on_as_it_is(layout: Skeleton) -> None:
    keypoints = _random(layout)
    coco = convert(keypoints, layout, COCO17)
    assert (coco.shape, coco.dtype) == ((5, 17, 3), np.float32)
    guesses = CONVERSIONS[layout, COCO17].guesses if (layout, COCO17) in CONVERSIONS else {}
    own = [i for i, name in enumerate(COCO17.names) if name not in guesses]
    assert set(LIMBS) <= set(own)
    for i in own:
        np.testing.assert_array_equal(coco[:, i], keypoints[:, own_index(i, layout)])


@pytest.mark.parametrize(
    ("name", "number", "point"),
    [  # as the projects' own tables have them
        ("body25", 1, "neck"),
        ("body25", 4, "rwrist"),
        ("body25", 8, "hip"),
        ("body25", 9, "rhip"),
        ("body25", 14, "lankle"),
        ("body25", 16, "leye"),
        ("body25", 19, "lbigtoe"),
        ("body25", 24, "rheel"),
        ("coco18", 8, "rhip"),
        ("coco18", 13, "lankle"),
        ("coco18", 17, "lear"),
        ("halpe26", 16, "rankle"),
        ("halpe26", 17, "head"),
        ("halpe26", 19, "hip"),
        ("halpe26", 25, "rheel"),
        ("mpii16", 0, "rankle"),
        ("mpii16", 6, "hip"),
        ("mpii16", 9, "crown"),
        ("mpii16", 15, "lwrist"),
        ("h36m17", 3, "rfoot"),
        ("h36m17", 10, "head"),
        ("h36m17", 16, "rwrist"),
    ],
)
def test_orders(name: str, number: int, point: str) -> None:
    assert LAYOUTS[name].names[number] == point


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (COCO, "coco17"),
        (H36M, "h36m17"),
        (MPII, "mpii16"),
        (
            Skeleton.without_names("h36m", 17, (1, 2, 3, 11, 12, 13), (4, 5, 6, 14, 15, 16)),
            "h36m17",
        ),  # as MMPose has called
        (17, "coco17"),
        (16, "mpii16"),
        (18, "coco18"),
        (25, "body25"),
        (26, "halpe26"),
        (133, "wholebody133"),
        (136, "halpe136"),
    ],
)
def test_recognised_by_number_and_pairs(found: int | Skeleton, name: str) -> None:
    assert recognise_layout(found).name == name


@pytest.mark.parametrize("found", [14, HUMANEVA, Skeleton.without_names("odd", 17, (0,), (1,)), 0])
def test_unknown_layouts_are_told_the_known_ones(found: int | Skeleton) -> None:
    with pytest.raises(InputError) as caught:
        recognise_layout(found)
    for layout in LAYOUTS.values():
        assert f"{layout.name} ({len(layout)} joints)" in str(caught.value)


def test_by_name() -> None:
    assert find_layout("h36m17", 17) is LAYOUTS["h36m17"]
    with pytest.raises(UsageError, match=r"no keypoint layout 'coco'; known: coco17 \(17 joints\), "):
        find_layout("coco", 17)
    with pytest.raises(UsageError, match="--keypoint-layout mpii16 has 16 joints, the keypoints have 17"):
        find_layout("mpii16", 17)


def test_guessed_points_score_little_and_only_where_all_sources_do() -> None:
    layout = LAYOUTS["mpii16"]
    keypoints = np.ones((16, 3), np.float32)
    keypoints[layout.names.index("neck"), 2] = 0.5
    scores = convert(keypoints, layout, COCO17)[:, 2]
    np.testing.assert_allclose(scores[LIMBS], 1)
    np.testing.assert_allclose(scores[FACE], 0.5 * GUESS_SCORE)
    keypoints[layout.names.index("crown"), 2] = 0
    assert (convert(keypoints, layout, COCO17)[FACE, 2] == 0).all()


@pytest.mark.parametrize("azimuth", range(0, 360, 30))
def test_the_face_that_human36m_lacks(azimuth: int) -> None:
    """Against the rigid head that motion capture gives COCO's face by."""
    points = {  # x to the right, y ahead, z up
        "thorax": (0, 0, 1.41), "nose": (0, 0.095, 1.53), "head": (0, 0.05, 1.634),
        "lshoulder": (-0.18, 0, 1.38), "rshoulder": (0.18, 0, 1.38),
    }  # fmt: skip
    stored = np.zeros((19, 3))
    for name, position in points.items():
        stored[H36M17.index(name)] = position
    stored[17:] = (-0.075, 0.03, 1.565), (0.075, 0.03, 1.565)
    nose, *eyes = coco_face(stored.astype(np.float32))
    truth = np.stack([nose, *eyes, stored[17], stored[18]])

    turn = np.radians(azimuth)
    camera = 1000 * np.array([[np.cos(turn), np.sin(turn), 0], [0, 0, -1]])  # a far camera: pixels are mm
    seen = np.concatenate([stored[:17] @ camera.T, np.ones((17, 1))], 1).astype(np.float32)
    guessed = convert(seen, H36M17, COCO17)[FACE, :2]
    off = np.linalg.norm(guessed - truth @ camera.T, axis=1)
    assert off[0] < 25  # the nose
    assert off.max() < 40
    head = np.linalg.norm(guessed[1:].mean(0) - (truth @ camera.T)[1:].mean(0))
    assert head < 15  # what a lifter takes for the head


def test_a_layout_must_give_every_keypoint() -> None:
    with pytest.raises(ValueError, match="cannot convert headless to coco17: headless has no joint 'nose'"):
        conversion_weights(Skeleton("headless", COCO17.names[1:]), COCO17)
    with pytest.raises(ValueError, match="nose: expected weights that add up to 1"):
        Conversion(guesses={"nose": {"leye": 0.4, "reye": 0.4}})


def test_other_shapes_are_refused() -> None:
    with pytest.raises(
        ValueError, match=re.escape("expected (…, 16, 2 or 3) mpii16 keypoints, found (4, 17, 3)")
    ):
        convert(np.zeros((4, 17, 3), np.float32), MPII16, COCO17)
