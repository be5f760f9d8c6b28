"""Read a camera file: `clip.camera.json` beside `clip.mp4`, written by the user.

    {"fx": 1432.5, "fy": 1431.8, "cx": 961.2, "cy": 538.9, "size": [1920, 1080],
     "distortion": {"model": "opencv", "coefficients": [-0.28, 0.11, 0.0004, -0.0002, -0.02]}}

fx, fy, cx and cy are pixels of the upright picture. By default fy is fx, and cx, cy is the middle. Instead of
fx, the file may give f35, the 35 mm equivalent focal length in millimetres, or hfov, the horizontal angle of
view in degrees. size is the width and height of the upright pictures that the camera was calibrated with, by
default the video's; another size of the same shape is scaled. distortion is a model and its coefficients as
`Lens.of_model` takes them.

gravity is the direction in which gravity pulls, in camera space on the first frame: x right, y down, z
forward, of any length. A level camera has [0, 1, 0]. A file may give gravity alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, FiniteFloat, PositiveInt, ValidationError, model_validator

from ...bounded import read_text
from ...errors import InputError
from ...lifting.cameras.distortion import Lens, Model
from ...lifting.cameras.intrinsics import Intrinsics
from ...yaml_config import StrictConfig, validation_message

_MOST_BYTES = 1 << 20
_SHAPE_TOLERANCE = 0.01  # encoders round sizes to multiples of 8 or 16 pixels

Positive = Annotated[FiniteFloat, Field(gt=0)]


class Distortion(StrictConfig, strict=True):
    """Distortion of the lens: the model's name, and its coefficients in the model's order."""

    model: Model
    coefficients: tuple[FiniteFloat, ...]


class CameraFile(StrictConfig, strict=True):
    """The content of a camera file; see the module's description."""

    fx: Positive | None = None
    fy: Positive | None = None
    cx: FiniteFloat | None = None
    cy: FiniteFloat | None = None
    f35: Positive | None = None
    hfov: Annotated[FiniteFloat, Field(gt=0, lt=180)] | None = None
    size: tuple[PositiveInt, PositiveInt] | None = None
    distortion: Distortion | None = None
    gravity: tuple[FiniteFloat, FiniteFloat, FiniteFloat] | None = None

    @model_validator(mode="after")
    def _one_focal_length(self) -> Self:
        focal_lengths = sum(v is not None for v in (self.fx, self.f35, self.hfov))
        if focal_lengths != 1 and not (self.only_gravity and not focal_lengths):
            raise ValueError("give one of fx, f35 and hfov")
        if self.gravity is not None and not any(self.gravity):
            raise ValueError("gravity: expected a direction, found three zeros")
        return self

    @property
    def only_gravity(self) -> bool:
        """Whether the file gives no values of the lens."""
        return list(self.model_dump(exclude_none=True)) == ["gravity"]

    def lens(self, size: tuple[int, int]) -> Lens:
        """Return the lens for a video of this width and height.

        Raises:
            ValueError: The video has another shape than the pictures of the calibration, or cx, cy lie
                outside of them.
        """
        width, height = self.size or size
        x, y = size[0] / width, size[1] / height
        if abs(x / y - 1) > _SHAPE_TOLERANCE:
            raise ValueError(
                f"a camera calibrated at {width}×{height} did not film {size[0]}×{size[1]} upright pixels; "
                "give the values for that size"
            )
        fx, fy, cx, cy = self._intrinsics(width, height)
        if not (0 < cx < width and 0 < cy < height):
            raise ValueError(
                f"cx, cy lie outside of {width}×{height} pixels; "
                "size is that of the pictures that the camera was calibrated with"
            )
        camera = Intrinsics(fx * x, fy * y, cx * x, cy * y)
        if self.distortion is None:
            return Lens(camera)
        return Lens.of_model(camera, self.distortion.model, self.distortion.coefficients)

    def _intrinsics(self, width: int, height: int) -> tuple[float, float, float, float]:
        size = width, height
        if self.f35 is not None:
            camera = Intrinsics.from_35mm(self.f35, size)
        elif self.hfov is not None:
            camera = Intrinsics.from_fov(self.hfov, width, size)
        else:
            assert self.fx is not None
            camera = Intrinsics.centred(self.fx, size)
        return (
            camera.fx,
            camera.fy if self.fy is None else self.fy,
            camera.cx if self.cx is None else self.cx,
            camera.cy if self.cy is None else self.cy,
        )


def load_camera_file(path: Path, size: tuple[int, int]) -> Lens:
    """Read the lens from a camera file.

    Args:
        path: The camera file.
        size: Width and height of the upright frames of its video, in pixels.

    Raises:
        InputError: The file cannot be read, has an unknown key or an impossible value (the message names the
            key), or is for pictures of another shape.
    """
    try:
        return parse_camera_file(path).lens(size)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def parse_camera_file(path: Path) -> CameraFile:
    """Read and check a camera file. Raises `InputError`, as `load_camera_file` does."""
    try:
        return CameraFile.model_validate_json(read_text(path, limit=_MOST_BYTES))
    except ValidationError as error:
        raise InputError(f"{path}: {validation_message(error)}") from error
