"""Small videos for tests, made by PyAV and ffmpeg."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from videopose.pipeline.video.writer import ffmpeg_executable

SIZE = (160, 96)
Change = Callable[[int, bytes], bytes | None]


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; its messages are errors."""
    command = [ffmpeg_executable(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def encode(path: Path, codec: str, options: dict[str, str], *, key_frames: int = 12, count: int = 24) -> Path:
    """A disc that moves over a pattern, 25 frames per second."""
    width, height = SIZE
    ys, xs = np.mgrid[:height, :width]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = key_frames
        for number in range(count):
            disc = (xs - 20 - 4 * number) ** 2 + (ys - 50) ** 2 < 400
            image = np.stack([(xs * 3 + ys * 2) % 200, np.where(disc, 250, 60), (xs ^ ys) % 256], -1)
            frame = av.VideoFrame.from_ndarray(image.astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    return path


def change_packets(source: Path, target: Path, change: Change) -> Path:
    """Copy a file packet by packet. change: gets number and content, and returns the new content."""
    with av.open(str(source)) as given, av.open(str(target), "w") as container:
        stream = container.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(video=0)):
            content = change(number, bytes(packet)) if packet.size else None
            if content is None:
                continue
            copy = av.Packet(content)
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.time_base, copy.is_keyframe, copy.stream = packet.time_base, packet.is_keyframe, stream
            container.mux(copy)
    return target
