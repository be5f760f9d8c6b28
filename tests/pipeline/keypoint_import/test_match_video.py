import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videopose.detectors.people import FEET
from videopose.errors import InputError, UsageError
from videopose.lifting.datasets.videopose3d_files import KeypointFile
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.keypoint_import.layouts import LAYOUTS
from videopose.pipeline.keypoint_import.match_video import (
    check_length,
    check_several,
    find,
    number_from_zero,
    read,
)
from videopose.pipeline.video.reader import Video, open_video
from videopose.skeleton import COCO17, Skeleton

Run = Callable[..., Any]
FRAMES = 46


def _touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def _coco(path: Path, keypoints: Any, first: int = 0) -> Path:
    """(T, J, 3) → COCO results with one person a frame."""
    content = [
        {"image_id": first + n, "category_id": 1, "keypoints": np.ravel(k).tolist(), "score": 1.0}
        for n, k in enumerate(np.asarray(keypoints, float))
    ]
    path.write_text(json.dumps(content))
    return path


def _people(frames: int = FRAMES, scale: tuple[float, float] = (500, 300)) -> Any:
    return np.random.default_rng(0).uniform([0, 0, 0.9], [*scale, 0.9], (frames, 17, 3))


def _data_2d(path: Path, names: tuple[str, ...], size: tuple[int, int]) -> Path:
    layout = Skeleton.without_names("coco", 17, COCO17.left, COCO17.right)
    xy = _people()[..., :2].astype(np.float32)
    sizes = {name: {"w": size[0], "h": size[1]} for name in names}
    KeypointFile(layout, {name: {"custom": (xy,)} for name in names}, sizes).save(path)
    return path


@pytest.fixture
def video(clip: Path) -> Any:
    with open_video(clip) as opened:
        yield opened


# which file ---------------------------------------------------------------------------------------------


def test_a_file_is_what_it_is(tmp_path: Path) -> None:
    [file] = _touch(tmp_path, "anything.json")
    assert find(file, Path("clip.mp4")) == [file]
    with pytest.raises(InputError, match=r"none\.json: no such file or folder of keypoints"):
        find(tmp_path / "none.json", Path("clip.mp4"))


@pytest.mark.parametrize(
    "name",
    ["clip.mp4.npz", "clip.npz", "clip.json", "results_clip.json", "clip.h5", "alphapose-results.json"],
)
def test_in_a_folder_the_file_named_after_the_video(name: str, tmp_path: Path) -> None:
    _touch(tmp_path, "other.npz", "clips.json", "notes.txt", "clip.mp4")
    [file] = _touch(tmp_path, name)
    assert find(tmp_path, Path("videos/clip.mp4")) == [file]


def test_openpose_s_files_of_the_video(tmp_path: Path) -> None:
    ours = _touch(tmp_path, *(f"clip_{n:012d}_keypoints.json" for n in (0, 1, 10)))
    assert find(tmp_path, Path("renamed.mp4")) == ours  # there are no others
    theirs = _touch(tmp_path, *(f"clip_2_{n:012d}_keypoints.json" for n in range(2)))
    assert find(tmp_path, Path("clip.mp4")) == ours
    assert find(tmp_path, Path("clip_2.mp4")) == theirs
    with pytest.raises(InputError, match=r"holds no keypoints of walk\.mp4: neither a file or a folder"):
        find(tmp_path, Path("walk.mp4"))


@pytest.mark.parametrize("name", ["clip", "clip.mp4"])
def test_a_folder_named_after_the_video(name: str, tmp_path: Path) -> None:
    files = _touch(tmp_path, f"{name}/0.json", f"{name}/1.json")
    assert find(tmp_path, Path("clip.mp4")) == files


def test_several_videos_need_several_files(tmp_path: Path) -> None:
    videos = [Path("a.mp4"), Path("b.mp4")]
    shared = _coco(tmp_path / "keypoints.json", _people(2))
    check_several(shared, videos[:1])
    with pytest.raises(
        UsageError,
        match="expected keypoints of 2 videos, found those of one",
    ):
        check_several(shared, videos)
    check_several(_data_2d(tmp_path / "data_2d_custom_x.npz", ("a", "b"), (592, 332)), videos)
    folder = tmp_path / "folder"
    _touch(folder, *(f"walk_{n:012d}_keypoints.json" for n in range(3)))
    with pytest.raises(UsageError, match="those of one in"):
        check_several(folder, videos)
    shutil.rmtree(folder)
    _touch(folder, "a.json", "b.json", "c.json")
    check_several(folder, [*videos, Path("missing.mp4")])  # each for itself will say so


# whether it fits ----------------------------------------------------------------------------------------


def test_keypoints_of_another_size(video: Video, tmp_path: Path) -> None:
    big = _coco(tmp_path / "a.json", _people(scale=(1700, 900)))
    message = (
        r"\d\d% of its keypoints lie outside of .*clip\.mp4's 592×332 pixels \(they span \d+ to 1\d\d\d ×"
    )
    with pytest.raises(InputError, match=message):
        read(big, video, None)


def test_keypoints_that_tell_another_size(video: Video, tmp_path: Path) -> None:
    source = _data_2d(tmp_path / "data_2d_custom_x.npz", ("clip.mp4",), (332, 592))
    with pytest.raises(InputError, match=r"is for a video of 332×592 pixels, .*clip\.mp4 has 592×332"):
        read(source, video, None)


def test_keypoints_between_0_and_1(video: Video, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected keypoints in pixels"):
        read(_coco(tmp_path / "a.json", _people(scale=(1, 1))), video, None)


def test_a_few_keypoints_may_lie_outside(video: Video, tmp_path: Path) -> None:
    keypoints = _people()
    keypoints[:, 0, 0] = -40
    keypoints[:, 1:5, 1] = 5000
    keypoints[:, 1:5, 2] = 0.1  # hardly seen
    found, _ = read(_coco(tmp_path / "a.json", keypoints), video, None)
    assert len(found.frame) == FRAMES


@pytest.mark.parametrize(("frames", "fits"), [(44, True), (46, True), (48, True), (49, False), (200, False)])
def test_frames_beyond_the_end(frames: int, fits: bool, video: Video, tmp_path: Path) -> None:
    found, _ = read(_coco(tmp_path / "a.json", _people(frames)), video, None)
    list(video.frames())
    if fits:
        check_length(found, video, tmp_path)
    else:
        with pytest.raises(
            InputError, match=f"has keypoints of {frames} frames, but .* has 46: they belong to"
        ):
            check_length(found, video, tmp_path)


def test_a_file_of_so_many_frames_belongs_to_a_video_of_as_many(video: Video, tmp_path: Path) -> None:
    np.savez(tmp_path / "clip.npz", poses=_people(40)[..., :2])
    found, _ = read(tmp_path, video, None)
    list(video.frames())
    with pytest.raises(InputError, match=r"has keypoints of 40 frames, but .* has 46"):
        check_length(found, video, tmp_path)


def test_images_that_are_counted_from_one(video: Video, tmp_path: Path) -> None:
    for first, length in ((0, 46), (1, 46), (1, 40)):
        found, _ = read(_coco(tmp_path / "a.json", _people(length), first), video, None)
        found = number_from_zero(found, 46, None)
        expected = 0 if (first, length) == (1, 46) else first
        assert found.frame.tolist() == list(range(expected, expected + length))


# from the command line ----------------------------------------------------------------------------------


def test_heels_and_toes_of_a_file_come_into_the_table(clip: Path, tmp_path: Path, videopose: Run) -> None:
    shutil.copy(clip, tmp_path)
    layout = LAYOUTS["halpe26"]
    keypoints = np.repeat(np.random.default_rng(0).uniform([0, 0, 0.9], [500, 300, 0.9], (1, 26, 3)), 46, 0)
    keypoints[:, layout.index("lheel"), 0] += np.arange(46)
    keypoints[10:20, layout.index("lheel")] = 0  # not found there
    words = ("--keypoints", _coco(tmp_path / "halpe.json", keypoints), "--static-camera")
    done = videopose("detect", tmp_path / clip.name, *words)
    assert done.code == 0, done.err
    table = PoseTable.load(tmp_path / f"{clip.stem}.2d.npz")
    assert table.extra_names == FEET
    heel = table.extra[:, FEET.index("lheel")]
    assert heel[[9, 20], 0] == pytest.approx(keypoints[[9, 20], layout.index("lheel"), 0])
    assert (heel[10:20, 2] == 0).all()
    assert np.diff(heel[8:22, 0]) == pytest.approx(1, abs=0.01)  # near the ankle, not in the corner


def test_wrong_keypoints_are_one_line(clip: Path, tmp_path: Path, videopose: Run) -> None:
    shutil.copy(clip, tmp_path)
    big = _coco(tmp_path / "big.json", _people(scale=(1700, 900)))
    for words, code, message in (
        (["--keypoints", big], 3, "lie outside of"),
        (["--keypoints", tmp_path / "none.json"], 3, "no such file or folder of keypoints"),
        (["--keypoints", tmp_path], 3, "holds no keypoints of clip.mp4"),
        (
            ["--keypoints", big, "--keypoint-layout", "openpose"],
            2,
            "no keypoint layout 'openpose'; known: coco17",
        ),
        (["--keypoint-layout", "mpii16"], 2, "--keypoint-layout goes with --keypoints"),
    ):
        done = videopose("infer", tmp_path / "clip.mp4", *words)
        assert (done.code, len(done.errors)) == (code, 1), words
        assert message in done.err
        assert "Traceback" not in done.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.json", "clip.mp4"]


def test_several_videos_and_a_folder_of_keypoints(
    clip: Path, finished: tuple[Path, Any], tmp_path: Path, videopose: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEOPOSE_CACHE", str(tmp_path / "cache"))  # no detector is needed
    table = PoseTable.load(finished[0] / "clip.npz")
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        shutil.copy(clip, tmp_path / name)
    (tmp_path / "keypoints").mkdir()
    for name, track in (("a", 0), ("b", 1)):
        _coco(tmp_path / "keypoints" / f"{name}.json", table.keypoints[table.track == track])
    done = videopose("infer", tmp_path, "--keypoints", tmp_path / "keypoints", "--no-render")
    assert done.code == 7
    [error] = done.errors
    assert "holds no keypoints of c.mp4" in error
    assert "reading a.mp4" in done.err
    for name, track in (("a", 0), ("b", 1)):
        found = PoseTable.load(tmp_path / f"{name}.npz")
        np.testing.assert_allclose(found.keypoints, table.keypoints[table.track == track], rtol=1e-5)
        assert found.meta["detector"]["sha256"].keys() == {f"{name}.json"}
    assert not (tmp_path / "cache").exists()

    done = videopose("infer", tmp_path, "--keypoints", tmp_path / "keypoints" / "a.json", "--overwrite")
    assert (done.code, len(done.errors)) == (2, 1)
    assert "give a folder with a file named after each video" in done.err
