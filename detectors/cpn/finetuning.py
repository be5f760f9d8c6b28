"""What a training loop needs to fine-tune the cascaded pyramid network: network, optimiser and loss."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...skeleton import Skeleton
from ..coco.annotations import Annotations
from .crops import to_input
from .loss import cpn_loss, target_heatmaps
from .network import CPN
from .recipe import CPNRecipe
from .training_samples import CropBatch
from .weights import is_backbone, load_backbone, load_cpn


def initial_network(recipe: CPNRecipe, keypoints: Skeleton, base: Path | None) -> CPN:
    """Return the network that training starts from.

    Args:
        recipe: Seed, crop size and, without a base, the size of the ResNet.
        keypoints: The keypoints to learn.
        base: CPN weights of any keypoints, whose last layers in GlobalNet and RefineNet get new weights and
            batch-norm statistics. Or a ResNet's weights. None for random weights, which depend on the seed
            alone.

    Raises:
        InputError: The base is no such file.
    """
    torch.manual_seed(recipe.seed)
    if base is None or is_backbone(base):
        model = CPN(keypoints=len(keypoints), size=recipe.size, blocks=recipe.blocks)
        if base is not None:
            load_backbone(model, base)
        return model
    trained = load_cpn(base).model
    model = CPN(keypoints=len(keypoints), size=recipe.size, blocks=trained.blocks)
    kept = {name: value for name, value in trained.state_dict().items() if ".last." not in name}
    model.load_state_dict(kept, strict=False)
    # Heatmaps of other keypoints are as high, so their height does not need to be learned again.
    model.reset_predictions(
        [(p.norm.weight.mean().item(), p.norm.bias.mean().item()) for p in trained.predictions()]
    )
    return model


def check_trainable(recipe: CPNRecipe, annotations: Annotations, world_size: int) -> None:
    """Check that there is something to train on, and that the processes can share a batch.

    Raises:
        UsageError: No person has annotated keypoints, or the batch cannot be divided by `world_size`.
    """
    if not annotations.trainable():
        raise UsageError("no person is annotated with keypoints: nothing to train on")
    if recipe.batch % world_size:
        raise UsageError(f"a batch of {recipe.batch} cannot be shared out to {world_size} processes")


def optimiser(recipe: CPNRecipe, model: CPN) -> torch.optim.Optimizer:
    """Return the recipe's optimiser of all weights."""
    rate = recipe.schedule[0].learning_rate
    return torch.optim.Adam(model.parameters(), rate, weight_decay=recipe.weight_decay, fused=True)


def batch_loss(recipe: CPNRecipe, network: nn.Module, batch: CropBatch, map_size: tuple[int, int]) -> Tensor:
    """Return the loss of a batch.

    Args:
        recipe: How many keypoints RefineNet learns from.
        network: A `CPN`, perhaps wrapped for several processes.
        batch: On the network's device.
        map_size: `CPN.map_size`.
    """
    crops = to_input(batch.crops).contiguous(memory_format=torch.channels_last)
    coarse, refined = network(crops)
    targets = target_heatmaps(batch.points, map_size)
    return cpn_loss(coarse, refined, targets, batch.annotated, hardest=recipe.hardest)
