"""The functions that turn videos into motion: `infer`, `detect`, `lift`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ...lifting.pose_table import PoseTable
from ..camera_metadata.focal_length import FocalLength
from ..inference.adapt import adapt_to
from ..inference.detect import detect as detect_in_video
from ..inference.detect import load_detector
from ..inference.infer import infer_file
from ..inference.lift import lift as lift_table
from ..inference.lift import load_video_lifter
from ..inference.options import DetectOptions, InferOptions, LiftOptions
from ..inference.table_camera import with_camera_file
from ..option_types import as_flag, as_path
from ..video.reader import open_video
from .arguments import (
    AnyPath,
    Point,
    as_ids,
    as_optional_path,
    as_places,
    as_table,
    as_text,
    as_texts,
)


def infer(
    video: AnyPath,
    *,
    detector: str | None = None,
    weights: AnyPath | None = None,
    backbone: str | None = None,
    decode: Literal["soft-argmax", "argmax"] | None = None,
    flip_test: bool | None = None,
    boxes: AnyPath | None = None,
    keypoints: AnyPath | None = None,
    keypoint_layout: str | None = None,
    keypoint_first_frame: int | None = None,
    people: int | None = 1,
    select: Sequence[int] = (),
    select_at: Sequence[Point] = (),
    start: float = 0.0,
    end: float | None = None,
    fps: float | None = None,
    rotate: int = 0,
    max_gap: float = 0.5,
    static_camera: bool = False,
    lifter: AnyPath = "default",
    lifter_layout: str | None = None,
    lifter_causal: bool = False,
    flip: bool = True,
    precision: Literal["float32", "bfloat16"] = "float32",
    focal_px: float | None = None,
    focal_35mm: float | None = None,
    hfov: float | None = None,
    camera_pitch: float | None = None,
    camera_roll: float | None = None,
    camera_height: float | None = None,
    height: float | None = None,
    filters: Sequence[str] = (),
    lock_feet: bool = False,
    adapt: bool = False,
    device: str = "auto",
) -> PoseTable:
    """Turn a video into the 3D motion of its people, as the command `videopose infer` does.

    Nothing is printed, and no result is written; files of the detector that are missing are fetched.

    Args:
        video: Path of the video, or of pictures: a folder, "frame-%04d.jpg" or "*.jpg".
        detector: What finds people and their keypoints: "movenet" (the default), "mask-rcnn",
            "cpn", "rtmpose", or the detector of another package.
        weights: File of the detector's weights, instead of the usual ones.
        backbone: Of Mask R-CNN: "R-101" (the default) or "R-50".
        decode: Of Mask R-CNN and CPN: how a heatmap becomes a position. Default: "soft-argmax".
        flip_test: Of CPN: also look at mirrored pictures. Default: True.
        boxes: Of CPN: name of the detector, or file, that tells where people are.
        keypoints: File or folder of 2D keypoints made elsewhere, instead of a detector.
        keypoint_layout: Layout of these keypoints, such as "body25", if the file does not tell.
        keypoint_first_frame: Number of the video's first frame in this file, 0 or 1, if it is not found out.
        people: Number of people to keep, those most present and largest first; None keeps all.
        select: Ids of the people to keep, among all; `people` is not used then.
        select_at: Points (x, y) or (x, y, seconds) in the picture, in pixels; the people there are kept. If
            there is no time, it is the first person who is there.
        start: Seconds at which to begin.
        end: Seconds at which to stop; None for the end of the video.
        fps: Frames per second, if the file's time stamps are wrong. None for the file's; pictures have none,
            and 25 is assumed.
        rotate: Degrees clockwise to turn the picture by, 90, 180 or 270, if the file does not say that it is
            turned.
        max_gap: Gaps of at most so many seconds are interpolated; in longer ones the person has no rows.
        static_camera: Take the camera to be still, and do not look for its motion.
        lifter: Name of a pretrained lifter, or path of a lifter's file.
        lifter_layout: Layout of the keypoints that a VideoPose3D checkpoint (.bin) reads.
        lifter_causal: The VideoPose3D checkpoint is a causal model.
        flip: Average with the prediction for the mirrored person.
        precision: Number type of the lifter's hidden layers.
        focal_px: Focal length in pixels of the upright frame.
        focal_35mm: 35 mm equivalent focal length in millimetres.
        hfov: Horizontal angle of view in degrees. Without any of the three, the video's metadata and the
            camera file beside it are searched.
        camera_pitch: Degrees that the camera looks up (negative: down) on the first frame. None estimates it
            from how people stand.
        camera_roll: Degrees that the camera is turned clockwise on the first frame; None as for the pitch.
        camera_height: Metres from the floor to the camera; None as for the pitch.
        height: Centimetres of the person who is seen longest; the scene is scaled by it.
        filters: Filters that smooth the motion, in order: "butterworth", "one-euro" or "bones", with a
            cut-off frequency in Hz after a colon if it is not the default.
        lock_feet: Hold feet still while they stand on the floor.
        adapt: Adapt a copy of the lifter to the people of this clip before lifting. It takes about half a
            minute for 10 seconds of one person, and is kept for later runs.
        device: Where networks run: "auto", "cpu", "cuda", …

    Returns:
        One row per person and frame, with keypoints, pose and root.

    Raises:
        UsageError: An option has the wrong type, is impossible, or contradicts another.
        InputError: The video, or a file that an option names, cannot be read.
        NoPeopleError: No person was found in the video.
        AssetError: A file of the detector cannot be fetched.

    Example:
        ```python
        import videopose

        table = videopose.infer("clip.mp4", people=2)
        table.save("clip.npz")
        ```
    """
    options = InferOptions(
        detector=detector,
        weights=as_optional_path("weights", weights),
        backbone=backbone,
        decode=decode,
        flip_test=flip_test,
        boxes=as_text("boxes", boxes),
        keypoints=keypoints,
        keypoint_layout=keypoint_layout,
        keypoint_first_frame=keypoint_first_frame,
        people=people,
        select=as_ids(select),
        select_at=as_places(select_at),
        start=start,
        end=end,
        fps=fps,
        rotate=rotate,
        max_gap=max_gap,
        static_camera=static_camera,
        lifter=lifter,
        lifter_layout=lifter_layout,
        lifter_causal=lifter_causal,
        flip=flip,
        precision=precision,
        focal=FocalLength(focal_px, focal_35mm, hfov),
        camera_pitch=camera_pitch,
        camera_roll=camera_roll,
        camera_height=camera_height,
        height=height,
        filters=as_texts("filters", filters, example="butterworth"),
        lock_feet=lock_feet,
        adapt=_adapt(adapt),
        device=device,
    )
    return infer_file(as_path("video", video), options, command="videopose.infer")


def detect(
    video: AnyPath,
    *,
    detector: str | None = None,
    weights: AnyPath | None = None,
    backbone: str | None = None,
    decode: Literal["soft-argmax", "argmax"] | None = None,
    flip_test: bool | None = None,
    boxes: AnyPath | None = None,
    keypoints: AnyPath | None = None,
    keypoint_layout: str | None = None,
    keypoint_first_frame: int | None = None,
    people: int | None = 1,
    select: Sequence[int] = (),
    select_at: Sequence[Point] = (),
    start: float = 0.0,
    end: float | None = None,
    fps: float | None = None,
    rotate: int = 0,
    max_gap: float = 0.5,
    static_camera: bool = False,
    focal_px: float | None = None,
    focal_35mm: float | None = None,
    hfov: float | None = None,
    device: str = "auto",
) -> PoseTable:
    """Find and follow the people in a video, as the command `videopose detect` does.

    Nothing is printed, and no result is written; files of the detector that are missing are fetched.

    Args:
        video: Path of the video, or of pictures: a folder, "frame-%04d.jpg" or "*.jpg".
        detector: See `infer`, also for all further arguments.
        weights: See `infer`.
        backbone: See `infer`.
        decode: See `infer`.
        flip_test: See `infer`.
        boxes: See `infer`.
        keypoints: See `infer`.
        keypoint_layout: See `infer`.
        keypoint_first_frame: See `infer`.
        people: See `infer`.
        select: See `infer`.
        select_at: See `infer`.
        start: See `infer`.
        end: See `infer`.
        fps: See `infer`.
        rotate: See `infer`.
        max_gap: See `infer`.
        static_camera: See `infer`.
        focal_px: See `infer`.
        focal_35mm: See `infer`.
        hfov: See `infer`.
        device: See `infer`.

    Returns:
        One row per person and frame, with keypoints. Poses and roots are NaN until `lift` fills them in.

    Raises:
        UsageError: An option has the wrong type, is impossible, or contradicts another.
        InputError: The video, or a file that an option names, cannot be read.
        NoPeopleError: No person was found in the video.
        AssetError: A file of the detector cannot be fetched.

    Example:
        ```python
        import videopose

        found = videopose.detect("clip.mp4")
        table = videopose.lift(found, lifter="causal")
        ```
    """
    options = DetectOptions(
        detector=detector,
        weights=as_optional_path("weights", weights),
        backbone=backbone,
        decode=decode,
        flip_test=flip_test,
        boxes=as_text("boxes", boxes),
        keypoints=keypoints,
        keypoint_layout=keypoint_layout,
        keypoint_first_frame=keypoint_first_frame,
        people=people,
        select=as_ids(select),
        select_at=as_places(select_at),
        start=start,
        end=end,
        fps=fps,
        rotate=rotate,
        max_gap=max_gap,
        static_camera=static_camera,
        focal=FocalLength(focal_px, focal_35mm, hfov),
        device=device,
    )
    with open_video(as_path("video", video), fps=options.fps, rotate=options.rotate) as opened:
        return detect_in_video(opened, options, load_detector(options), command="videopose.detect")


def lift(
    table: PoseTable | AnyPath,
    *,
    lifter: AnyPath = "default",
    lifter_layout: str | None = None,
    lifter_causal: bool = False,
    flip: bool = True,
    precision: Literal["float32", "bfloat16"] = "float32",
    focal_px: float | None = None,
    focal_35mm: float | None = None,
    hfov: float | None = None,
    camera_pitch: float | None = None,
    camera_roll: float | None = None,
    camera_height: float | None = None,
    height: float | None = None,
    filters: Sequence[str] = (),
    lock_feet: bool = False,
    adapt: bool = False,
    device: str = "auto",
) -> PoseTable:
    """Lift the keypoints of a pose table to 3D, as the command `videopose lift` does.

    Poses and roots that are there already are replaced. Nothing is printed or written.

    Args:
        table: A pose table, or the path of one.
        lifter: Name of a pretrained lifter, or path of a lifter's file.
        lifter_layout: Layout of the keypoints that a VideoPose3D checkpoint (.bin) reads.
        lifter_causal: The VideoPose3D checkpoint is a causal model.
        flip: Average with the prediction for the mirrored person.
        precision: Number type of the lifter's hidden layers.
        focal_px: Focal length in pixels of the upright frame.
        focal_35mm: 35 mm equivalent focal length in millimetres.
        hfov: Horizontal angle of view in degrees. Without any of the three, the camera file beside the table
            is read, if a path is given; else the table's camera is used.
        camera_pitch: Degrees that the camera looks up (negative: down) on the first frame. None estimates it
            from how people stand.
        camera_roll: Degrees that the camera is turned clockwise on the first frame; None as for the pitch.
        camera_height: Metres from the floor to the camera; None as for the pitch.
        height: Centimetres of the person who is seen longest; the scene is scaled by it.
        filters: Filters that smooth the motion, in order: "butterworth", "one-euro" or "bones", with a
            cut-off frequency in Hz after a colon if it is not the default.
        lock_feet: Hold feet still while they stand on the floor.
        adapt: Adapt a copy of the lifter to the people of this clip before lifting. It takes about half a
            minute for 10 seconds of one person, and is kept for later runs.
        device: Where networks run: "auto", "cpu", "cuda", …

    Returns:
        The table with poses and roots.

    Raises:
        UsageError: An option has the wrong type or is impossible, or the lifter reads other keypoints than a
            video's.
        InputError: The table or the lifter's file cannot be read.

    Example:
        ```python
        import videopose

        table = videopose.lift("clip.2d.npz", hfov=70)
        ```
    """
    options = LiftOptions(
        lifter=lifter,
        lifter_layout=lifter_layout,
        lifter_causal=lifter_causal,
        flip=flip,
        precision=precision,
        focal=FocalLength(focal_px, focal_35mm, hfov),
        camera_pitch=camera_pitch,
        camera_roll=camera_roll,
        camera_height=camera_height,
        height=height,
        filters=as_texts("filters", filters, example="butterworth"),
        lock_feet=lock_feet,
        adapt=_adapt(adapt),
        device=device,
    )
    loaded = as_table(table)
    if not isinstance(table, PoseTable):
        loaded = with_camera_file(loaded, Path(as_path("table", table)))
    used = load_video_lifter(options)
    if adapt:
        used = adapt_to({str((loaded.meta.get("video") or {}).get("name", "")): loaded}, options, used)
    return lift_table(loaded, options, used, command="videopose.lift")


def _adapt(adapt: bool) -> Literal["each"] | None:
    return "each" if as_flag("adapt", adapt) else None
