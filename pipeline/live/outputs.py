"""What is done with live poses: one class an output."""

from __future__ import annotations

import errno
import json
import threading
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError
from .live_poses import LivePerson, LivePoses
from .live_world import LiveWorld
from .osc import OscSender
from .vmc import VmcPerson


class Output(Protocol):
    """Takes the poses of each frame."""

    def show(self, poses: LivePoses) -> None:
        """Take the poses of the next frame."""
        ...

    def close(self) -> None:
        """Take leave: there are no more frames."""
        ...


class InBackground:
    """Gives the newest frame to another output in a thread, so that no frame waits for it.

    An error of that output is raised by the next `show`.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._newest: LivePoses | None = None
        self._ended = False
        self._error: Exception | None = None
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="output", daemon=True)
        self._thread.start()

    def show(self, poses: LivePoses) -> None:
        """Keep the frame until the thread takes it. One that it did not take is replaced."""
        if self._error is not None:
            raise self._error
        with self._change:
            self._newest = poses
            self._change.notify_all()

    def close(self) -> None:
        """Wait until the last frame is shown, and close the output."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        self._thread.join(2.0)
        self._output.close()

    def _work(self) -> None:
        while True:
            with self._change:
                while self._newest is None and not self._ended:
                    self._change.wait(0.5)
                if self._newest is None:
                    return
                newest, self._newest = self._newest, None
            try:
                self._output.show(newest)
            except Exception as error:
                self._error = error
                return


class JsonLines:
    """Writes one line a frame: an object with the frame's number, time and people.

    Lengths are metres in camera space (x right, y down, z forward), with six digits. A root that is not known
    is null.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def show(self, poses: LivePoses) -> None:
        """Write the line.

        Raises:
            BrokenPipeError: The reader went away.
            OutputError: The line cannot be written, for another reason.
        """
        line = {
            "frame": poses.frame,
            "time": round(poses.time, 6),
            "dropped": poses.dropped,
            "detect_ms": round(poses.detect_ms, 2),
            "lift_ms": round(poses.lift_ms, 2),
            "people": [_person(person) for person in poses.people],
        }
        text = json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n"
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EINVAL):  # the second on Windows
                raise BrokenPipeError from error
            raise OutputError(f"cannot write the lines of --json: {error.strerror or error}") from error

    def close(self) -> None:
        """Do nothing: the file is the caller's."""


def _person(person: LivePerson) -> dict[str, Any]:
    return {
        "track": person.track,
        "pose": _rounded(person.pose, 6),
        "root": _rounded(person.root, 6) if np.isfinite(person.root).all() else None,
        "confidence": _rounded(person.confidence, 3),
        "keypoints": _rounded(person.keypoints, 3),
    }


def _rounded(values: NDArray[np.float32], digits: int) -> Any:
    return np.round(values.astype(np.float64), digits).tolist()


class Vmc:
    """Sends the first person's bones by VMC, to avatars and game engines."""

    def __init__(self, sender: OscSender) -> None:
        self._sender, self._world = sender, LiveWorld()
        self._track: int | None = None
        self._person = VmcPerson()

    def show(self, poses: LivePoses) -> None:
        """Send the bundle of the person who was sent before, else of the one who came first."""
        placed = self._world.joints(poses)
        if not placed:
            return
        if self._track not in placed:
            self._track, self._person = min(placed), VmcPerson()
        x, y, z = placed[self._track].astype(np.float64).T
        self._sender.send(self._person.packet(np.stack([x, z, -y], 1), poses.time))

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()
