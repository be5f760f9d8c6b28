"""Steps on a cluster, done here one after another, with files in a store in memory."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.errors import InputError, OutputError, UsageError
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.cluster import work as cluster_work
from videopose.pipeline.cluster.jobs import plan_cluster_jobs
from videopose.pipeline.cluster.work import ClusterWork
from videopose.pipeline.exports.export_tables import ExportOptions
from videopose.pipeline.inference import look
from videopose.pipeline.inference.infer import infer_file
from videopose.pipeline.inference.options import DetectOptions, InferOptions
from videopose.pipeline.remote_files import folder_of, text_of

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store(clip: Path):
    system = fsspec.filesystem("memory")
    system.put_file(str(clip), "/in/a.mp4")
    system.pipe_file("/in/notes.txt", b"no video")
    yield system
    system.rm("/", recursive=True)


def _plan(*inputs: str, output: str | None = "memory://out", overwrite: bool = False):
    return plan_cluster_jobs(inputs, output, lifts=True, animation=False, overwrite=overwrite)


def test_the_steps_of_a_video_give_the_table_of_one_run(
    store, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "PART_FRAMES", 5)
    monkeypatch.setattr(cluster_work, "PART_FRAMES", 5)
    options = InferOptions(people=2, device="cpu", end=0.75)
    [job] = _plan("memory://in")
    work, state, done = ClusterWork(options, "videopose infer", frames=10), None, []
    while not done or state is not None:
        step = work.step(job, state)
        if state is None:
            assert work.step(job, None) == step  # a step can be done twice
        state = step.state
        done.append(step.done)
    assert done == [10, 20, 23]
    store.get_file("/out/a.npz", str(tmp_path / "a.npz"))
    table, whole = PoseTable.load(tmp_path / "a.npz"), infer_file(clip, options)
    for name in ("track", "frame", "keypoints", "pose", "root", "confidence", "filled", "time"):
        np.testing.assert_array_equal(getattr(table, name), getattr(whole, name), err_msg=name)


def test_the_camera_file_beside_a_video_in_a_store_is_read(store, tmp_path: Path) -> None:
    store.pipe_file("/in/a.camera.json", b'{"fx": 700}')
    [job] = plan_cluster_jobs(["memory://in"], "memory://out", lifts=False, animation=False, overwrite=False)
    ClusterWork(DetectOptions(device="cpu", end=0.1), "videopose detect").step(job, None)
    store.get_file("/out/a.2d.npz", str(tmp_path / "a.2d.npz"))
    table = PoseTable.load(tmp_path / "a.2d.npz")
    assert (table.intrinsics.fx, table.meta["intrinsics"]) == (700, "a.camera.json")


def test_results_that_exist_are_not_replaced(store) -> None:
    store.pipe_file("/out/a.npz", b"a result")
    with pytest.raises(OutputError, match=r"memory://out/a\.npz exists; --overwrite"):
        _plan("memory://in")
    assert len(_plan("memory://in", overwrite=True)) == 1


def test_the_machine_that_makes_a_table_exports_it(store, tmp_path: Path) -> None:
    export = ExportOptions(formats=("csv", "bvh"))
    plan = partial(plan_cluster_jobs, ["memory://in"], "memory://out", lifts=True, animation=False)
    [job] = plan(overwrite=False, export=export)
    options = InferOptions(people=2, device="cpu", end=0.3)
    step = ClusterWork(options, "videopose infer", export=export).step(job, None)
    names = ["a.0.bvh", "a.1.bvh", "a.csv", "a.npz"]
    assert sorted(Path(path).name for path in store.ls("/out", detail=False)) == names
    assert sorted(step.lines) == sorted(f"→ memory://out/{name}" for name in names)
    store.rm("/out/a.npz")
    with pytest.raises(OutputError, match=r"memory://out/a\.0\.bvh exists; --overwrite"):
        plan(overwrite=False, export=export)
    assert plan(overwrite=False) == plan(overwrite=True, export=export) == [job]


def test_pages_are_made_of_files_that_this_machine_sees(store, clip: Path, tmp_path: Path) -> None:
    plan = partial(plan_cluster_jobs, lifts=True, animation=False, overwrite=False, page=True)
    with pytest.raises(UsageError, match="--view makes pages of files that this machine sees"):
        plan(["memory://in"], "memory://out")
    [job] = plan([str(clip)], str(tmp_path))
    assert job.page == str(tmp_path / "clip.html")
    (tmp_path / "clip.html").touch()
    with pytest.raises(OutputError, match=r"clip\.html exists"):
        plan([str(clip)], str(tmp_path))


def _here(task: Any, items: Any, failed: Any, finished: Any, *, address: str | None) -> None:
    """Do the steps of all items in this process, in place of a cluster."""
    for item in items:
        state, begun = None, False
        while state is not None or not begun:
            step = task.step(item, state)
            state, begun = step.state, True
        finished(item)


def test_the_command_line_exports_and_writes_pages(
    clip: Path, tmp_path: Path, videopose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videopose.pipeline.engines.ray_cluster.do_on_ray", _here)
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    words = ("infer", clip, "--engine", "ray", "--output", tmp_path, "--no-render", "--end", "0.3")
    done = videopose(*words, "--export", "csv", "--view")
    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.csv", "clip.html", "clip.npz"]
    assert f"→ {tmp_path / 'clip.html'}" in done.err
    for refused in (("--adapt",), ("--keypoints", "k.json")):
        done = videopose(*words, *refused)
        assert done.code == 2
        assert f"--engine ray takes no {refused[0]}" in done.errors[0]


def test_what_cannot_be_read(store) -> None:
    with pytest.raises(InputError, match="no such file"):
        _plan("memory://in/none.mp4")
    store.mkdir("/empty")
    with pytest.raises(InputError, match="no video in this folder"):
        _plan("memory://empty")


def test_paths_of_stores_keep_their_two_slashes() -> None:
    assert text_of(Path("s3://bucket/results")) == "s3://bucket/results"
    assert text_of(Path("results/here")) == "results/here"
    assert text_of(None) is None


@pytest.mark.parametrize(
    ("path", "folder"),
    [("s3://bucket/in/a.mp4", "s3://bucket/in"), ("memory://in/a.mp4", "memory://in"), ("a.mp4", ".")],
)
def test_the_folder_of_a_file(path: str, folder: str) -> None:
    assert folder_of(path) == folder


def test_the_folder_of_a_file_of_this_machine(tmp_path: Path) -> None:
    assert folder_of(str(tmp_path / "a.mp4")) == str(tmp_path)  # with back-slashes on Windows
