import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import InputError, NoPeopleError, UsageError
from videopose.files import file_digest
from videopose.lifting.inference.lifter import Lifter
from videopose.lifting.inference.pretrained import load_lifter
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.camera_metadata.focal_length import FocalLength
from videopose.pipeline.device import choose_device
from videopose.pipeline.downloads import assets
from videopose.pipeline.inference.infer import Networks, infer, infer_file
from videopose.pipeline.inference.options import InferOptions
from videopose.pipeline.video.reader import open_video
from videopose.skeleton import COCO17, H36M17

Image = NDArray[np.uint8]
Write = Callable[..., Path]
NOSE = COCO17.index("nose")


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks.load(InferOptions())


@pytest.fixture(scope="module")
def table(finished: tuple[Path, Any]) -> PoseTable:
    """Of the whole clip, as the command line wrote it."""
    return PoseTable.load(finished[0] / "clip.npz")


def _stamps(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        stamps = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
        return [float((s - stamps[0]) * stream.time_base) for s in stamps]


def test_two_people_who_walk(table: PoseTable, clip: Path) -> None:
    assert [track for track, _ in table.tracks()] == [0, 1]
    for _, rows in table.tracks():
        assert table.frame[rows].tolist() == list(range(46))
    assert table.time == pytest.approx(_stamps(clip), abs=1e-9)
    assert table.time[1] == pytest.approx(1 / 30)
    assert table.size == (592, 332)
    assert not table.filled.any()


def test_keypoints_lie_on_the_people(table: PoseTable) -> None:
    xy, score = table.keypoints[..., :2], table.keypoints[..., 2]
    assert (xy > 0).all()
    assert (xy < table.size).all()
    assert ((score >= 0) & (score <= 1)).all()
    assert score.mean() > 0.5
    # The man stands on a box, the woman walks below him, to the left, in the lower half of the picture.
    man, woman = sorted((xy[rows] for _, rows in table.tracks()), key=lambda p: float(p[..., 1].mean()))
    assert man[..., 1].max() < 160 < woman[..., 1].min()
    assert woman[-1, :, 0].mean() < woman[0, :, 0].mean() - 50
    for person in (man, woman):
        assert (person[:, NOSE, 1] < person[:, COCO17.index("lankle"), 1] - 60).all()


def test_poses_stand_upright_round_their_root(table: PoseTable) -> None:
    assert np.isfinite(table.pose).all()
    assert np.isfinite(table.root).all()
    assert (table.pose[:, 0] == 0).all()
    head, feet = H36M17.index("head"), [H36M17.index("lfoot"), H36M17.index("rfoot")]
    assert (table.pose[:, head, 1] < -0.3).all()  # up is −y
    assert (table.pose[:, feet, 1] > 0.3).all()
    assert (table.root[:, 2] > 2).all()


def test_the_root_puts_the_pose_where_the_keypoints_are(table: PoseTable) -> None:
    camera = table.intrinsics
    points = table.pose + table.root[:, None]
    seen = points[..., :2] / points[..., 2:] * camera.fx + [camera.cx, camera.cy]
    for joint, keypoint in (("lfoot", "lankle"), ("rknee", "rknee"), ("lshoulder", "lshoulder")):
        off = seen[:, H36M17.index(joint)] - table.keypoints[:, COCO17.index(keypoint), :2]
        assert np.median(np.linalg.norm(off, axis=1)) < 12  # of about 110 pixels of person


def test_meta_says_how_it_came_about(table: PoseTable, clip: Path) -> None:
    meta = dict(table.meta)
    assert json.loads(json.dumps(meta)) == meta
    assert meta["video"] == {"name": "clip.mp4", "sha256": file_digest(clip)}
    assert meta["lifter"] == {"name": "default", "sha256": load_lifter("default").digest()}
    assert meta["detector"]["name"] == "movenet"
    pinned = {n: a.sha256 for n, a in assets.ASSETS.items() if n.startswith("movenet")}
    assert meta["detector"]["sha256"] == pinned
    assert meta["intrinsics"] == "assumed: 60° across the longer side"
    assert meta["command"] == "videopose infer clip.mp4 --people 2"
    assert (meta["flip"], meta["precision"]) == (True, "float32")
    assert meta["damaged"] is None
    assert meta["versions"] == {n: version(n) for n in ("videopose", "torch", "numpy", "onnxruntime")}


def test_one_person_by_default_the_one_seen_most(clip: Path, networks: Networks, table: PoseTable) -> None:
    alone = infer_file(clip, InferOptions(end=0.4), networks=networks)
    assert set(alone.track.tolist()) == {0}
    everybody = infer_file(clip, InferOptions(end=0.4, people=None), networks=networks)
    assert len(set(everybody.track.tolist())) >= 2


def test_a_span_keeps_true_frame_numbers(clip: Path, networks: Networks, table: PoseTable) -> None:
    part = infer_file(clip, InferOptions(start=0.5, end=1.0, people=2), networks=networks)
    for _, rows in part.tracks():
        assert part.frame[rows].tolist() == list(range(15, 30))
    np.testing.assert_array_equal(part.time, table.time[:30])
    whole = table.keypoints[table.frame == 20][..., :2]
    near = [np.abs(whole - k).mean((1, 2)).min() for k in part.keypoints[part.frame == 20][..., :2]]
    assert max(near) < 3


def test_without_flip(clip: Path, networks: Networks) -> None:
    with_flip = infer_file(clip, InferOptions(end=0.3), networks=networks)
    without = infer_file(clip, InferOptions(end=0.3, flip=False), networks=networks)
    np.testing.assert_array_equal(with_flip.keypoints, without.keypoints)
    difference = np.abs(with_flip.pose - without.pose).mean()
    assert 1e-4 < difference < 0.1
    assert without.meta["flip"] is False


@pytest.mark.parametrize(
    ("focal", "fx", "source"),
    [
        (FocalLength(pixels=800), 800, "--focal-px 800"),
        (FocalLength(mm35=26), 26 / 43.26662 * 678.7400, "--focal-35mm 26"),
        (FocalLength(hfov=90), 296, "--hfov 90"),
    ],
)
def test_what_is_known_of_the_lens(
    clip: Path, networks: Networks, focal: FocalLength, fx: float, source: str
) -> None:
    known = infer_file(clip, InferOptions(end=0.2, focal=focal), networks=networks)
    assert known.intrinsics.array() == pytest.approx([fx, fx, 296, 166], rel=1e-5)
    assert known.meta["intrinsics"] == source


def test_a_longer_lens_means_people_farther_away(clip: Path, networks: Networks) -> None:
    wide, narrow = (
        infer_file(clip, InferOptions(end=0.2, focal=FocalLength(pixels=f)), networks=networks)
        for f in (500, 1000)
    )
    assert np.median(narrow.root[:, 2]) == pytest.approx(2 * np.median(wide.root[:, 2]), rel=0.3)


def test_a_film_held_on_its_side(
    clip: Path, images: list[Image], table: PoseTable, networks: Networks, write_video: Write, tmp_path: Path
) -> None:
    lying = [np.ascontiguousarray(np.rot90(image, -1)) for image in images[:15]]
    turned = write_video(tmp_path / "turned.mp4", lying, rotation=90)
    with av.open(str(turned)) as container:
        assert container.streams.video[0].width == 332
    found = infer_file(turned, InferOptions(people=2), networks=networks)
    assert found.size == (592, 332)
    upright = infer_file(clip, InferOptions(people=2, end=0.49), networks=networks)
    np.testing.assert_array_equal(found.frame, upright.frame)
    off = np.linalg.norm(found.keypoints[..., :2] - upright.keypoints[..., :2], axis=-1)
    assert np.median(off) < 1
    assert np.percentile(off, 95) < 6


def test_frames_that_come_unevenly(
    images: list[Image], table: PoseTable, networks: Networks, write_video: Write, tmp_path: Path
) -> None:
    kept = [n for n in range(46) if n not in {3, 4, 10, 17, 18, 19, 30, 31, 40}]
    uneven = write_video(tmp_path / "vfr.mp4", [images[n] for n in kept], stamps=[n / 30 for n in kept])
    found = infer_file(uneven, InferOptions(people=2), networks=networks)
    assert found.time == pytest.approx([n / 30 for n in kept], abs=1e-4)
    assert found.time == pytest.approx(_stamps(uneven), abs=1e-9)
    assert len(found) == 2 * len(kept)
    rows = np.isin(table.frame, kept)
    off = np.linalg.norm(found.keypoints[..., :2] - table.keypoints[rows][..., :2], axis=-1)
    assert np.median(off) < 1.5
    # Were the frames taken for evenly spaced, the walk would be played too fast.
    apart = np.linalg.norm(found.pose - table.pose[rows], axis=-1)
    assert np.median(apart) < 0.03


def test_a_file_that_breaks_off(clip: Path, networks: Networks, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    content = clip.read_bytes()
    cut.write_bytes(content[: len(content) * 2 // 3])
    found = infer_file(cut, InferOptions(), networks=networks)
    assert 5 < len(found.time) < 40
    assert len(found) <= len(found.time)
    assert "breaks off at" in found.meta["damaged"]["warning"]


def test_nobody(write_video: Write, networks: Networks, tmp_path: Path) -> None:
    black = write_video(tmp_path / "black.mp4", [np.zeros((120, 160, 3), np.uint8)] * 10)
    with pytest.raises(NoPeopleError, match=r"black\.mp4: no person was found in any of its 10 frames"):
        infer_file(black, InferOptions(), networks=networks)


def test_progress_counts_every_frame(clip: Path, networks: Networks) -> None:
    told: list[tuple[str, int | None, int]] = []

    @contextmanager
    def progress(description: str, total: int | None) -> Iterator[Any]:
        counts: list[int] = []
        yield lambda count=1: counts.append(count)
        told.append((description, total, sum(counts)))

    with open_video(clip) as video:
        infer(video, InferOptions(start=0.2, end=0.6, people=2), networks, progress=progress)
    assert told == [("finding people in clip.mp4", 12, 12), ("lifting to 3D", 24, 24)]


def test_a_missing_video_is_noticed_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path / "empty"))
    with pytest.raises(InputError, match="no such file"):
        infer_file(tmp_path / "missing.mp4", InferOptions())
    assert not (tmp_path / "empty").exists()


def test_a_span_after_the_end(clip: Path, networks: Networks) -> None:
    with pytest.raises(UsageError, match=r"no frame from 9 s on: it ends at 1\.50 s"):
        infer_file(clip, InferOptions(start=9), networks=networks)


@pytest.mark.parametrize("name", ["nonsense", "cuda:99", "meta"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(UsageError, match=f"--device {name} cannot be used here"):
        choose_device(name)


def test_devices() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detector": "openpose"}, "there is no detector 'openpose'; the known ones are: movenet"),
        (
            {"lifter": "best"},
            r"unknown lifter 'best'; known: causal, default, or a path to a \.safetensors or \.bin",
        ),
        ({"device": "nonsense"}, "--device nonsense"),
        ({"precision": "int8"}, "--precision is float32 or bfloat16, not int8"),
        ({"flip_test": True}, "movenet takes no --flip-test, which is for: cpn"),
    ],
)
def test_names_that_nobody_knows(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Networks.load(InferOptions(**options))


def test_a_lifter_for_other_keypoints(tmp_path: Path) -> None:
    model = TemporalModel(num_joints_in=15, num_joints_out=15, filter_widths=(3,), channels=8)
    Lifter(model, "humaneva15", "screen", None).save(tmp_path / "eva.safetensors")
    with pytest.raises(
        UsageError, match="reads humaneva15 keypoints and gives 15 joints; expected one that reads coco17"
    ):
        Networks.load(InferOptions(lifter=str(tmp_path / "eva.safetensors")))


def test_a_digest_is_the_one_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_digest(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")
    with pytest.raises(InputError, match="cannot be read"):
        file_digest(tmp_path)


def test_names_do_not_matter(clip: Path, networks: Networks, tmp_path: Path) -> None:
    odd = tmp_path / "my [clip] – 100%d.mp4"
    shutil.copy(clip, odd)
    assert infer_file(odd, InferOptions(end=0.1), networks=networks).meta["video"]["name"] == odd.name
