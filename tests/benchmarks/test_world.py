import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
world = importlib.import_module("world")
panning = importlib.import_module("panning")


def test_a_world_that_looks_another_way_is_turned_about_its_z_axis() -> None:
    truth = np.random.default_rng(0).normal(size=(20, 17, 3))
    other = truth @ Rotation.from_euler("z", 70, degrees=True).as_matrix().T
    np.testing.assert_allclose(world.turned(other, truth), truth, atol=1e-9)
    tilted = truth @ Rotation.from_euler("x", 20, degrees=True).as_matrix().T
    assert np.abs(world.turned(tilted, truth) - truth).max() > 0.1


def test_views_of_a_panorama_turn_with_the_camera() -> None:
    columns = np.tile(np.arange(3600) // 10 % 256, (panning._HEIGHT, 1)).astype(np.uint8)
    panorama = panning.Panorama(np.repeat(columns[..., None], 3, 2), np.array([[300.0, 400, 400, 500]]))
    ahead, nobody = panorama.view(np.eye(3))
    turned, person = panorama.view(Rotation.from_euler("y", 35, degrees=True).as_matrix())
    width, height = panning.SIZE
    assert ahead[height // 2, width // 2, 0] == pytest.approx(0, abs=1)
    assert turned[height // 2, width // 2, 0] == pytest.approx(35, abs=1)
    assert len(person) == 1
    left, _, right, _ = person[0]
    assert left < width / 2 < right
    assert len(nobody) == 0 or nobody[0, 2] > width / 2
