"""The command `videopose live`: read a camera, lift its people, and show them until the camera ends."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import cast

import torch

from ...detectors.tracking.live_tracking import LiveTracker
from ...lifting.cameras.distortion import Lens
from ...lifting.cameras.intrinsics import Intrinsics
from ...lifting.inference.live import LiveLifter
from ...lifting.inference.pretrained import load_lifter
from ...lifting.network.fused_model import Precision
from ..camera_metadata.find_camera import find_camera
from ..camera_metadata.focal_length import camera_of
from ..camera_metadata.known_camera import KnownCamera
from ..camera_metadata.notes import camera_notes
from ..inference.detect import load_detector
from ..inference.options import DetectOptions
from ..progress import say
from .camera import Camera, open_camera
from .grabber import Grabber
from .live_poses import LivePoses, live_poses
from .options import LiveOptions
from .osc import OscSender
from .outputs import InBackground, JsonLines, Output, Vmc


def run_live(options: LiveOptions) -> None:
    """Read a camera and show the poses of its people, until it ends or the user interrupts.

    Raises:
        UsageError: An option, a port or the lifter cannot be used.
        InputError: The camera cannot be opened, or goes away.
        AssetError: A file of the detector or of the page cannot be fetched.
    """
    torch.set_num_threads(1)  # the products are so small that a second thread costs more than it gains
    with ExitStack() as stack:
        lifter = load_lifter(options.lifter)
        chosen = DetectOptions(detector=options.detector, people=options.people, device=options.device)
        camera = open_camera(options.camera, paced=not options.every_frame)
        stack.callback(camera.close)
        every_frame = options.every_frame and camera.path is not None
        live = LiveLifter(
            lifter,
            camera=_lens(camera, options),
            size=camera.size,
            people=options.people,
            flip=options.flip,
            precision=cast(Precision, options.precision),
            rate=camera.rate,
        )
        outputs = _outputs(options, camera.name, stack)
        detector = load_detector(chosen, say)
        assert detector is not None
        grabber = Grabber(camera, every_frame=every_frame)
        stack.callback(grabber.close)
        frames = live_poses(grabber, detector, LiveTracker(options.people), live)
        _show(frames, outputs, grabber, camera.name)


def _show(frames: Iterable[LivePoses], outputs: Sequence[Output], grabber: Grabber, name: str) -> None:
    """Give each frame to all outputs until the camera ends, the reader of stdout goes away, or Ctrl-C."""
    count, spent = 0, 0.0
    try:
        for poses in frames:
            for output in outputs:
                output.show(poses, grabber.dropped)
            count, spent = count + 1, spent + poses.detect_ms + poses.lift_ms
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # what is left cannot be flushed at exit
    finally:
        usual = f", {spent / count:.0f} ms a frame" if count else ""
        say(f"{name}: {count} frames lifted, {grabber.dropped} dropped{usual}")


def _outputs(options: LiveOptions, name: str, stack: ExitStack) -> list[Output]:
    """Open the outputs; `stack` closes them."""
    outputs: list[Output] = []

    def add(output: Output) -> None:
        outputs.append(output)
        stack.callback(output.close)

    if options.json:
        add(JsonLines(sys.stdout))
    if options.osc is not None:
        add(InBackground(Vmc(OscSender(options.osc))))  # bones take longer than poses
    if options.page:
        from .page_server import PageServer  # loads websockets

        server = PageServer(name, options.port)
        add(server)
        say(f"→ {server.url}  (Ctrl-C ends)")
        if options.open:
            webbrowser.open(server.url)
    return outputs


def _lens(camera: Camera, options: LiveOptions) -> Lens:
    """Return the camera's lens: as stated, as the file says, or assumed."""
    if camera.path is not None:
        known = find_camera(camera.path, options.focal, camera.size)
    else:
        intrinsics, source = camera_of(options.focal, camera.size)
        known = KnownCamera(Lens(intrinsics), source)
    notes = camera_notes(
        camera.name, known.source, known.lens.intrinsics, camera.size, is_file=camera.path is not None
    )
    for note in notes:
        say(note)
    # Rounded as in a pose table, so that the poses are those of `videopose infer`.
    rounded = Intrinsics(*known.lens.intrinsics.array().tolist())
    return Lens(rounded) if known.lens.linear else known.lens
