import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videopose.lifting.cameras.distortion import Lens
from videopose.lifting.cameras.intrinsics import Intrinsics
from videopose.pipeline.inference.watch_background import BackgroundWatch

SIZE = (640, 360)
LENS = Lens(Intrinsics.centred(500, SIZE))
NO_BOXES = np.zeros((0, 4))


def _texture() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).random((150, 200)).astype(np.float32)
    smooth = cv2.GaussianBlur(cv2.resize(noise, (2000, 1500), interpolation=cv2.INTER_CUBIC), (0, 0), 2)
    return np.repeat(np.clip(smooth * 255, 0, 255).astype(np.uint8)[..., None], 3, 2)


TEXTURE = _texture()


def _view(rotation: NDArray[np.float64], shift: float = 0.0) -> NDArray[np.uint8]:
    """A far wall seen by a camera that turned; shift: pixels that the wall's left half moves by itself."""
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    rays = np.stack([(x - 320) / 500, (y - 180) / 500, np.ones_like(x, float)], -1) @ rotation.T
    at = rays[..., :2] / rays[..., 2:] * 700 + (1000, 750)
    at[:, :320, 0] += shift
    return cv2.remap(TEXTURE, at[..., 0].astype(np.float32), at[..., 1].astype(np.float32), cv2.INTER_LINEAR)


def _turns(yaw: NDArray[np.float64], pitch: NDArray[np.float64] | float = 0.0) -> NDArray[np.float64]:
    return Rotation.from_euler("yx", np.stack(np.broadcast_arrays(yaw, pitch), 1), degrees=True).as_matrix()


def _off(found: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.degrees(Rotation.from_matrix(np.swapaxes(found, 1, 2) @ truth[0].T @ truth).magnitude())


def test_a_camera_that_pans_there_and_back() -> None:
    truth = _turns(25 * np.sin(np.linspace(0, 2 * np.pi, 50)), np.random.default_rng(0).normal(0, 0.3, 50))
    watch = BackgroundWatch(LENS, SIZE)
    for index, turn in enumerate(truth):
        watch.see(index, _view(turn), NO_BOXES)
    motion = watch.result(50)
    assert _off(motion.rotations, truth).max() < 0.6
    assert "keyframes" in motion.how
    assert motion.warning is None


def test_a_still_camera_is_exactly_still() -> None:
    watch = BackgroundWatch(LENS, SIZE)
    noise = np.random.default_rng(0)
    for index in range(40):
        picture = _view(np.eye(3)).astype(np.int16) + noise.integers(-3, 4, (360, 640, 3))
        watch.see(index, np.clip(picture, 0, 255).astype(np.uint8), NO_BOXES)
    motion = watch.result(45)
    np.testing.assert_array_equal(motion.rotations, np.tile(np.eye(3), (45, 1, 1)))
    assert motion.how == "still: the background does not move"
    assert motion.warning is None


def test_a_camera_that_starts_to_turn_after_a_rest() -> None:
    truth = _turns(np.concatenate([np.zeros(30), np.arange(30) * 0.5]))
    watch = BackgroundWatch(LENS, SIZE)
    for index, turn in enumerate(truth):
        watch.see(index, _view(turn), NO_BOXES)
    assert _off(watch.result(60).rotations, truth).max() < 1


def test_people_are_not_background() -> None:
    truth = np.tile(np.eye(3), (20, 1, 1))
    box = np.array([[0, 0, 320, 360]])
    watch = BackgroundWatch(LENS, SIZE)
    for index in range(20):
        watch.see(index, _view(truth[index], shift=5.0 * index), box)
    assert watch.result(20).how.startswith("still")


def test_a_portrait_video() -> None:
    size = (360, 640)
    watch = BackgroundWatch(Lens(Intrinsics.centred(500, size)), size)
    truth = _turns(np.zeros(20), np.arange(20) * 0.5)
    for index, turn in enumerate(truth):
        # The portrait camera is the landscape one turned a quarter about its axis.
        watch.see(index, np.ascontiguousarray(np.rot90(_view(turn))), NO_BOXES)
    quarter = Rotation.from_euler("z", -90, degrees=True).as_matrix()
    assert _off(watch.result(20).rotations, quarter @ truth @ quarter.T).max() < 0.1


@pytest.mark.parametrize("value", [0, 255])
def test_pictures_without_a_background(value: int) -> None:
    watch = BackgroundWatch(LENS, SIZE)
    for index in range(10):
        watch.see(index, np.full((360, 640, 3), value, np.uint8), NO_BOXES)
    motion = watch.result(10)
    np.testing.assert_array_equal(motion.rotations, np.tile(np.eye(3), (10, 1, 1)))
    assert "could not be followed" in str(motion.warning)


def test_a_title_before_the_people_is_no_reason_to_warn() -> None:
    watch = BackgroundWatch(LENS, SIZE)
    for index in range(40):
        picture = np.zeros((360, 640, 3), np.uint8) if index < 20 else _view(np.eye(3))
        watch.see(index, picture, NO_BOXES)
    assert "could not be followed" in str(watch.result(40).warning)
    motion = watch.result(40, with_people=range(20, 40))
    assert motion.warning is None
    assert _off(motion.rotations, np.tile(np.eye(3), (40, 1, 1))).max() < 0.1


def test_a_camera_that_travels_is_noticed() -> None:
    watch = BackgroundWatch(LENS, SIZE)
    pictures = [_view(np.eye(3)) for _ in range(1)]
    for index in range(25):
        # Near and far parts of the picture move differently: strips at eight depths.
        picture = np.concatenate(
            [np.roll(pictures[0][45 * k : 45 * k + 45], index * (2 * k - 7), axis=1) for k in range(8)]
        )
        watch.see(index, picture, NO_BOXES)
    assert "travel" in str(watch.result(25).warning) or "could not" in str(watch.result(25).warning)


def test_no_frame_at_all() -> None:
    assert BackgroundWatch(LENS, SIZE).result(0).rotations.shape == (0, 3, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (5, 3)])
def test_pictures_of_a_few_pixels(size: tuple[int, int]) -> None:
    watch = BackgroundWatch(Lens(Intrinsics(50, 50, size[0] / 2, size[1] / 2)), size)
    random = np.random.default_rng(0)
    for index in range(20):
        watch.see(index, random.integers(0, 255, (size[1], size[0], 3), np.uint8), NO_BOXES)
    assert watch.result(20).rotations.shape == (20, 3, 3)
