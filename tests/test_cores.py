import os
import subprocess
import sys
from pathlib import Path

import pytest

from videopose import cores
from videopose.cores import available_cores, limit_cores


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(cores, "_limit", None)


def test_the_least_of_all_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "_quota", lambda groups, root: None)
    assert available_cores() == 8
    monkeypatch.setattr(cores, "_quota", lambda groups, root: 2.5)
    assert available_cores() == 2
    monkeypatch.setattr(cores, "_quota", lambda groups, root: 0.1)
    assert available_cores() == 1
    monkeypatch.setattr(cores, "_quota", lambda groups, root: 6.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert available_cores() == 5
    limit_cores(3)
    assert available_cores() == 3


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="there is no affinity here")
def test_affinity() -> None:
    one = min(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, {{{one}}}); from videopose.cores import available_cores; "
    done = subprocess.run([sys.executable, "-c", program + "print(available_cores())"], capture_output=True)
    assert done.stdout.strip() == b"1"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/a/b\n", {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"}, 1.5),
        ("0::/a/b\n", {"cpu.max": "400000 100000"}, 4.0),  # in a container, the own group is the root
        ("0::/\n", {}, None),
        (
            "3:cpu,cpuacct:/x\n2:memory:/y\n",
            {"cpu/x/cpu.cfs_quota_us": "50000", "cpu/x/cpu.cfs_period_us": "100000"},
            0.5,
        ),
        ("3:cpu,cpuacct:/x\n", {"cpu/x/cpu.cfs_quota_us": "-1", "cpu/x/cpu.cfs_period_us": "100000"}, None),
        ("nonsense\n", {}, None),
    ],
)
def test_quota_of_a_control_group(
    groups: str, files: dict[str, str], expected: float | None, tmp_path: Path
) -> None:
    (tmp_path / "cgroup").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert cores._quota(tmp_path / "cgroup", tmp_path / "root") == expected
