"""Annotated images as training batches, made by detectron2's mapper and loader.

A batch depends on the seed and its iteration alone, so a resumed run sees what an uninterrupted one sees.
Importing this module imports detectron2: call `require_detectron2` first.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from detectron2.config import CfgNode
from detectron2.data import DatasetMapper, build_detection_train_loader
from detectron2.data.detection_utils import build_augmentation
from detectron2.structures import BoxMode
from detectron2.utils import comm
from torch.utils.data import Dataset, Sampler

from ...errors import InputError, UsageError
from ..coco.annotations import Annotations
from .recipe import MaskRCNNRecipe


def training_loader(
    recipe: MaskRCNNRecipe, config: CfgNode, annotations: Annotations, images: Path, *, start: int
) -> Any:
    """Return detectron2's loader of training batches, from iteration `start` on, without end.

    Raises:
        UsageError: No person is annotated.
        InputError: An image cannot be read; it is raised when the image is needed.
    """
    data = as_detectron2(annotations, images)
    if not data:
        raise UsageError("no person is annotated with keypoints: nothing to train on")
    mapper = DatasetMapper(
        True,
        augmentations=build_augmentation(config, True),
        image_format=config.INPUT.FORMAT,
        use_keypoint=True,
        keypoint_hflip_indices=np.array(annotations.keypoints.mirror),
    )
    return build_detection_train_loader(
        dataset=_Positions(data, mapper, recipe.seed),
        mapper=None,
        sampler=_From(start * recipe.batch),
        total_batch_size=recipe.batch,
        aspect_ratio_grouping=False,
        num_workers=recipe.workers,
    )


def as_detectron2(annotations: Annotations, images: Path) -> list[dict[str, Any]]:
    """Return the images with people to learn from, in detectron2's form; groups are marked as crowds."""
    wanted = {person.image for person in annotations.trainable()}
    return [
        {
            "image_id": number,
            "file_name": str(images / annotations.images[number].name),
            "height": annotations.images[number].height,
            "width": annotations.images[number].width,
            "annotations": [
                {
                    "bbox": person.box.tolist(),
                    "bbox_mode": BoxMode.XYXY_ABS,
                    "category_id": 0,
                    "iscrowd": int(person.crowd),
                    "keypoints": person.keypoints.ravel().tolist(),
                }
                for person in people
            ],
        }
        for number, people in annotations.by_image.items()
        if number in wanted
    ]


class _Positions(Dataset[Any]):
    """The images by position in training. Each comes once a round, varied by its position alone."""

    def __init__(
        self, data: list[dict[str, Any]], mapper: Callable[[dict[str, Any]], Any], seed: int
    ) -> None:
        self.data, self.mapper, self.seed = data, mapper, seed

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, position: int) -> Any:
        round_, place = divmod(position, len(self.data))
        order = np.random.default_rng([self.seed, 0, round_]).permutation(len(self.data))
        seed = int(np.random.default_rng([self.seed, 1, position]).integers(1 << 31))
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 — detectron2's augmentations use it
        entry = self.data[order[place]]
        try:
            return self.mapper(entry)
        except (OSError, ValueError) as error:
            raise InputError(f"{entry['file_name']} cannot be read as an image ({error})") from error


class _From(Sampler[int]):
    """Positions from `first` on, without end. Each of several processes gets its own."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        position = self.first + comm.get_rank()
        while True:
            yield position
            position += comm.get_world_size()
