"""Lifting live: one frame in, its pose out, at a cost that does not grow with what went before."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import UsageError
from ...skeleton import H36M17, SKELETONS, Skeleton
from ..cameras.input_space import mirrored
from ..cameras.intrinsics import Intrinsics
from ..network.fused_model import FoldedLayer, FoldedModel, PackedLinear, Precision
from ..network.temporal_model import TemporalModel
from .lifter import Lifter
from .offline import lift_in, seen_by

_AHEAD = 8  # frames whose share of the past is worked out together


class Streamer:
    """A causal model that is fed frame by frame, for one person or several side by side.

    It gives the numbers of `inference.predict` on the whole sequence, and remembers of each layer the frames
    that it will look at again. All people share one pass, which takes hardly longer than one person's: the
    time goes into reading the weights.

    people: how many there are places for. flip: the input's skeleton, to average with the prediction for the
    mirrored person; flip_out: the output's. precision: see `folded.Precision`.
    Raises `ValueError` for a model that is dense or looks into the future.
    """

    def __init__(
        self,
        model: TemporalModel,
        *,
        people: int = 1,
        flip: Skeleton | None = None,
        flip_out: Skeleton = H36M17,
        precision: Precision = "float32",
    ) -> None:
        if model.dense or not (model.causal or model.receptive_field == 1):
            raise ValueError("only a causal, dilated model can be fed frame by frame")
        self.people = people
        self._shape = (people, model.num_joints_in, model.in_features)
        self._flip = flip
        self._flip_out = flip_out.mirror if model.num_joints_out > 1 else (0,)
        rows = people if flip is None else 2 * people
        with torch.inference_mode():
            parts = FoldedModel(model, getattr(torch, precision))
            self._first = _Stream(parts.first, rows, 0)
            self._pairs = [
                (_Stream(wide, rows, phase), narrow) for phase, (wide, narrow) in enumerate(parts.pairs)
            ]
        self._last, self._device = parts.last, parts.device
        self._begun = np.zeros(people, np.bool_)

    def step(
        self, keypoints: NDArray[np.float32], begins: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """The next frame's keypoints (people, J, F), in the model's input space → poses (people, J_out, 3).

        begins: (people,), who is new in this frame; what was known of whoever had the place before is
        forgotten. A person's first frame stands for those before it. Everybody is new at first.
        Raises `ValueError` for another shape.
        """
        if keypoints.shape != self._shape:
            raise ValueError(f"expected keypoints of shape {self._shape}, got {keypoints.shape}")
        begins = ~self._begun if begins is None else begins | ~self._begun
        self._begun |= begins
        new = torch.from_numpy(np.flatnonzero(begins))
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(keypoints, np.float32))
            if self._flip is not None:
                x = torch.cat([x, mirrored(x, self._flip.mirror)])
                new = torch.cat([new, new + self.people])
            out = self._lift(x.flatten(1).to(self._device), new)
            if self._flip is not None:
                out = (out[: self.people] + mirrored(out[self.people :], self._flip_out)) / 2
            return out.float().cpu().numpy()

    def _lift(self, x: Tensor, new: Tensor) -> Tensor:
        x = self._first(x, new)
        for wide, narrow in self._pairs:
            x = x + narrow(wide(x, new)[:, None])[:, 0]
        return self._last(x).view(len(x), -1, 3)


class _Stream:
    """A layer and the frames that it will look at again.

    Of the frames that a row is made of all but one are past. What they add is worked out for several rows
    to come at a time, as the weights are then read once for all of them. phase: layers of different phases
    take turns at it.
    """

    def __init__(self, layer: FoldedLayer, people: int, phase: int) -> None:
        channels = layer.matrix.shape[1] // layer.width
        self.of_past = PackedLinear(layer.matrix[:, :-channels], layer.bias)
        self.of_present = PackedLinear(layer.matrix[:, -channels:])
        self.frame = 0
        self.reach = layer.reach
        self.ahead = min(layer.dilation, _AHEAD)
        self.phase = phase
        new = layer.matrix.new_zeros
        self.past = new(max(self.reach, 1), people, channels)  # frame f is at f modulo reach
        self.added = new(self.ahead, people, len(layer.matrix))  # by the past to the frames to come
        # Which frames, relative to the present one, the rows to come look at: (ahead, width − 1).
        self.looked_at = torch.arange(self.ahead)[:, None] + torch.arange(-self.reach, 0, layer.dilation)

    def __call__(self, x: Tensor, new: Tensor) -> Tensor:
        """The present frame's rows (people, C_in) → (people, C_out). new: who begins, (≤ people,)."""
        x = x.to(self.past.dtype)
        turn = (self.frame + self.phase) % self.ahead
        if self.reach and turn == 0:
            rows = self.past[(self.looked_at + self.frame) % self.reach].transpose(1, 2).flatten(2)
            self.added = self.of_past(rows)
        if len(new):
            self.past[:, new] = x[new]
            self.added[:, new] = self.of_past(x[new].repeat(1, self.looked_at.shape[1]))
        y = self.of_present(x).add_(self.added[turn]).relu_()
        self.past[self.frame % len(self.past)] = x
        self.frame += 1
        return y


class LiveLifter:
    """A causal lifter that is fed keypoints frame by frame, at about the rate it was trained at.

    camera: that films, without distortion. size: width, height of its frames. people: how many there are
    places for. flip: average with the prediction for the mirrored person. precision: see `folded.Precision`.
    Raises `UsageError` for a lifter that looks into the future or reads other keypoints than a video's.
    """

    def __init__(
        self,
        lifter: Lifter,
        *,
        camera: Intrinsics,
        size: tuple[int, int],
        people: int = 1,
        flip: bool = True,
        precision: Precision = "float32",
    ) -> None:
        self._space = lifter.input_space
        self._see = partial(seen_by, lifter, camera=camera, size=size)
        self._see(np.zeros((people, 17, 3), np.float32))
        skeleton = SKELETONS[lifter.layout] if flip else None
        try:
            self._streamer = Streamer(lifter.model, people=people, flip=skeleton, precision=precision)
        except ValueError as error:
            raise UsageError(f"{error}, such as the lifter causal") from error

    def step(
        self, keypoints: NDArray[np.float32], begins: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """The next frame's keypoints (people, 17, 3), COCO17 in pixels and scores → poses (people, 17, 3),
        H36M17 in camera space, metres, root at 0.

        The numbers are those of `inference.lift_track` on all frames. begins: see `Streamer.step`.
        Raises `ValueError` for another shape.
        """
        return lift_in(self._space, self._see(keypoints), lambda seen: self._streamer.step(seen, begins))
