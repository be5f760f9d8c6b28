"""The number of processor cores that this process may use."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_limit: int | None = None


def available_cores() -> int:
    """Return how many threads can run at once.

    This is the least of the process's affinity, the container's quota, `OMP_NUM_THREADS`, and `limit_cores`.
    Networks get so many threads. Libraries that count the machine's cores themselves start too many threads
    in a container, and some pin them to cores that other processes use.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    if quota is not None:
        cores = min(cores, max(1, round(quota)))
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdecimal():
        cores = min(cores, int(stated))
    return max(1, cores if _limit is None else min(cores, _limit))


def limit_cores(count: int) -> None:
    """Let this process use at most so many cores, because others work beside it.

    Call it before any network is loaded.
    """
    global _limit
    _limit = count


def _quota(groups: Path, root: Path) -> float | None:
    """Return the cores that a Linux control group grants, the least of the group and those above it.

    Args:
        groups: The file that names the groups of this process.
        root: Where the groups are mounted.
    """
    found: list[float] = []
    with suppress(OSError, ValueError):
        for line in groups.read_text(encoding="utf-8").splitlines():
            _, controllers, name = line.split(":", 2)
            if not controllers:  # version 2
                folder = root / name.lstrip("/")
            elif "cpu" in controllers.split(","):
                folder = root / "cpu" / name.lstrip("/")
            else:
                continue
            # In a container, the group's own name may not be mounted; its limits are then at the root.
            for each in (folder, *folder.parents):
                found += _limits(each)
                if each == root:
                    break
    return min(found, default=None)


def _limits(folder: Path) -> list[float]:
    """Return the quota written in a group's folder, in cores; nothing if there is none."""
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return [] if quota == "max" else [int(quota) / int(period)]
    with suppress(OSError, ValueError):
        quota_us = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period_us = int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
        return [] if quota_us <= 0 else [quota_us / period_us]
    return []
