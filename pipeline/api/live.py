"""The function `live`: a camera's frames in, poses out."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Literal

from ...errors import UsageError
from ..camera_metadata.focal_length import FocalLength
from ..live.live_poses import LivePoses
from ..live.options import LiveOptions
from ..option_types import as_path, is_of
from .arguments import AnyPath


def live(
    camera: int | AnyPath = 0,
    *,
    every_frame: bool = False,
    people: int = 1,
    detector: str | None = None,
    lifter: AnyPath = "causal",
    flip: bool = True,
    precision: Literal["float32", "bfloat16"] = "float32",
    focal_px: float | None = None,
    focal_35mm: float | None = None,
    hfov: float | None = None,
    device: str = "auto",
) -> Iterator[LivePoses]:
    """Yield the poses of a camera's people frame by frame, as the command `videopose live` shows them.

    The lifter is loaded at once. The camera is opened and the detector is loaded when the first frame is
    asked for; the camera is closed at its end, and when the iterator is closed or no longer used. While your
    program works on a frame, frames that come too fast are left out. Meanwhile torch uses one thread. Nothing
    is printed.

    Args:
        camera: Number of a camera of this machine, URL of a stream, or path of a video, which is read as if
            it were a camera, at its own pace.
        every_frame: Of a video: leave out no frame, however long the work on it takes.
        people: How many people are followed, from 1 to 8.
        detector: What finds people and their keypoints: "movenet" (the default), "rtmpose", …
        lifter: Name of a causal lifter, or path of its file.
        flip: Average with the prediction for the mirrored person.
        precision: Number type of the lifter's hidden layers.
        focal_px: Focal length in pixels of the upright frame.
        focal_35mm: 35 mm equivalent focal length in millimetres.
        hfov: Horizontal angle of view in degrees. Without any of the three, a video's metadata are searched,
            and 60° across the longer side of a camera are assumed.
        device: Where the detector runs: "auto", "cpu", "cuda", …

    Yields:
        The picture and the people of each frame.

    Raises:
        UsageError: An option has the wrong type or is impossible; already when the function is called.
        InputError: The lifter's file cannot be read; already when the function is called. The camera cannot
            be opened, or goes away.
        AssetError: A file of the detector cannot be fetched.

    Example:
        ```python
        import videopose

        for frame in videopose.live("clip.mp4"):
            for person in frame.people:
                print(frame.time, person.track, person.pose[16], person.root)
        ```
    """
    options = LiveOptions(
        camera=_camera(camera),
        every_frame=every_frame,
        people=people,
        detector=detector,
        focal=FocalLength(focal_px, focal_35mm, hfov),
        lifter=lifter,
        flip=flip,
        precision=precision,
        device=device,
    )

    from ..live.session import LiveSession, load_live_lifter  # these load torch and OpenCV

    loaded = load_live_lifter(options)

    def frames() -> Iterator[LivePoses]:
        with LiveSession(options, lifter=loaded) as session:
            session.load()
            yield from session.frames()

    return frames()


def _camera(value: object) -> str:
    """Return a camera as the command line takes it: the text of its number, or a URL or path."""
    if not is_of(value, Integral):
        return as_path("camera", value)
    if (number := int(value)) < 0:  # type: ignore[call-overload]
        raise UsageError(f"camera: expected a number from 0 on, a URL or a path, found {number}")
    return str(number)
