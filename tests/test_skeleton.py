from dataclasses import replace

import numpy as np
import pytest

from videopose.skeleton import COCO17, COCO_TO_H36M, H36M17, HUMANEVA15, SKELETONS, Skeleton, convert

# A person facing the camera, in pixels: their right hand side is on the image's left.
KEYPOINTS = {
    "nose": (100, 50), "leye": (104, 46), "reye": (96, 46), "lear": (110, 48), "rear": (90, 48),
    "lshoulder": (130, 90), "rshoulder": (70, 90), "lelbow": (140, 130), "relbow": (60, 132),
    "lwrist": (145, 170), "rwrist": (55, 174), "lhip": (118, 170), "rhip": (82, 174),
    "lknee": (120, 230), "rknee": (80, 232), "lankle": (122, 290), "rankle": (78, 296),
}  # fmt: skip
CONVERTED = {
    "hip": (100, 172), "rhip": (82, 174), "rknee": (80, 232), "rfoot": (78, 296),
    "lhip": (118, 170), "lknee": (120, 230), "lfoot": (122, 290),
    "spine": (100, 131), "thorax": (100, 90), "nose": (100, 50), "head": (100, 47),
    "lshoulder": (130, 90), "lelbow": (140, 130), "lwrist": (145, 170),
    "rshoulder": (70, 90), "relbow": (60, 132), "rwrist": (55, 174),
}  # fmt: skip


def _keypoints() -> np.ndarray:
    return np.array([KEYPOINTS[name] for name in COCO17.names], np.float32)


def test_conversion_of_hand_worked_points() -> None:
    expected = [CONVERTED[name] for name in H36M17.names]
    converted = convert(_keypoints(), COCO17, H36M17)
    assert converted.dtype == np.float32
    np.testing.assert_allclose(converted, expected, atol=1e-4)


def test_a_joint_scores_as_the_least_of_its_sources() -> None:
    scores = np.linspace(0.9, 0.1, 17, dtype=np.float32)  # COCO order: the nose best, the right ankle worst
    converted = convert(np.concatenate([_keypoints(), scores[:, None]], 1), COCO17, H36M17)

    def score(name: str) -> float:
        return float(scores[COCO17.index(name)])

    for joint, source in {
        "hip": "rhip", "spine": "rhip", "thorax": "rshoulder", "head": "rear", "nose": "nose",
        "rfoot": "rankle", "lfoot": "lankle", "lwrist": "lwrist",
    }.items():  # fmt: skip
        assert converted[H36M17.index(joint), 2] == pytest.approx(score(source)), joint
    np.testing.assert_allclose(converted[:, :2], convert(_keypoints(), COCO17, H36M17), atol=1e-4)


@pytest.mark.parametrize("last", [2, 3])
def test_conversion_keeps_leading_dimensions(last: int) -> None:
    many = np.random.default_rng(0).random((2, 5, 17, last), np.float32)
    converted = convert(many, COCO17, H36M17)
    assert converted.shape == (2, 5, 17, last)
    np.testing.assert_allclose(converted[1, 3], convert(many[1, 3], COCO17, H36M17), atol=1e-6)
    assert convert(many[:, :0], COCO17, H36M17).shape == (2, 0, 17, last)


@pytest.mark.parametrize("shape", [(17,), (17, 1), (17, 4), (16, 2), (5, 15, 3)])
def test_conversion_rejects_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="coco17"):
        convert(np.zeros(shape, np.float32), COCO17, H36M17)


def test_the_conversion_matrix_averages_and_cannot_be_changed() -> None:
    np.testing.assert_allclose(COCO_TO_H36M.sum(1), 1, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        COCO_TO_H36M[0, 0] = 1


def test_the_human36m_layout_is_the_agreed_one() -> None:
    assert H36M17.names == (
        "hip", "rhip", "rknee", "rfoot", "lhip", "lknee", "lfoot", "spine", "thorax", "nose", "head",
        "lshoulder", "lelbow", "lwrist", "rshoulder", "relbow", "rwrist",
    )  # fmt: skip
    assert H36M17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert H36M17.left == (4, 5, 6, 11, 12, 13)
    assert H36M17.right == (1, 2, 3, 14, 15, 16)


def test_the_coco_layout_pairs_neighbours() -> None:
    assert COCO17.left == tuple(range(1, 17, 2))
    assert COCO17.right == tuple(range(2, 17, 2))


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_mirroring_swaps_left_and_right_and_twice_is_nothing(skeleton: Skeleton) -> None:
    for joint, twin in enumerate(skeleton.mirror):
        assert skeleton.mirror[twin] == joint
        name, other = skeleton.names[joint], skeleton.names[twin]
        assert other == ({"l": "r", "r": "l"}[name[0]] + name[1:] if name[0] in "lr" else name)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_bones_mirror_to_bones(skeleton: Skeleton) -> None:
    assert len(skeleton.bones) == len(skeleton) - 1
    mirrored = {(skeleton.mirror[a], skeleton.mirror[b]) for a, b in skeleton.bones}
    assert mirrored == set(skeleton.bones)


def test_layouts_are_found_by_name() -> None:
    sizes = {"coco17": 17, "h36m17": 17, "humaneva15": 15, "mpii16": 16}
    assert {name: len(s) for name, s in SKELETONS.items()} == sizes
    assert SKELETONS["humaneva15"] is HUMANEVA15


@pytest.mark.parametrize(
    ("names", "parents", "complaint"),
    [
        (("hip", "head"), (-1,), "one parent per joint"),
        (("hip", "hip"), (-1, 0), "distinct"),
        (("hip", "head"), (1, 0), "cycle"),
        ((), (), "distinct"),
        (("hip", "neck", "head"), (-1, 2, 1), "cycle"),
        (("hip", "head"), (-1, 1), "cycle"),
        (("hip", "lknee"), (-1, 0), "right twin"),
        (("hip", "rknee"), (-1, 0), "twin"),
        (("hip", "lknee", "rfoot"), (-1, 0, 0), "right twin"),
        (("hip", "head"), (-1, 2), "parent"),
    ],
)
def test_skeletons_check_themselves(names: tuple[str, ...], parents: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Skeleton("made up", names, parents)


def test_left_and_right_may_be_given_without_names() -> None:
    skeleton = Skeleton.without_names("file", 3, (2,), (0,))
    assert (skeleton.mirror, skeleton.sided, skeleton.bones) == ((2, 1, 0), (0, 2), ())
    with pytest.raises(ValueError, match="file has no joint ''; it has joints without names"):
        skeleton.index("")
    with pytest.raises(ValueError, match="left and right joints together"):
        Skeleton("half", ("a", "b"), left=(0,))


def test_bones_of_a_forest_and_bones_that_are_given() -> None:
    assert Skeleton("forest", ("hip", "knee", "head"), (-1, 0, -1)).bones == ((1, 0),)
    triangle = ((0, 1), (1, 2), (2, 0))
    assert Skeleton("drawn", ("a", "b", "c"), bones=triangle).bones == triangle
    with pytest.raises(ValueError, match="among the 3 joints"):
        Skeleton("drawn", ("a", "b", "c"), bones=((0, 3),))


def test_skeletons_are_values() -> None:
    same = Skeleton(COCO17.name, COCO17.names, COCO17.parents)
    assert (same, hash(same)) == (COCO17, hash(COCO17))
    assert replace(COCO17, name="other") != COCO17
    assert COCO17.indices("rhip", "lhip") == (12, 11)


def test_skeletons_that_do_not_convert() -> None:
    with pytest.raises(ValueError, match="cannot convert humaneva15 to coco17: humaneva15 has no"):
        convert(np.zeros((15, 3), np.float32), HUMANEVA15, COCO17)
    keypoints = np.random.default_rng(0).random((4, 17, 3), np.float32)
    np.testing.assert_array_equal(convert(keypoints, H36M17, H36M17), keypoints)
