"""FBX, written by Blender in a process of its own: no writer of FBX has a licence that suits this project.

What Blender gets is the GLB file of the same motion, so an FBX file holds the same skeletons and bodies.
Metres, y up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ...errors import OutputError, UsageError
from . import glb
from .motion import Motion
from .style import Style

BLENDER_VARIABLE = "VIDEOPOSE_BLENDER"
"""The environment variable that names Blender's program, or a Python that has `bpy`."""

_SCRIPT = Path(__file__).with_name("fbx_in_blender.py")
_MISSING = (
    "FBX files are written by Blender, and there is none: install it (https://www.blender.org) or its Python "
    f"module (`pip install bpy`), or name it in {BLENDER_VARIABLE}; docs/blender.md shows how to make an FBX "
    "file from a GLB file by hand"
)


def require() -> None:
    """Check that there is a Blender. Raises `UsageError`."""
    blender_command()


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's motion as an FBX file.

    Raises:
        UsageError: If there is no Blender.
        OutputError: If Blender fails.
    """
    command = blender_command()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "motion.glb"), Path(folder, "motion.fbx")
        source.write_bytes(glb.encode(motions, style))
        first = min(int(motion.frames[0]) for motion in motions)
        last = max(int(motion.frames[-1]) for motion in motions)
        arguments = [str(source), str(target), repr(motions[0].rate), str(first), str(last)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True)
        if done.returncode or not target.is_file():
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise OutputError(f"Blender wrote no FBX file: {lines[-1] if lines else 'it says nothing'}")
        return target.read_bytes()


def blender_command() -> list[str]:
    """Return the command that runs the script in Blender. Raises `UsageError` if there is no Blender."""
    named = os.environ.get(BLENDER_VARIABLE)
    if named is None and find_spec("bpy"):
        named = sys.executable
    program = shutil.which(named or "blender")
    if program is None:
        raise UsageError(_MISSING)
    if "python" in Path(program).name:
        return [program, str(_SCRIPT)]
    return [
        program,
        "--background",
        "--factory-startup",
        "--python-exit-code",
        "1",
        "--python",
        str(_SCRIPT),
        "--",
    ]
