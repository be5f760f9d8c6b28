"""`infer` on a local Ray cluster of three nodes, one of which is killed midway."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.cluster.jobs import plan_cluster_jobs
from videopose.pipeline.cluster.work import ClusterWork
from videopose.pipeline.engines.ray_cluster import do_on_ray
from videopose.pipeline.inference.infer import infer_file
from videopose.pipeline.inference.options import InferOptions
from videopose.pipeline.progress import ManyBars

ray = pytest.importorskip("ray")
fsspec = pytest.importorskip("fsspec")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

ARRAYS = ("track", "frame", "keypoints", "pose", "root", "confidence", "contact", "filled", "time")


@pytest.fixture
def videos(write_video: Callable[..., Path], images: list[Any], tmp_path: Path) -> list[Path]:
    """Two videos of 150 frames, to and fro: two steps each."""
    there = [*images, *images[::-1]]
    folder = tmp_path / "videos"
    folder.mkdir()
    return [
        write_video(
            folder / f"{name}.mp4", itertools.islice(itertools.cycle(there[skip:] + there[:skip]), 150)
        )
        for name, skip in (("a", 0), ("b", 20))
    ]


def test_same_tables_though_a_node_dies(
    videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    options = InferOptions(people=2, device="cpu")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    folder = videos[0].parent
    jobs = plan_cluster_jobs(
        [str(folder)], f"file://{tmp_path}/results", lifts=True, animation=True, overwrite=False
    )
    assert [Path(job.source).name for job in jobs] == ["a.mp4", "b.mp4"]
    # As soon as the first step is done, both nodes work: one on that video's next step, one on the other's.
    killer = threading.Timer(0.5, lambda: cluster.remove_node(nodes[0], allow_graceful=False))
    finished_at_kill: list[int] = []
    advance = ManyBars.advance

    def then_kill(bars: ManyBars, *arguments: Any) -> None:
        advance(bars, *arguments)
        if not finished_at_kill:
            finished_at_kill.append(len(done))
            killer.start()

    monkeypatch.setattr(ManyBars, "advance", then_kill)
    errors: list[Exception] = []
    done: list[object] = []
    try:
        work = ClusterWork(options, "videopose infer", frames=120)
        do_on_ray(work, jobs, errors.append, done.append, address=cluster.address)
    finally:
        if finished_at_kill:
            killer.join()
        cluster.shutdown()
    assert errors == []
    assert finished_at_kill == [0]
    assert len(done) == 2
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "a.3d.mp4", "a.npz", "b.3d.mp4", "b.npz"
    ]  # fmt: skip
    for video in videos:
        one, other = PoseTable.load(tmp_path / "results" / f"{video.stem}.npz"), infer_file(video, options)
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
