import numpy as np
import pytest

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.input_space import InputSpace, to_rays
from videopose.lifting.cameras.intrinsics import H36M_FOCAL, Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.pose_table import PoseTable
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.semi.footage import compared_joints
from videopose.semi.quality import accelerations, assess, bone_variation
from videopose.semi.spans import Span, footage_of, hold_out, spans_of
from videopose.skeleton import COCO17, H36M17, convert

LENS = Lens(Intrinsics(900.0, 900.0, 640.0, 360.0), (-0.2, 0.05, 0.0), (0.001, -0.001), "opencv")
SIZE = (1280, 720)
JOINTS = list(compared_joints(H36M17, exact=False))


@pytest.fixture(scope="session")
def seen(motion: MotionCapture) -> np.ndarray:
    """(T, 22, 3): somebody who walks, in camera space, seen from the side."""
    clip = np.concatenate([motion.clip(0), coco_face(motion.clip(0))], 1)
    return np.stack([clip[..., 0] - 0.5, 1 - clip[..., 2], 4 + clip[..., 1]], -1)


@pytest.fixture(scope="session")
def table(seen: np.ndarray) -> PoseTable:
    """Her, twice; the second time some frames were not seen."""
    frames = len(seen)
    keypoints = np.concatenate([LENS.project(seen[:, list(COCO_POINTS)]), np.ones((frames, 17, 1))], 2)
    keypoints[:, 5:, 2] = 0.5
    filled = np.zeros(2 * frames, bool)
    filled[frames + 10 : frames + 15] = True
    return PoseTable(
        track=np.repeat(np.int32([0, 1]), frames),
        frame=np.tile(np.arange(frames, dtype=np.int32), 2),
        keypoints=np.tile(keypoints, (2, 1, 1)).astype(np.float32),
        pose=np.full((2 * frames, 17, 3), np.nan, np.float32),
        root=np.full((2 * frames, 3), np.nan, np.float32),
        filled=filled,
        time=np.arange(frames) / 25,
        size=SIZE,
        intrinsics=LENS.intrinsics,
    )


@pytest.fixture
def truthful(seen: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Every lifter sees her as she is. Her hip, (T, 3)."""
    root = seen[:, [1, 4]].mean(1).astype(np.float32)
    pose = (seen[:, :17] - root[:, None]).astype(np.float32)
    monkeypatch.setattr(Span, "lifted", lambda self, lifter: (pose, root))
    return root


def _lifter(space: InputSpace = "rays", rate: float | None = None) -> Lifter:
    return Lifter(TemporalModel(filter_widths=(3,), channels=4).eval(), "h36m17", space, rate)


def test_spans_are_undistorted_tracks(table: PoseTable, seen: np.ndarray) -> None:
    first, second = spans_of(table, LENS, "a.mp4")
    assert (first.name, first.track, second.track, len(first)) == ("a.mp4", 0, 1, 60)
    straight = Lens(LENS.intrinsics).project(seen[:, list(COCO_POINTS)])
    np.testing.assert_allclose(first.keypoints[..., :2], straight, atol=1e-2)
    assert second.filled.sum() == 5


def test_the_end_of_every_track_is_held_out_where_it_is_long_enough(table: PoseTable) -> None:
    spans = spans_of(table, LENS, "a.mp4")  # 2.36 seconds each
    learnt, kept = hold_out(spans, 0.5)
    assert [len(s) for s in learnt] == [len(s) for s in kept] == [30, 30]
    assert all(a.times[-1] < b.times[0] for a, b in zip(learnt, kept, strict=True))
    for share in (0.1, 0.9, 0):  # too short to measure on, or to learn from
        learnt, kept = hold_out(spans, share)
        assert ([len(s) for s in learnt], kept) == ([60, 60], [])


@pytest.mark.parametrize("space", ["rays", "screen", "centred"])
@pytest.mark.usefixtures("truthful")
def test_limbs_and_hip_are_compared_as_rays_by_score(
    table: PoseTable, seen: np.ndarray, space: InputSpace
) -> None:
    footage = footage_of(spans_of(table, LENS, "a.mp4"), _lifter(space))
    clip, gap = footage.spans
    rays = H36M_FOCAL * seen[..., :2] / seen[..., 2:]
    np.testing.assert_allclose(clip.target[:, 1:], rays[:, JOINTS[1:]], atol=1e-4)
    np.testing.assert_allclose(clip.weight, 0.5, atol=1e-3)
    assert np.flatnonzero((gap.weight == 0).all(1)).tolist() == [10, 11, 12, 13, 14]
    np.testing.assert_allclose(np.delete(gap.weight, range(10, 15), 0), 0.5, atol=1e-3)
    if space == "rays":
        np.testing.assert_array_equal(clip.lifter_input[:, JOINTS], clip.target)


def test_spans_of_a_track_are_of_one_person_and_those_of_other_videos_of_others(table: PoseTable) -> None:
    first, second = spans_of(table, LENS, "a.mp4")
    parts = [first.part(slice(30)), second, first.part(slice(30, None)), *spans_of(table, LENS, "b.mp4")]
    assert [clip.person for clip in footage_of(parts, _lifter()).spans] == [0, 1, 0, 2, 3]


@pytest.mark.parametrize("rate", [10, 60])
@pytest.mark.usefixtures("truthful")
def test_footage_of_another_rate_is_read_at_the_lifters(table: PoseTable, rate: float) -> None:
    span = spans_of(table, LENS, "a.mp4")[1]
    clip = footage_of([span], _lifter(rate=rate)).spans[0]
    assert len(clip) == round(59 / 25 * rate) + 1
    lost = clip.weight[:, 0] == 0
    times = np.linspace(0, 59 / 25, len(clip))
    assert lost[(times >= 10 / 25) & (times <= 14 / 25)].all()
    assert not lost[(times < 8 / 25) | (times > 16 / 25)].any()
    rays = to_rays(convert(span.keypoints, COCO17, H36M17)[..., :2], span.camera)
    np.testing.assert_allclose(clip.target[[0, -1]], rays[[0, -1]][:, JOINTS], atol=0.02)


def test_keypoints_that_the_lifter_contradicts_lose_their_say(table: PoseTable, truthful: np.ndarray) -> None:
    span = spans_of(table, LENS, "a.mp4")[0]
    wrist, metres = JOINTS.index(H36M17.index("lwrist")), np.linspace(0, 0.4, len(span))
    span.keypoints[:, COCO17.index("lwrist"), 0] += 900 * metres / truthful[:, 2]
    clip = footage_of([span], _lifter()).spans[0]
    assert (np.diff(clip.weight[:, wrist]) < 1e-3).all()
    at_scale = np.interp(0.08, metres, clip.weight[:, wrist])
    assert at_scale == pytest.approx(0.5 / 4, abs=0.02)
    assert clip.weight[-1, wrist] < 0.01
    np.testing.assert_allclose(np.delete(clip.weight, wrist, 1), 0.5, atol=1e-3)


def test_nobody_is_compared_where_the_lifter_cannot_place_her(table: PoseTable, truthful: np.ndarray) -> None:
    truthful[20:30] = np.nan
    clip = footage_of(spans_of(table, LENS, "a.mp4"), _lifter()).spans[0]
    assert np.flatnonzero((clip.weight == 0).all(1)).tolist() == list(range(20, 30))
    assert np.isfinite(clip.target).all()


def test_the_truth_is_of_the_best_quality(
    table: PoseTable, seen: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = spans_of(table, LENS, "a.mp4")
    root = seen[:, [1, 4]].mean(1).astype(np.float32)
    pose = (seen[:, :17] - root[:, None]).astype(np.float32)
    monkeypatch.setattr(Span, "lifted", lambda self, lifter: (pose, root))
    quality = assess(spans, _lifter())
    assert quality.reprojection < 0.5  # (the hip that is seen is midway between projected hips)
    assert quality.reprojection_rays == pytest.approx(quality.reprojection / 0.9)
    assert quality.sides == pytest.approx(0, abs=1e-3)
    assert (quality.placed, quality.frames) == (1, 120)
    worse = pose + np.random.default_rng(0).normal(0, 0.03, pose.shape).astype(np.float32)
    monkeypatch.setattr(Span, "lifted", lambda self, lifter: (worse, root))
    noisy = assess(spans, _lifter())
    for name in ("reprojection", "bones", "sides", "jitter"):
        assert getattr(noisy, name) > 2 * getattr(quality, name)


def test_bones_and_jitter() -> None:
    pose = np.random.default_rng(0).normal(size=(1, 17, 3)).astype(np.float32)
    still = np.repeat(pose, 20, 0)
    assert bone_variation(still)[0] == pytest.approx(0, abs=1e-5)
    growing = still * np.linspace(0.9, 1.1, 20, dtype=np.float32)[:, None, None]
    assert bone_variation(growing)[0] == pytest.approx(100 * np.linspace(0.9, 1.1, 20).std(), rel=1e-3)
    times = np.arange(20) / 10
    falling = still + (5 * times**2)[:, None, None].astype(np.float32) * np.float32([0, 1, 0])
    np.testing.assert_allclose(accelerations(falling, times), 10, rtol=1e-3)


def test_nothing_to_assess() -> None:
    with pytest.raises(ValueError, match="expected one span or more"):
        assess([], _lifter())
