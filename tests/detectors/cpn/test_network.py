import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from videopose.detectors.cpn.loss import cpn_loss, target_heatmaps
from videopose.detectors.cpn.network import CPN, HEIGHT

TINY = (1, 1, 1, 1)


def _count(model: CPN) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameters_and_flops_beside_the_published_ones():
    """Published for ResNet-50 at 384 × 288: 102 MB, which is 26.7 million float32, and 13.9 G multiply-adds.

    Ours are the published PyTorch weights', whose RefineNet has a convolution in every shortcut: 0.4 million
    more. All multiply-adds are counted here, those of shortcuts too.
    """
    with torch.device("meta"):
        model = CPN()
        assert _count(model.backbone) == 23_508_032  # torchvision's ResNet-50 without its last layer
        assert _count(model) == 27_406_826
        assert _count(model) * 4 / 2**20 == pytest.approx(102, rel=0.03)
        with FlopCounterMode(display=False) as counter:
            coarse, refined = model(torch.empty(1, 3, 384, 288))
        assert counter.get_total_flops() / 2 == pytest.approx(16.0e9, rel=0.01)
        assert [tuple(c.shape) for c in coarse] == [(1, 17, 96, 72)] * 4
        assert tuple(refined.shape) == (1, 17, 96, 72)
        assert _count(CPN(blocks=(3, 4, 23, 3))) - _count(model) == 17 * 1_117_184  # of stage 3's blocks


@pytest.mark.parametrize("size", [(384, 280), (16, 32), (0, 32)])
def test_sizes_that_do_not_fit(size):
    with pytest.raises(ValueError, match="multiples of 32"):
        CPN(size=size)


def test_new_predictions_are_as_high_as_their_targets():
    """Mean and spread, which batch norm sets, so that nothing needs to be learnt to get there."""
    torch.manual_seed(0)
    model = CPN(keypoints=3, size=(192, 192), blocks=TINY).train()
    coarse, refined = model(torch.randn(2, 3, 192, 192))
    wanted = target_heatmaps(torch.full((2, 3, 2), 96.0), (48, 48))
    for heatmaps, target in zip([*coarse, refined], [*wanted, wanted[-1]], strict=True):
        assert heatmaps.mean().item() == pytest.approx(target.mean().item(), rel=0.02)
        assert heatmaps.std().item() == pytest.approx(target.std().item(), rel=0.05)


def test_loss_against_one_written_out():
    torch.manual_seed(1)
    people, joints, cells = 3, 11, 6
    coarse = [torch.randn(people, joints, cells, cells) for _ in range(4)]
    refined = torch.randn(people, joints, cells, cells)
    wanted = [torch.randn(people, joints, cells, cells) for _ in range(4)]
    annotated = torch.rand(people, joints) > 0.2
    annotated[0] = False
    annotated[0, :3] = True  # fewer than are mined
    total = 0.0
    for level in range(4):
        for n in range(people):
            for k in range(joints):
                if annotated[n, k]:
                    squares = (coarse[level][n, k] - wanted[level][n, k]) ** 2
                    total += squares.mean().item() / (people * joints) / 4 / 2
    for n in range(people):
        hardest = sorted(
            ((refined[n, k] - wanted[3][n, k]) ** 2).mean().item() for k in range(joints) if annotated[n, k]
        )[-8:]
        total += sum(hardest) / 8 / people
    assert cpn_loss(coarse, refined, wanted, annotated).item() == pytest.approx(total, rel=1e-5)


def test_unannotated_and_easy_keypoints_give_no_gradient():
    refined = torch.zeros(1, 10, 4, 4, requires_grad=True)
    wanted = [torch.ones(1, 10, 4, 4) * torch.arange(1.0, 11)[:, None, None]] * 4
    annotated = torch.ones(1, 10, dtype=torch.bool)
    annotated[0, 9] = False
    cpn_loss([refined.detach()] * 4, refined, wanted, annotated, hardest=2).backward()
    assert refined.grad.abs().sum((-2, -1))[0].nonzero().flatten().tolist() == [7, 8]


def test_height_is_that_of_the_published_heatmaps():
    points = torch.tensor([[[4 * 5 + 2.0, 4 * 7 + 2.0]]])  # the centre of cell (5, 7)
    for wanted in target_heatmaps(points, (16, 12)):
        assert wanted[0, 0, 7, 5].item() == pytest.approx(HEIGHT)
        assert wanted.argmax().item() == 7 * 12 + 5
