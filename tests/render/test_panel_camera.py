import itertools

import numpy as np
import pytest

from videopose.render.panel_camera import PanelCamera
from videopose.render.views import NAMED_VIEWS, View

BOX = np.array(list(itertools.product((-1.5, 1.5), (-1.8, 0), (-0.7, 0.7))))
LOW, HIGH = (10.0, 40.0), (510.0, 290.0)
HERE = np.zeros(3)


def _moves(view: View, direction: tuple[float, float, float]) -> np.ndarray:
    camera = PanelCamera.fit(view, BOX, LOW, HIGH)
    ends, _ = camera.project(np.array([(0, 0, 0), direction]) * 0.3, HERE)
    return ends[1] - ends[0]


@pytest.mark.parametrize("view", [*NAMED_VIEWS.values(), View(-137, 33), View(20, -30)])
def test_fits_tightly(view: View) -> None:
    points, depth = PanelCamera.fit(view, BOX, LOW, HIGH).project(BOX, HERE)
    assert (depth > 0).all()
    room = np.array(HIGH) - LOW
    span = np.ptp(points, axis=0)
    assert (points.min(0) >= np.array(LOW) - 0.01).all()
    assert (points.max(0) <= np.array(HIGH) + 0.01).all()
    assert (span / room).max() == pytest.approx(1, abs=1e-3)


def test_the_camera_view_shows_what_the_filming_camera_shows() -> None:
    assert _moves(View(0, 0), (1, 0, 0)) == pytest.approx([_moves(View(0, 0), (1, 0, 0))[0], 0])
    assert _moves(View(0, 0), (1, 0, 0))[0] > 10
    assert _moves(View(0, 0), (0, 1, 0))[1] > 10


def test_positive_azimuth_walks_to_the_right() -> None:
    assert _moves(View(90, 0), (0, 0, 1))[0] > 10  # what was far is now right
    assert _moves(View(-90, 0), (0, 0, 1))[0] < -10
    assert _moves(View(180, 0), (1, 0, 0))[0] < -10


def test_up_stays_up_and_the_top_view_has_the_far_side_above() -> None:
    for azimuth in (0, 60, 180, 275):
        assert _moves(View(azimuth, 20), (0, -1, 0))[1] < -10
    assert _moves(View(0, 90), (0, 0, 1))[1] < -10
    assert _moves(View(0, 90), (1, 0, 0))[0] > 10


def test_higher_elevation_sees_more_floor() -> None:
    heights = [-_moves(View(0, elevation), (0, 0, 1))[1] for elevation in (5, 20, 60)]
    assert heights == sorted(heights)


def test_nearer_is_larger_and_behind_is_nowhere() -> None:
    camera = PanelCamera.fit(View(0, 0), BOX, LOW, HIGH)
    (near, far), _ = camera.project(np.array([[(0, 0, -1), (1, 0, -1)], [(0, 0, 1), (1, 0, 1)]], float), HERE)
    assert np.ptp(near[:, 0]) > np.ptp(far[:, 0])
    behind, depth = camera.project(np.array([0, 0, -2 * camera.distance]), HERE)
    assert depth < 0
    assert np.isnan(behind).all()


def test_moving_the_target_is_moving_the_people() -> None:
    camera = PanelCamera.fit(View(30, 10), BOX, LOW, HIGH)
    away = np.array([12.0, 0, -7])
    assert camera.project(BOX + away, away)[0] == pytest.approx(camera.project(BOX, HERE)[0])
