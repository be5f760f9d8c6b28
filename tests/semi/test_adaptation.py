from dataclasses import replace

import numpy as np
import pytest
import torch

from videopose.errors import InputError
from videopose.lifting.cameras.input_space import InputSpace, num_features
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.lifting.datasets.motion_capture import MotionCapture, coco_face
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.simulation.motion_bank import COCO_POINTS
from videopose.semi.adaptation import AdaptationConfig, adapt
from videopose.semi.clip_batches import ClipBatches, stretches_of
from videopose.semi.quality import assess
from videopose.semi.spans import Span
from videopose.skeleton import H36M17

CAMERA, SIZE = Intrinsics(900.0, 900.0, 640.0, 360.0), (1280, 720)


def _span(motion: MotionCapture, *, score: float = 0.9, frames: slice = slice(None), track: int = 0) -> Span:
    """A person who walks, seen from the side, at 25 frames a second."""
    clip = np.concatenate([motion.clip(0), coco_face(motion.clip(0))], 1)
    seen = np.stack([clip[..., 0] - 0.5, 1 - clip[..., 2], 4 + clip[..., 1]], -1)[:, list(COCO_POINTS)]
    noise = np.random.default_rng(0).normal(0, 2, (*seen.shape[:2], 2))
    pixels = seen[..., :2] / seen[..., 2:] * 900 + [640, 360] + noise
    keypoints = np.concatenate([pixels, np.full((*seen.shape[:2], 1), score)], 2).astype(np.float32)[frames]
    count = len(keypoints)
    return Span("a.mp4", track, keypoints, np.zeros(count, bool), np.arange(count) / 25, CAMERA, SIZE)


def _tiny(space: InputSpace, *, causal: bool = False) -> Lifter:
    torch.manual_seed(0)
    model = TemporalModel(
        filter_widths=(3, 3), channels=8, causal=causal, in_features=num_features(space)
    ).eval()
    return Lifter(model, "h36m17", space, 25.0)


@pytest.fixture(scope="module")
def start() -> Lifter:
    return load_lifter("default")


def test_projections_and_bones_improve_while_size_and_trunk_stay(
    motion: MotionCapture, start: Lifter
) -> None:
    span, digest = _span(motion), start.digest()
    adapted = adapt(start, [span], AdaptationConfig(steps=12, samples=16))
    assert adapted.steps == 12
    assert adapted.seconds == pytest.approx(len(span) / 25, abs=0.5)
    before, after = assess([span], start), assess([span], adapted.lifter)
    assert after.reprojection < 0.97 * before.reprojection
    assert after.bones < before.bones
    assert abs(adapted.drift) < 1
    (was, _), (now, _) = span.lifted(start), span.lifted(adapted.lifter)
    trunk = [H36M17.index(name) for name in ("thorax", "lshoulder", "rshoulder")]
    assert np.linalg.norm((now - was)[:, trunk].mean((0, 1))) < 0.01
    assert start.digest() == digest != adapted.lifter.digest()


def test_the_same_inputs_give_the_same_lifter(motion: MotionCapture, start: Lifter) -> None:
    config = AdaptationConfig(steps=2, samples=4)
    once, again = (adapt(start, [_span(motion)], config).lifter for _ in range(2))
    assert once.digest() == again.digest()


def _without_visibility(lifter: Lifter) -> Lifter:
    """A lifter that predicts the same where all joints are visible, without reading which are."""
    shape = {name: getattr(lifter.model, name) for name in ("filter_widths", "channels", "causal", "dropout")}
    weights = dict(lifter.model.state_dict())
    first = weights["expand_conv.weight"].unflatten(1, (17, 3))
    weights["expand_conv.weight"] = first[:, :, :2].flatten(1, 2)
    weights["expand_bn.running_mean"] = weights["expand_bn.running_mean"] - first[:, :, 2].sum((1, 2))
    model = TemporalModel(**shape)
    model.load_state_dict(weights)
    return replace(lifter, model=model.eval(), input_space="centred")


def test_lifters_that_read_visibility_and_others_are_adapted(motion: MotionCapture, start: Lifter) -> None:
    assert start.reads_visibility
    span = _span(motion)
    for lifter in (start, _without_visibility(start)):
        adapted = adapt(lifter, [span], AdaptationConfig(steps=4, samples=4)).lifter
        assert adapted.input_space == lifter.input_space
        assert assess([span], adapted).reprojection < assess([span], lifter).reprojection


@pytest.mark.parametrize(("frames", "score"), [(slice(40), 0.9), (slice(20), 0.9), (slice(None), 0.05)])
def test_footage_that_is_too_short_or_too_poor(
    motion: MotionCapture, start: Lifter, frames: slice, score: float
) -> None:
    with pytest.raises(InputError, match="are seen well for"):
        adapt(start, [_span(motion, frames=frames, score=score)])
    with pytest.raises(InputError, match=r"0\.0 s"):
        adapt(start, [])


@pytest.mark.parametrize("space", ["centred", "centred-visible", "rays"])
@pytest.mark.parametrize("causal", [False, True])
def test_people_lifted_together_are_lifted_as_alone(
    motion: MotionCapture, space: InputSpace, causal: bool
) -> None:
    lifter = _tiny(space, causal=causal)
    spans = [_span(motion), _span(motion, frames=slice(10, 40), track=1)]
    whole = stretches_of(spans, lifter, longest=1000)
    assert [len(stretch) for stretch in whole] == [sum(map(len, spans))]
    for mirror in (False, True):
        together = whole[0].poses(lifter.model, mirror=mirror)
        apart = [stretches_of([s], lifter, longest=1000)[0].poses(lifter.model, mirror=mirror) for s in spans]
        torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=0)
    expected = np.concatenate([span.lifted(lifter)[0] for span in spans])
    np.testing.assert_allclose(whole[0].start.numpy(), expected, atol=1e-4)


def test_long_tracks_are_cut_with_the_frames_around(motion: MotionCapture) -> None:
    lifter, span = _tiny("centred"), _span(motion)
    whole = stretches_of([span], lifter, longest=1000)[0].poses(lifter.model, mirror=False)
    parts = stretches_of([span], lifter, longest=25)
    assert all(len(part) <= 25 for part in parts)
    assert sum(map(len, parts)) == len(span)
    poses = torch.cat([part.poses(lifter.model, mirror=False) for part in parts])
    assert sorted(poses[:, 16, 0].tolist()) == pytest.approx(sorted(whole[:, 16, 0].tolist()), abs=1e-5)


def test_every_stretch_is_seen_plain_and_mirrored(motion: MotionCapture) -> None:
    lifter = _tiny("centred")
    stretches = stretches_of([_span(motion)], lifter, longest=25)

    class Nothing:
        def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> None:
            return None

    batches = ClipBatches(stretches, Nothing(), seed=0)  # type: ignore[arg-type]
    seen = {(id(b.stretch), b.mirror) for b in map(batches.sample, range(8 * len(stretches)))}
    assert len(seen) == 2 * len(stretches)


def test_more_footage_takes_more_steps() -> None:
    config = AdaptationConfig(steps=50, most_steps=120)
    assert [config.steps_for(n) for n in (1, 4, 100)] == [50, 100, 120]
