"""Axes fixed to pelvis and thorax, and rotations of points.

Points are the motion bank's 22 (see `motion_bank`), world coordinates, metres, z up.
"""

from __future__ import annotations

import torch
from torch import Tensor


def pelvis_axes(points: Tensor) -> Tensor:
    """Axes of the pelvis as columns: forward, to the left, up along the spine.

    Args:
        points: (…, 22, 3).

    Returns:
        Rotations (…, 3, 3), pelvis to world.
    """
    return _axes(points[..., 4, :] - points[..., 1, :], points[..., 7, :] - points[..., 0, :])


def thorax_axes(points: Tensor) -> Tensor:
    """Axes of the thorax as columns, like `pelvis_axes`: (…, 22, 3) → (…, 3, 3)."""
    return _axes(points[..., 11, :] - points[..., 14, :], points[..., 8, :] - points[..., 7, :])


def _axes(left: Tensor, up: Tensor) -> Tensor:
    left = _unit(left)
    forward = _unit(torch.linalg.cross(left, up))
    return torch.stack([forward, left, torch.linalg.cross(forward, left)], -1)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def rotate(rotation: Tensor, vectors: Tensor) -> Tensor:
    """Rotate vectors: (…, 3, 3) and (…, P, 3) → (…, P, 3)."""
    if not vectors.is_cuda:
        return vectors @ rotation.transpose(-1, -2)
    # On a GPU three products and sums are faster than very many products of small matrices.
    columns = rotation.unsqueeze(-3)  # (…, 1, 3, 3)
    out = vectors[..., 0:1] * columns[..., 0]
    out = torch.addcmul(out, vectors[..., 1:2], columns[..., 1])
    return torch.addcmul(out, vectors[..., 2:3], columns[..., 2])


def product(first: Tensor, second: Tensor) -> Tensor:
    """first · second for rotations (…, 3, 3)."""
    return rotate(first, second.transpose(-1, -2)).transpose(-1, -2)


def from_rotation_vectors(vectors: Tensor) -> Tensor:
    """Rotations (…, 3, 3) about axes (…, 3) by the axes' lengths, radians (Rodrigues' formula)."""
    angle = vectors.norm(dim=-1).clamp(min=1e-8)
    x, y, z = (vectors / angle[..., None]).unbind(-1)
    s, c = angle.sin(), angle.cos()
    v = 1 - c
    rows = (
        (c + x * x * v, x * y * v - z * s, x * z * v + y * s),
        (y * x * v + z * s, c + y * y * v, y * z * v - x * s),
        (z * x * v - y * s, z * y * v + x * s, c + z * z * v),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
