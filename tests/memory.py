"""How much memory an action needs, apart from what the process has and had before."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from videopose.parts import give_back_memory

Result = TypeVar("Result")


def with_memory(action: Callable[[], Result], *, traced: bool = True) -> tuple[Result, int]:
    """Return what an action returns, and the most bytes by which it needs more memory than there was.

    Python's and numpy's memory is counted on every system, also where it is reserved and not used. On Linux
    that of libraries such as torch is counted, too, as far as it is used. Without `traced`, which triples the
    time of some actions, only this is counted.
    """
    if traced:
        give_back_memory()  # what is free already would be used again, unseen
    resettable = _forget_peak()
    before = _resident("VmRSS") if resettable else 0
    reserved = 0
    if traced:
        tracemalloc.start()
    try:
        result = action()
        if traced:
            reserved = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return result, max(reserved, _resident("VmHWM") - before if resettable else 0)


def _forget_peak() -> bool:
    """Let Linux forget the most memory that this process had so far; return whether it does."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _resident(key: str) -> int:
    """Return the bytes of this process in memory that Linux tells: now ("VmRSS"), or at most ("VmHWM")."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
