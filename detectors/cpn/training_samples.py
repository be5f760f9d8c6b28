"""What CPN learns from: annotated people's crops, varied at random, and the heatmaps they should give.

A batch depends on the seed and its iteration alone, so that a resumed run sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..coco.annotations import Annotations, Person
from ..finetuning.config import AugmentationConfig, CPNRecipe
from ..people import Image
from .crops import Window
from .network import HEIGHT, SPREADS, STRIDE

Sample = tuple[Image, NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True)
class Batch:
    """crops: (N, H, W, 3) uint8. points: (N, K, 2) pixels of the crop. annotated: (N, K) bool."""

    crops: Tensor
    points: Tensor
    annotated: Tensor

    def to(self, device: str) -> Batch:
        """The same on another device."""
        return Batch(self.crops.to(device), self.points.to(device), self.annotated.to(device))


@dataclass(frozen=True)
class Share:
    """Which part of every batch is this process's: `rank` of `count`."""

    rank: int = 0
    count: int = 1


def batches(
    recipe: CPNRecipe, annotations: Annotations, images: Path, *, start: int = 0, share: Share | None = None
) -> Iterator[Batch]:
    """Batches from iteration `start` on, without end, the next one being read by threads meanwhile.

    Everybody comes once before anybody comes again. Raises `InputError` for images that cannot be read.
    """
    share = share or Share()
    people = annotations.trainable()
    size = recipe.batch // share.count
    mirror = list(annotations.keypoints.mirror)

    def sample(position: int) -> Sample:
        round_, place = divmod(position, len(people))
        order = np.random.default_rng([recipe.seed, 0, round_]).permutation(len(people))
        person = people[order[place]]
        image = annotations.images[person.image].read(images)
        generator = np.random.default_rng([recipe.seed, 1, position])
        return vary(person, image, recipe.size, recipe.augmentation, mirror, generator)

    with ThreadPoolExecutor(max(recipe.workers, 1)) as pool:

        def ask(iteration: int) -> list[Future[Sample]]:
            first = iteration * recipe.batch + share.rank * size
            return [pool.submit(sample, first + i) for i in range(size)]

        ahead = ask(start)
        try:
            while True:
                start += 1
                pending, ahead = ahead, ask(start)
                crops, points, annotated = zip(*(future.result() for future in pending), strict=True)
                yield Batch(*(torch.from_numpy(np.stack(part)) for part in (crops, points, annotated)))
        finally:
            pool.shutdown(cancel_futures=True)


def vary(
    person: Person,
    image: Image,
    size: tuple[int, int],
    augmentation: AugmentationConfig,
    mirror: list[int],
    generator: np.random.Generator,
) -> Sample:
    """A person's crop (H, W, 3), varied at random; the (K, 2) keypoints in it; which of them are annotated.

    A keypoint beyond the crop is not.
    """
    height, width = size
    window = Window.around(person.box, size, scale=generator.uniform(*augmentation.scale))
    if generator.random() < 0.5:
        window = replace(window, angle=generator.uniform(-1, 1) * augmentation.rotation)
    crop = window.cut(image, size)
    points = window.to_crop(person.keypoints[:, :2], size)
    annotated = person.keypoints[:, 2] > 0
    if generator.random() < augmentation.mirror:
        crop = crop[:, ::-1]
        points = np.asarray(points * [-1, 1] + [width, 0], np.float32)[mirror]
        annotated = annotated[mirror]
    if augmentation.colour:
        brightness = generator.uniform(1 - augmentation.colour, 1 + augmentation.colour, 3)
        crop = np.clip(crop * brightness, 0, 255).astype(np.uint8)
    inside = ((points >= 0) & (points < [width, height])).all(1)
    return np.ascontiguousarray(crop), points, annotated & inside


def targets(points: Tensor, map_size: tuple[int, int]) -> list[Tensor]:
    """(N, K, 2) pixels of the crop → for each of `SPREADS` (N, K, h, w): Gaussians around the points."""
    cells = points / STRIDE - 0.5
    rows, columns = (torch.arange(side, dtype=points.dtype, device=points.device) for side in map_size)
    across, down = columns - cells[..., :1], rows - cells[..., 1:]
    heatmaps = []
    for spread in SPREADS:
        x, y = (torch.exp(-((offset / spread) ** 2) / 2) for offset in (across, down))
        heatmaps.append(HEIGHT * y[..., :, None] * x[..., None, :])
    return heatmaps
