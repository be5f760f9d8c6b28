"""What is outside the picture or behind something is hidden."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from videopose.lifting.simulation.config import PictureConfig
from videopose.lifting.simulation.picture import look
from videopose.skeleton import COCO17

COUNT, FRAMES, TARGET = 400, 9, 4


def _person(height: float = 0.2) -> Tensor:
    """(17,) y of a standing person's keypoints, the hips in the middle of the picture."""
    y = {"nose": -1.0, "eye": -1.02, "ear": -1.0, "shoulder": -0.7, "elbow": -0.35, "wrist": -0.02}
    y |= {"hip": 0.0, "knee": 0.6, "ankle": 1.2}
    return height * torch.tensor([y.get(name, y.get(name[1:], 0.0)) for name in COCO17.names])


def _look(
    *, depth: float = 3.0, height: float = 0.2, seed: int = 0, **values: object
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rays = torch.zeros(COUNT, FRAMES, 2, 17)
    rays[:, :, 1] = _person(height)
    config = PictureConfig.model_validate({"misplaced": 0.0} | values)
    generator = torch.Generator().manual_seed(seed)
    depths = torch.full((COUNT, FRAMES, 17), depth)
    return rays, *look(rays, depths, config, generator, target=TARGET, near=1.8, least_depth=0.3)


def test_everything_is_found_by_default() -> None:
    """Far people are in the picture as a whole unless configured otherwise."""
    _, found, _, misplaced = _look()
    assert bool(found.all())
    assert not bool(misplaced.any())


def test_near_people_are_cut_off_by_the_picture() -> None:
    """What is hidden lies outside the edges, and nothing else is."""
    rays, found, edges, _ = _look(depth=0.8, height=0.9)
    y = rays[:, :, 1]
    inside = (y > edges[:, 2, None, None]) & (y < edges[:, 3, None, None])
    enough = inside[:, TARGET].sum(1) >= 6
    assert torch.equal(found[enough], inside[enough])
    assert bool(found[~enough].all())
    ankles = found[..., COCO17.index("lankle")].float().mean()
    assert float(ankles) < float(found[..., COCO17.index("lhip")].float().mean())


def test_framed_pictures_end_on_the_body() -> None:
    """With `framed`, feet are never in the picture and shoulders mostly are."""
    _, found, _, _ = _look(framed=1.0)
    cut = ~found.all(2).all(1)
    assert float(cut.float().mean()) > 0.6
    assert not bool(found[cut][..., COCO17.index("rankle")].any())
    assert float(found[cut][..., COCO17.index("rshoulder")].float().mean()) > 0.9


@pytest.mark.parametrize(("passing", "whole"), [(0.0, 1.0), (1.0, 0.0)])
def test_limbs_are_hidden_for_whole_windows_or_a_while(passing: float, whole: float) -> None:
    """A limb group is hidden in every window."""
    _, found, _, _ = _look(limbs=1.0, passing=passing)
    hidden = (~found).any(2)
    some = hidden.any(1)
    assert float(some.float().mean()) > 0.6
    assert float(hidden[some].all(1).float().mean()) == pytest.approx(whole, abs=0.35)


def test_misplaced_keypoints_count_as_found() -> None:
    """A detector that guesses hidden keypoints does not call them hidden."""
    _, found, _, misplaced = _look(depth=0.8, height=0.9, misplaced=1.0)
    assert bool(found.all())
    assert 0.2 < float(misplaced.float().mean()) <= 1
