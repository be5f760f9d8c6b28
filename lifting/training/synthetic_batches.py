"""Training batches that are simulated from motion capture, and the held-out people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...errors import UsageError
from ...skeleton import COCO_TO_H36M, H36M17
from ..cameras.input_space import centre, centre_visible, visible_joints
from ..cameras.intrinsics import H36M_FOCAL
from ..datasets.motion_capture import MotionCapture
from ..simulation.constants import indices, on_device
from ..simulation.detector_noise import simulate
from ..simulation.motion_bank import COCO_POINTS, MIRROR, NUM_POINTS, MotionBank, random_bodies
from ..simulation.picture import look
from ..simulation.random_cameras import random_cameras
from ..simulation.rare_postures import make_rare_postures
from ..simulation.recombination import recombine
from .batch import Batch
from .config import MotionFile, SyntheticConfig, TrainingConfig


class SynthesisedBatches:
    """A `BatchSource` of motion capture and random cameras. It is endless and has no epochs.

    If there are several processes, each one synthesises its own part of a batch.

    Args:
        bank: The motion to train on.
        config: The training configuration.
    """

    num_joints_in = 17
    num_joints_out = 17
    steps_per_epoch = None

    def __init__(self, bank: MotionBank, config: SyntheticConfig) -> None:
        self.bank = bank
        self.config = config
        self.num_steps = config.schedule.steps
        self._made: tuple[tuple[int, int, int], Batch] | None = None

    def sample(self, step: int, *, rank: int = 0, world_size: int = 1) -> Batch:
        """Return the batch of a step, or one process's part of it, as `BatchSource` describes."""
        schedule = self.config.schedule
        count = schedule.batch * (rank + 1) // world_size - schedule.batch * rank // world_size
        group, index = divmod(step, schedule.batches_at_once)
        wanted = (group, rank, world_size)
        if self._made is None or self._made[0] != wanted:
            # The generator uses the lower 32 bits only.
            seed = self.config.seed * 1_000_003 + group + rank * 2_654_435_761
            generator = torch.Generator(self.bank.points.device).manual_seed(seed)
            together = synthesise(self.bank, self.config, count * schedule.batches_at_once, generator)
            self._made = wanted, together
        return self._made[1].part(index * count, (index + 1) * count)


def split(config: TrainingConfig, folder: Path) -> tuple[MotionBank, MotionCapture | None]:
    """Read the configured motion files and split them into training and held-out people.

    Args:
        config: The training configuration.
        folder: Folder that the paths of the motion files are relative to.

    Returns:
        The motion to train on, and the motion of the held-out people (None if there are none).

    Raises:
        InputError: A file cannot be read.
        UsageError: A name in the configuration is not in its motion file, a file has no clip left to train
            on, or people are held out of more than one file.
    """
    train: list[tuple[MotionCapture, float]] = []
    held: list[MotionCapture] = []
    for motion in config.motions:
        table = MotionCapture.load(folder / motion.path)
        known = {*table.subjects, *(f"{s}/{a}" for s, a in zip(table.subjects, table.actions, strict=True))}
        if unknown := sorted(({*motion.held_out} - {*table.subjects}) | ({*motion.exclude} - known)):
            raise UsageError(
                f"{motion.path} has no subject or clip {', '.join(unknown)}; correct held_out or exclude"
            )
        keep = [i for i in range(len(table)) if _role(table, i, motion) == "train"]
        if not keep:
            raise UsageError(
                f"{motion.path}: every clip is held out or excluded; shorten held_out or exclude"
            )
        train.append((table.select(keep), motion.weight))
        test = [i for i in range(len(table)) if _role(table, i, motion) == "held out"]
        if test:
            held.append(table.select(test))
    if config.rare_postures.minutes:
        made = make_rare_postures(train[0][0], minutes=config.rare_postures.minutes, seed=config.seed)
        train.append((made, config.rare_postures.weight))
    if len(held) > 1:
        raise UsageError(
            f"expected held-out people in one motion file, found them in {len(held)}; keep one held_out"
        )
    return MotionBank.build(train), held[0] if held else None


def _role(table: MotionCapture, clip: int, motion: MotionFile) -> str:
    """Return what a clip is used for: "train", "held out" or "excluded"."""
    subject, action = table.subjects[clip], table.actions[clip]
    if subject in motion.held_out:
        return "held out"
    return "excluded" if {subject, f"{subject}/{action}"} & set(motion.exclude) else "train"


_NEAR = 0.3  # Smallest depth of a projected point, in metres.
_NOSE = H36M17.index("nose")
_NO_EDGES = (-math.inf, math.inf, -math.inf, math.inf)


_COCO_TO_H36M = torch.from_numpy(COCO_TO_H36M.copy())


def synthesise(bank: MotionBank, config: SyntheticConfig, count: int, generator: torch.Generator) -> Batch:
    """Sample windows as `film` does, and convert them to the configured input space.

    Args:
        bank: The motion.
        config: The training configuration.
        count: Number of windows.
        generator: Random generator on the bank's device.
    """
    filmed = film(bank, config, count, generator)
    if config.input_space == "rays":
        return Batch((filmed.keypoints * H36M_FOCAL).contiguous(), filmed.pose, filmed.root)
    if filmed.visible is not None:
        inputs, rotation = centre_visible(filmed.keypoints, filmed.visible)
    else:
        inputs, rotation = centre(filmed.keypoints)
    at_target = rotation[:, filmed.target]
    return Batch(inputs, torch.einsum("nij,nkj->nki", at_target, filmed.pose), filmed.root)


@dataclass(frozen=True)
class Filmed:
    """Windows of motion as simulated cameras and detectors record them.

    Attributes:
        keypoints: (N, F, 17, 2) rays in the Human3.6M layout, in units of the focal length.
        visible: (N, F, 17) bool; None if all keypoints are visible.
        pose: (N, 17, 3) H36M17 of the target frame in camera space, metres, root at 0.
        root: (N, 3) root of the target frame in camera space, metres.
        target: Index of the frame whose pose is predicted.
    """

    keypoints: Tensor
    visible: Tensor | None
    pose: Tensor
    root: Tensor
    target: int


def film(bank: MotionBank, config: SyntheticConfig, count: int, generator: torch.Generator) -> Filmed:
    """Sample windows, each with its own motion, body, camera, speed and detector errors.

    Body, mirroring and camera are linear, so everything up to the projection is one matrix per window. A
    batch is a few large operations on the bank's device, without a loop over windows and without waiting for
    a GPU.

    Args:
        bank: The motion.
        config: The training configuration.
        count: Number of windows.
        generator: Random generator on the bank's device.
    """
    device = bank.points.device
    frames = math.prod(config.model.filter_widths)
    target = frames - 1 if config.model.causal else frames // 2

    low, high = config.speed
    speed = low + (high - low) * torch.rand(count, 1, generator=generator, device=device)
    steps = torch.arange(frames, device=device) - target
    centres = bank.draw(count, generator)
    windows = bank.windows(centres, steps * (speed * bank.rate / config.rate))

    if config.recombination.share:
        windows = recombine(windows, config.recombination, generator, target=target, rate=config.rate)

    body = random_bodies(count, config.bodies, generator)
    mirrored = torch.rand(count, generator=generator, device=device) < config.mirror
    body = torch.where(mirrored[:, None, None], body[:, indices(MIRROR, device)], body)
    world = _tumble(count, config.tumble, generator)
    world[:, :, 0] *= torch.where(mirrored, -1.0, 1.0)[:, None]

    at_target = windows[:, target].reshape(count, NUM_POINTS, 3)
    root = torch.einsum("nij,nj->ni", world, torch.einsum("nj,njd->nd", body[:, 0], at_target))
    # Keep tipped people above the floor.
    root[:, 2] = root[:, 2].clamp(min=0.2)
    head = None
    if config.cameras.near:
        nose = body[:, _NOSE] - body[:, 0]
        head = root + torch.einsum("nij,nj->ni", world, torch.einsum("nj,njd->nd", nose, at_target))
    rotation, position = random_cameras(root, config.cameras, generator, head=head)
    turn = rotation @ world
    # The camera was placed about the root; clamping moved the root, which moves the whole window with it.
    shift = torch.einsum("nij,nj->ni", rotation, root - position) - torch.einsum(
        "nij,nj->ni", turn, torch.einsum("nj,njd->nd", body[:, 0], at_target)
    )

    # (N, 22 · 3) → (N, 3 · 17): COCO keypoints, coordinate by coordinate.
    map_coco = torch.einsum("nij,nkp->npjik", turn, body[:, indices(COCO_POINTS, device)]).reshape(
        count, NUM_POINTS * 3, 3 * 17
    )
    coco = torch.bmm(windows, map_coco).view(count, frames, 3, 17).add_(shift[:, None, :, None])
    depth = coco[:, :, 2].clamp(min=_NEAR)
    rays = coco[:, :, :2] / depth[:, :, None]
    sees = config.input_space == "centred-visible"
    if sees:
        found, edges, misplaced = look(
            rays,
            depth,
            config.picture,
            generator,
            target=target,
            near=config.cameras.near_distance[1] if config.cameras.near else 0.0,
            least_depth=_NEAR,
        )

    pose = torch.einsum("nij,nkp,npj->nki", turn, body[:, :17], at_target) + shift[:, None]
    root = pose[:, 0]
    rays = simulate(rays, depth, 1 / root[:, 2].clamp(min=_NEAR), config.detections, generator)
    if sees:
        edges = torch.where(misplaced[:, None], edges, edges.new_tensor(_NO_EDGES))[:, None, :, None]
        rays = rays.clamp(edges[:, :, 0::2], edges[:, :, 1::2])
    error = torch.randn(count, generator=generator, device=device).clamp(-2.5, 2.5)
    focal = torch.exp(config.cameras.focal_error * error)
    rays.mul_(focal[:, None, None, None])
    keypoints = (rays @ on_device(_COCO_TO_H36M, device).T).transpose(2, 3)
    visible = visible_joints(found) if sees else None
    return Filmed(keypoints, visible, pose - root[:, None], root, target)


def _tumble(count: int, share: float, generator: torch.Generator) -> Tensor:
    """Return (count, 3, 3) rotations about a horizontal axis for a share of windows, else the identity."""
    device = generator.device
    tipped = torch.rand(count, generator=generator, device=device) < share
    angle = (torch.rand(count, generator=generator, device=device) * 2 - 1) * 2.2
    angle = torch.where(tipped, angle, torch.zeros_like(angle))
    bearing = torch.rand(count, generator=generator, device=device) * 2 * math.pi
    axis = torch.stack([bearing.cos(), bearing.sin(), torch.zeros_like(bearing)], 1)
    cross = torch.zeros(count, 3, 3, device=device)
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross = cross - cross.transpose(1, 2)
    s, c = angle.sin()[:, None, None], (1 - angle.cos())[:, None, None]
    return torch.eye(3, device=device) + s * cross + c * (cross @ cross)
