"""A causal network that reads one frame at a time, at a constant cost per frame."""

from __future__ import annotations

from copy import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...skeleton import H36M17, Skeleton
from ..cameras.input_space import mirrored
from ..network.fused_model import FusedLayer, FusedLinear, FusedModel, Precision
from ..network.temporal_model import TemporalModel

_AHEAD = 8  # frames whose contribution of the past is computed in one product


def check_frame_by_frame(model: TemporalModel) -> None:
    """Raise `ValueError` if the model is dense or looks into the future."""
    if model.dense or not (model.causal or model.receptive_field == 1):
        raise ValueError("only a causal, dilated model can be fed frame by frame")


class LiveNetwork:
    """A causal network that reads one frame at a time, for one person or several side by side.

    The outputs equal those of `predict` on the whole sequence. For each layer, the past frames that the layer
    will read again are kept. All people are computed in one pass, which takes hardly longer than a pass for
    one person, because most of the time is spent on reading the weights.

    Args:
        model: The network.
        people: Number of people that can be tracked at a time.
        flip: Skeleton of the input. If given, the output is averaged with the prediction for the mirrored
            person.
        flip_out: Skeleton of the output.
        precision: Number type of the hidden layers.

    Raises:
        ValueError: The model is dense or looks into the future.
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
        check_frame_by_frame(model)
        self.people = people
        self._shape = (people, model.num_joints_in, model.in_features)
        self._flip = flip
        self._flip_out = flip_out.mirror if model.num_joints_out > 1 else (0,)
        rows = people if flip is None else 2 * people
        with torch.inference_mode():
            parts = FusedModel(model, getattr(torch, precision))
            self._first = _LiveLayer(parts.first, rows, 0)
            self._pairs = [
                (_LiveLayer(wide, rows, phase), narrow) for phase, (wide, narrow) in enumerate(parts.pairs)
            ]
        self._last, self._device = parts.last, parts.device
        self._begun = np.zeros(people, np.bool_)

    def step(
        self, keypoints: NDArray[np.float32], begins: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Read the next frame and return its poses.

        Args:
            keypoints: Keypoints of all people, in the model's input space.
            begins: True for people who are new in this frame. The past frames of the previous person at that
                index are discarded, and the new person's first frame is repeated in their place. In the first
                call, all people are new.

        Raises:
            ValueError: `keypoints` has another shape.

        Shape:
            keypoints (people, J, F); begins (people,); result (people, J_out, 3).
        """
        if keypoints.shape != self._shape:
            raise ValueError(f"expected keypoints of shape {self._shape}, found {keypoints.shape}")
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

    def fork(self) -> LiveNetwork:
        """Return a network with the same weights and the same past, which goes on independently."""
        other = copy(self)
        other._begun = self._begun.copy()
        other._first = self._first.fork()
        other._pairs = [(wide.fork(), narrow) for wide, narrow in self._pairs]
        return other

    def _lift(self, x: Tensor, new: Tensor) -> Tensor:
        x = self._first(x, new)
        for wide, narrow in self._pairs:
            x = x + narrow(wide(x, new)[:, None])[:, 0]
        return self._last(x).view(len(x), -1, 3)


class _LiveLayer:
    """A layer, and the past frames that it will read again.

    An output frame depends on the current frame and on past frames. The contribution of the past frames is
    computed for the next `_AHEAD` outputs at once, so that the weights are read only once for them. Layers of
    different `phase` do this at different frames.
    """

    def __init__(self, layer: FusedLayer, people: int, phase: int) -> None:
        channels = layer.matrix.shape[1] // layer.width
        self.of_past = FusedLinear(layer.matrix[:, :-channels], layer.bias)
        self.of_present = FusedLinear(layer.matrix[:, -channels:])
        self.frame = 0
        self.reach = layer.reach
        self.ahead = min(layer.dilation, _AHEAD)
        self.phase = phase
        new = layer.matrix.new_zeros
        self.past = new(max(self.reach, 1), people, channels)  # frame f is at f modulo reach
        self.added = new(self.ahead, people, len(layer.matrix))  # contribution of the past to coming frames
        # Frames, relative to the current one, that the next outputs depend on: (ahead, width − 1).
        self.looked_at = torch.arange(self.ahead)[:, None] + torch.arange(-self.reach, 0, layer.dilation)

    def fork(self) -> _LiveLayer:
        """Return a layer with the same weights and a copy of the past frames."""
        other = copy(self)
        other.past, other.added = self.past.clone(), self.added.clone()
        return other

    def __call__(self, x: Tensor, new: Tensor) -> Tensor:
        """Present frame (people, C_in) → (people, C_out). new: rows of people who begin, (≤ people,)."""
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
