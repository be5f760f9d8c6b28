import pytest
import torch
from torch import Tensor

from videopose.lifting.cameras.input_space import (
    centre,
    centre_visible,
    look_at,
    turn_back,
    visible_joints,
)
from videopose.skeleton import COCO17, H36M17

HIP, SPINE, THORAX = (H36M17.index(n) for n in ("hip", "spine", "thorax"))
OTHERS = [i for i in range(17) if i not in (HIP, SPINE)]
WAYS = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, -0.4], [-0.6, 0.3], [1.2, 0.7]])


def _pose() -> Tensor:
    """(17, 3) metres, root at 0."""
    pose = torch.randn(17, 3, generator=torch.Generator().manual_seed(0)) * 0.4
    pose[HIP] = 0
    pose[SPINE] = pose[THORAX] / 2
    return pose


def _seen(pose: Tensor, distance: float = 4.0) -> tuple[Tensor, Tensor]:
    """Rays (5, 17, 2) of the pose turned towards each of `WAYS`, and the turned poses (5, 17, 3)."""
    turned = turn_back(pose.expand(len(WAYS), 17, 3), look_at(WAYS))
    placed = turned + distance * torch.nn.functional.normalize(
        torch.cat([WAYS, torch.ones(len(WAYS), 1)], 1), dim=1
    ).unsqueeze(1)
    return placed[..., :2] / placed[..., 2:], turned


def test_rotations_look_along_the_ray_without_roll() -> None:
    rotation = look_at(WAYS)
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(5, 3, 3))
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(5))
    rays = torch.cat([WAYS, torch.ones(5, 1)], 1)
    along = torch.einsum("nij,nj->ni", rotation, rays)
    torch.testing.assert_close(along[:, :2], torch.zeros(5, 2), atol=1e-6, rtol=0)
    assert (along[:, 2] > 0).all()
    assert (rotation[:, 0, 1] == 0).all()  # the virtual camera's right stays level
    assert (rotation[:, 1, 1] > 0).all()  # and its down points down
    torch.testing.assert_close(rotation[0], torch.eye(3))


def test_where_a_person_stands_does_not_change_what_the_network_reads() -> None:
    rays, _ = _seen(_pose())
    inputs, _ = centre(rays)
    torch.testing.assert_close(inputs[:, OTHERS], inputs[:1, OTHERS].expand(5, -1, -1), atol=1e-5, rtol=1e-5)
    usual = inputs[:, OTHERS].square().sum(-1).mean(-1).sqrt()
    assert ((usual > 0.85) & (usual < 1.15)).all()


def test_where_a_person_stands_is_told_beside() -> None:
    near, far = (centre(_seen(_pose(), distance)[0])[0] for distance in (30.0, 60.0))
    torch.testing.assert_close(near[:, HIP], WAYS)
    torch.testing.assert_close(far[:, HIP], WAYS)
    torch.testing.assert_close(near[:, OTHERS], far[:, OTHERS], atol=0.06, rtol=0)
    torch.testing.assert_close(
        near[:, SPINE, 1] - far[:, SPINE, 1], torch.full((5,), 2.0).log(), atol=0.02, rtol=0
    )
    assert (near[:, SPINE, 0] == 0).all()


def test_poses_turn_back() -> None:
    rays, turned = _seen(_pose())
    _, rotation = centre(rays)
    torch.testing.assert_close(turn_back(_pose().expand(5, 17, 3), rotation), turned, atol=1e-5, rtol=0)


def test_mirroring_before_and_after_is_the_same() -> None:
    rays, _ = _seen(_pose())
    flip = torch.tensor([-1.0, 1.0])
    inputs, _ = centre(rays)
    mirrored, _ = centre(rays[:, list(H36M17.mirror)] * flip)
    torch.testing.assert_close(mirrored, inputs[:, list(H36M17.mirror)] * flip, atol=1e-6, rtol=1e-5)


def test_leading_dimensions_are_kept_and_the_rays_left_alone() -> None:
    rays = torch.randn(2, 3, 17, 2, generator=torch.Generator().manual_seed(1)) * 0.3
    before = rays.clone()
    inputs, rotation = centre(rays)
    assert inputs.shape == (2, 3, 17, 2)
    assert rotation.shape == (2, 3, 3, 3)
    assert torch.equal(rays, before)
    torch.testing.assert_close(centre(rays[1, 2])[0], inputs[1, 2])


@pytest.mark.parametrize("rays", [torch.zeros(17, 2), torch.full((17, 2), 50.0), torch.linspace(-9, 9, 34)])
def test_impossible_keypoints_give_finite_numbers(rays: Tensor) -> None:
    inputs, rotation = centre(rays.reshape(17, 2))
    assert inputs.isfinite().all()
    assert rotation.isfinite().all()


def _rays(seed: int = 0) -> Tensor:
    return 0.2 * torch.randn(6, 17, 2, generator=torch.Generator().manual_seed(seed))


def test_centred_visible_is_centred_where_everything_is_visible() -> None:
    """The first two features and the rotation are `centre`'s."""
    rays = _rays()
    inputs, rotation = centre(rays)
    with_mask, turned = centre_visible(rays, torch.ones(6, 17, dtype=torch.bool))
    assert torch.allclose(with_mask[..., :2], inputs, atol=1e-5)
    assert torch.equal(with_mask[..., 2], torch.ones(6, 17))
    assert torch.allclose(turned, rotation)


@pytest.mark.parametrize("hidden", [("lknee", "rfoot"), ("hip", "lhip"), ("hip", "spine", "thorax")])
def test_hidden_joints_leave_no_trace(hidden: tuple[str, ...]) -> None:
    """Wherever a hidden joint was, the input is the same."""
    visible = torch.ones(6, 17, dtype=torch.bool)
    rays, other = _rays(), _rays()
    for name in hidden:
        joint = H36M17.index(name)
        visible[:, joint] = False
        other[:, joint] += 3
    first, turned = centre_visible(rays, visible)
    second, turned_too = centre_visible(other, visible)
    assert torch.equal(first, second)
    assert torch.equal(turned, turned_too)
    assert not bool(first[..., 2][~visible].any())


def test_what_the_virtual_camera_looks_at() -> None:
    """The hip, else the thorax, else the mean of what is visible."""
    rays = _rays()
    visible = torch.ones(6, 17, dtype=torch.bool)
    hip, thorax = H36M17.index("hip"), H36M17.index("thorax")
    for joint in (hip, thorax):
        inputs, _ = centre_visible(rays, visible)
        assert torch.allclose(inputs[:, hip, :2], rays[:, joint])
        visible[:, joint] = False
    inputs, _ = centre_visible(rays, visible)
    assert torch.allclose(inputs[:, hip, :2], rays[:, visible[0]].mean(1), atol=1e-6)


def test_visible_joints() -> None:
    """A joint needs all the keypoints it is made of, the head one of the face."""
    keypoints = torch.ones(17, dtype=torch.bool)
    assert bool(visible_joints(keypoints).all())
    keypoints[[COCO17.index(name) for name in ("lhip", "nose", "leye", "reye", "lear")]] = False
    hidden = {H36M17.names[i] for i in torch.where(~visible_joints(keypoints))[0].tolist()}
    assert hidden == {"hip", "lhip", "spine", "nose"}
    keypoints[COCO17.index("rear")] = False
    assert not bool(visible_joints(keypoints)[H36M17.index("head")])
