"""The lifter: a temporal model with its weights and metadata."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import InputError, UsageError, one_line
from ...parts import ComputedRows, in_parts
from ...pauses import shorten_pauses
from ...skeleton import COCO17, H36M17, SKELETONS, Skeleton, convert
from ..cameras.distortion import Lens
from ..cameras.input_space import (
    INPUT_SPACES,
    InputSpace,
    num_features,
    to_rays,
    to_screen,
    visible_joints,
)
from ..cameras.intrinsics import H36M_FOCAL, Intrinsics
from ..network.fused_model import FusedModel, Precision
from ..network.temporal_model import TemporalModel, architecture_shapes
from .causal_feed import causal_feed
from .lifter_file import (
    StoredType,
    as_stored,
    check_shapes,
    digest,
    read_lifter_file,
    stored_tensor,
    write_lifter_file,
)
from .predict import predict, predict_poses
from .resampling import even_times, interpolate, read_at
from .root_trajectory import fit_root
from .visibility import confidence, visible_keypoints, visible_so_far

_LONGEST_STEP = 0.5  # seconds that are interpolated between two frames, however far apart they are
_TRAJECTORY = "model_traj."


class LiftedTrack(NamedTuple):
    """Motion of one track in camera space, in metres.

    Attributes:
        pose: (T, 17, 3) float32, Human3.6M's joints relative to the root.
        root: (T, 3) float32, the root's path; NaN where the keypoints do not determine it.
        predicted_root: (T, 3) float32, the root as the trajectory model gives it, before it is fitted to the
            keypoints; None if the lifter has no trajectory model.
        confidence: (T, 17) float32, how reliable each joint is, 0–1; 0 if its keypoints are hidden (see
            `visibility.confidence`).
    """

    pose: NDArray[np.float32]
    root: NDArray[np.float32]
    predicted_root: NDArray[np.float32] | None
    confidence: NDArray[np.float32]


@dataclass(frozen=True)
class Lifter:
    """A pose model, in some lifters also a trajectory model, and their metadata.

    Attributes:
        model: The pose model.
        layout: Name of the input's skeleton, such as "h36m17" or "coco17".
        input_space: The space to which keypoints are converted for the network: "centred" (see
            `input_space.centre`), "centred-visible" (see `input_space.centre_visible`), "rays" or "screen"
            (see `to_rays`, `to_screen`).
        rate: Frames per second of the training data; None if unknown.
        trajectory: The trajectory model, which predicts the root.
        about: Metadata such as training data, its licence, and measured errors, as JSON-like values.
        fused: The pose model fused for speed, see `in_precision`.
        stored_as: Number type of the weight matrices in the lifter's file.

    Raises:
        ValueError: The layout or the space is unknown, or the models do not belong together.
    """

    model: TemporalModel
    layout: str
    input_space: InputSpace
    rate: float | None
    trajectory: TemporalModel | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    fused: FusedModel | None = None
    stored_as: StoredType = "float32"

    def __post_init__(self) -> None:
        if self.layout not in SKELETONS:
            raise ValueError(f"unknown layout {self.layout!r}; known: {', '.join(SKELETONS)}")
        if self.model.num_joints_in != len(self.skeleton):
            raise ValueError(f"the model reads {self.model.num_joints_in} joints, not {self.layout}'s")
        if self.input_space not in INPUT_SPACES:
            raise ValueError(f"unknown input space {self.input_space!r}; known: {', '.join(INPUT_SPACES)}")
        if self.input_space in ("centred", "centred-visible") and self.layout != "h36m17":
            raise ValueError("centred rays are made for the h36m17 layout")
        features = num_features(self.input_space)
        if self.model.in_features != features:
            raise ValueError(
                f"{self.input_space} input has {features} numbers a joint, the model reads "
                f"{self.model.in_features}"
            )
        if not isinstance(self.about, Mapping):
            raise ValueError("about: expected values by name")
        if self.rate is not None and not (isinstance(self.rate, int | float) and 1 <= self.rate <= 1000):
            raise ValueError(f"rate: expected 1 to 1000 frames per second, found {self.rate!r}")
        if self.trajectory is not None and (
            self.trajectory.receptive_field != self.model.receptive_field
            or self.trajectory.causal != self.model.causal
            or self.trajectory.num_joints_out != 1
        ):
            raise ValueError("the trajectory model must see the same frames and give one joint")

    @property
    def skeleton(self) -> Skeleton:
        """Skeleton of the keypoints that the lifter reads."""
        return SKELETONS[self.layout]

    @property
    def reads_visibility(self) -> bool:
        """Whether the network's input has a feature for the visibility of joints."""
        return self.input_space == "centred-visible"

    @property
    def needs_flips(self) -> bool:
        """Whether it was trained on means of a window's pose and its mirrored twin's, as its file says."""
        config = self.about.get("config")
        return isinstance(config, Mapping) and config.get("averaged_flips") is True

    @property
    def network(self) -> TemporalModel | FusedModel:
        """The pose model as inference runs it."""
        return self.fused or self.model

    @property
    def precision(self) -> Precision:
        """Number type of the network's hidden layers in inference."""
        return "float32" if self.fused is None else "bfloat16"

    def in_precision(self, precision: Precision) -> Lifter:
        """Return the same lifter with a `network` made for this precision from the current weights.

        Call this once for many tracks. In float32, the model is used unchanged and gives the published
        numbers. The trajectory model is always used unchanged, in float32.

        Raises:
            UsageError: The precision is unknown.
        """
        if precision not in get_args(Precision):
            raise UsageError(f"--precision is {' or '.join(get_args(Precision))}, not {precision}")
        fused = FusedModel(self.model, torch.bfloat16) if precision == "bfloat16" else None
        return replace(self, fused=fused)

    def to(self, device: str | torch.device) -> Lifter:
        """Move the models to `device`, in place, and return the lifter in float32."""
        self.model.to(device)
        if self.trajectory is not None:
            self.trajectory.to(device)
        return self.in_precision("float32")

    def fits(self, keypoints: Skeleton = COCO17, poses: Skeleton = H36M17) -> bool:
        """Return whether the lifter can read these keypoints and gives poses of this skeleton.

        Keypoints fit if they have the lifter's own layout or can be converted to it.
        """
        converted = keypoints is COCO17 and self.skeleton is H36M17
        return (self.skeleton is keypoints or converted) and self.model.num_joints_out == len(poses)

    def check_fits(self, keypoints: Skeleton = COCO17, poses: Skeleton = H36M17) -> None:
        """Raise `UsageError` unless the lifter `fits`."""
        if not self.fits(keypoints, poses):
            raise UsageError(
                f"this lifter reads {self.layout} keypoints and gives {self.model.num_joints_out} joints; "
                f"expected one that reads {keypoints.name} or h36m17 and gives {poses.name}'s {len(poses)} "
                "joints, such as --lifter default"
            )

    def lift_track(
        self,
        keypoints: NDArray[np.float32],
        times: NDArray[np.float64],
        *,
        lens: Lens,
        size: tuple[int, int],
        flip: bool = True,
        filled: NDArray[np.bool_] | None = None,
    ) -> LiftedTrack:
        """Lift one unbroken track: the pose of every frame, and the root's path.

        If the video's frame rate is far from the lifter's, or uneven, the track is read at the lifter's rate
        and the results are interpolated back to the video's time stamps. Between frames that are further
        apart than half a second, that much is interpolated. A lifter with the input space
        "centred-visible" reads hidden keypoints as hidden; the others read every keypoint at its place. If
        the lifter is causal, no pose depends on a later frame: other frame rates are read as the live lifter
        does (see `live_clock`), and what is hidden is decided without the frames that follow.

        Args:
            keypoints: COCO17 keypoints of the track: x, y in pixels and score.
            times: Seconds of the frames, rising.
            lens: The camera that filmed.
            size: Width and height of the frames in pixels.
            flip: Average with the prediction for the mirrored track.
            filled: Frames whose keypoints were interpolated across a gap. Default: none.

        Raises:
            UsageError: The lifter does not read a video's keypoints or does not give Human3.6M's joints.

        Shape:
            keypoints (T, 17, 3); times and filled (T,).
        """
        self.check_fits()
        dense = shorten_pauses(times, _LONGEST_STEP)
        decide = visible_so_far if self.model.causal else visible_keypoints
        visible = decide(keypoints, size, filled=filled)
        camera = lens.intrinsics
        undistorted = keypoints if lens.linear else in_parts(lens.undistort, keypoints)
        # Lifters that read screen coordinates were trained on distorted keypoints.
        filmed = keypoints if self.input_space == "screen" else undistorted

        def to_input(seen: NDArray[np.float32], shown: NDArray[np.bool_]) -> NDArray[np.float32]:
            return self.lifter_input(seen, camera=camera, size=size, visible=shown)

        at_rate = self._rate_conversion(ComputedRows(to_input, filmed, visible), dense)
        mirror = self.skeleton if flip else None

        def lift(sequence: NDArray[np.float32] | ComputedRows) -> NDArray[np.float32]:
            return predict_poses(self.network, sequence, self.input_space, flip=mirror)

        def lift_root(sequence: NDArray[np.float32] | ComputedRows) -> NDArray[np.float32]:
            assert self.trajectory is not None
            path = predict(self.trajectory, sequence, space=self.input_space, flip=mirror, flip_out=None)
            return self._true_depth(path, camera, size)

        pose = at_rate(lift)
        predicted = None if self.trajectory is None else at_rate(lift_root)[:, 0]
        if self.reads_visibility:
            undistorted = _without_scores(undistorted, ~visible)
        root = fit_root(pose, undistorted, times, camera, prior=predicted)
        return LiftedTrack(pose, root, predicted, in_parts(confidence, keypoints, visible))

    def _rate_conversion(
        self, lifter_input: ComputedRows, times: NDArray[np.float64]
    ) -> Callable[[Callable[[NDArray[np.float32] | ComputedRows], NDArray[np.float32]]], NDArray[np.float32]]:
        """Return what calls a function at the lifter's frame rate, and gives the results at `times`."""
        grid = even_times(times, self.rate)
        if grid is None or self.rate is None:
            return lambda lift: lift(lifter_input)
        whole = lifter_input.array()
        if self.model.causal:
            return causal_feed(whole, times, self.rate, self.model.receptive_field).gather
        resampled = read_at(whole, times, grid)
        return lambda lift: interpolate(lift(resampled), grid, times)

    def lifter_input(
        self,
        keypoints: NDArray[np.float32],
        *,
        camera: Intrinsics,
        size: tuple[int, int],
        visible: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Convert a video's keypoints to the lifter's layout and to rays or screen coordinates.

        Args:
            keypoints: COCO17 keypoints, x, y in pixels and score.
            camera: The camera that filmed.
            size: Width and height of the frames in pixels.
            visible: Which keypoints are visible, for a lifter that `reads_visibility`. Default: all.

        Shape:
            keypoints (…, 17, 3); visible (…, 17); result (…, 17, 2). With `visible`, a lifter that
            `reads_visibility` gets (…, 17, 3), whose third feature is 1 for visible joints and 0 for others.
        """
        positions = convert(keypoints[..., :2], COCO17, self.skeleton)
        if self.input_space == "screen":
            return to_screen(positions, size)
        rays = to_rays(positions, camera)
        if visible is None or not self.reads_visibility:
            return rays
        joints = visible_joints(torch.from_numpy(visible)).numpy()
        return np.concatenate([rays, joints[..., None].astype(np.float32)], -1)

    def _true_depth(
        self, path: NDArray[np.float32], camera: Intrinsics, size: tuple[int, int]
    ) -> NDArray[np.float32]:
        """A root's path (T, 1, 3) as seen by this camera.

        A model that reads screen coordinates assumes Human3.6M's focal length. With another one, the same
        picture shows a person who is further away or nearer, by the ratio of the focal lengths.
        """
        if self.input_space == "screen":
            path[..., 2] *= 2 * camera.fx / size[0] / H36M_FOCAL
        return path

    def digest(self) -> str:
        """Return the sha256 over the names and stored bytes of all weights, in hexadecimal."""
        weights = self._weights()
        # One after the other: all of them, converted, would take as much memory as the lifter.
        return digest((name, stored_tensor(name, weights[name], self.stored_as)) for name in sorted(weights))

    def save(self, path: str | os.PathLike[str], *, dtype: StoredType = "float32") -> None:
        """Write the lifter as `.safetensors`, atomically.

        The pose model's tensors carry VideoPose3D's names, the trajectory model's the same after
        `model_traj.`.

        Args:
            path: File to write.
            dtype: Number type of the weight matrices in the file. 16 bits halve the file; a loaded model
                computes in float32 in any case.

        Raises:
            OutputError: The file cannot be written.
            ValueError: A weight is too large for `dtype`.
        """
        header = {
            "model": _architecture(self.model),
            "trajectory": _architecture(self.trajectory) if self.trajectory else None,
            "layout": self.layout,
            "input_space": self.input_space,
            "rate": self.rate,
            "about": dict(self.about),
            "dtype": dtype,
        }
        write_lifter_file(path, header, as_stored(self._weights(), dtype))

    def _weights(self) -> dict[str, Tensor]:
        weights = dict(self.model.state_dict())
        if self.trajectory is not None:
            weights |= {_TRAJECTORY + name: w for name, w in self.trajectory.state_dict().items()}
        return weights

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Lifter:
        """Read a lifter written by `save`, ready for inference. No code from the file runs.

        Raises:
            InputError: The file is missing, damaged or not a lifter.
        """
        header, stored = read_lifter_file(path, _expected_shapes)
        try:
            pose = {name: w for name, w in stored.items() if not name.startswith(_TRAJECTORY)}
            root = {name.removeprefix(_TRAJECTORY): w for name, w in stored.items() if name not in pose}
            return cls(
                build_model(header["model"], pose),
                header["layout"],
                header["input_space"],
                header["rate"],
                build_model(header["trajectory"], root) if header["trajectory"] else None,
                header["about"],
                stored_as=header["dtype"],
            )
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{path} is not a lifter written by videopose ({one_line(error)})") from error


def _expected_shapes(header: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor in a lifter's file by its header.

    Raises:
        KeyError, TypeError, ValueError: The header lacks a value, or has an impossible one.
    """
    shapes = architecture_shapes(header["model"])
    if header["trajectory"]:
        root = architecture_shapes(header["trajectory"])
        shapes |= {_TRAJECTORY + name: shape for name, shape in root.items()}
    return shapes


def build_model(architecture: Mapping[str, Any], weights: Mapping[str, Tensor]) -> TemporalModel:
    """Build a float32 model in evaluation mode.

    Args:
        architecture: Arguments of `TemporalModel`.
        weights: Its state dict, in any floating-point type.

    Raises:
        ValueError: Weights and architecture disagree, or the architecture is impossible.
    """
    check_shapes(architecture_shapes(architecture), {name: w.shape for name, w in weights.items()})
    model = TemporalModel(**architecture)
    model.load_state_dict(weights)
    return model.eval()


def _without_scores(keypoints: NDArray[np.float32], hidden: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Keypoints (T, 17, 3) with score 0 for the hidden ones (T, 17)."""
    keypoints = keypoints.copy()
    keypoints[hidden, 2] = 0
    return keypoints


def _architecture(model: TemporalModel) -> dict[str, Any]:
    names = "num_joints_in in_features num_joints_out filter_widths causal dropout channels dense"
    return {name: getattr(model, name) for name in names.split()}
