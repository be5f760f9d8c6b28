"""What the cascaded pyramid network learns from: crops of annotated people, varied at random.

A batch depends on the seed and its iteration alone, so a resumed run sees what an uninterrupted one sees.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..coco.annotations import Annotations, Person
from ..people import Image
from .crops import Window
from .recipe import AugmentationConfig, CPNRecipe

Sample = tuple[Image, NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True)
class CropBatch:
    """A training batch.

    Attributes:
        crops: (N, H, W, 3) uint8 RGB.
        points: (N, K, 2) keypoints, pixels of the crop.
        annotated: (N, K) bool: which keypoints are annotated.
    """

    crops: Tensor
    points: Tensor
    annotated: Tensor

    def to(self, device: str) -> CropBatch:
        """Return the batch on a device."""
        return CropBatch(self.crops.to(device), self.points.to(device), self.annotated.to(device))


def crop_batches(
    recipe: CPNRecipe,
    annotations: Annotations,
    images: Path,
    *,
    start: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> Generator[CropBatch, None, None]:
    """Yield batches from iteration `start` on, without end. Threads read the next one in the meantime.

    Every person comes once before any person comes again.

    Args:
        recipe: Seed, batch size, crop size and augmentation.
        annotations: The annotated people.
        images: Folder of the images.
        start: The first iteration.
        rank: Which part of every batch is this process's.
        world_size: Number of processes.

    Raises:
        InputError: An image cannot be read.
    """
    people = annotations.trainable()
    size = recipe.batch // world_size
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
            first = iteration * recipe.batch + rank * size
            return [pool.submit(sample, first + i) for i in range(size)]

        ahead = ask(start)
        try:
            while True:
                start += 1
                pending, ahead = ahead, ask(start)
                crops, points, annotated = zip(*(future.result() for future in pending), strict=True)
                yield CropBatch(*(torch.from_numpy(np.stack(part)) for part in (crops, points, annotated)))
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
    """Return a person's crop, varied at random, its keypoints, and which of them are annotated.

    Keypoints outside the crop count as not annotated.

    Shape:
        crop (H, W, 3), keypoints (K, 2) in pixels of the crop, annotated (K,).
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
