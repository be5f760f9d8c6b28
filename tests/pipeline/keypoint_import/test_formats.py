"""Two people's keypoints through a clip, as other projects write them, read back and lifted."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from videopose.errors import InputError, NoPeopleError, UsageError
from videopose.lifting.datasets.videopose3d_files import KeypointFile
from videopose.lifting.pose_table import PoseTable
from videopose.pipeline.inference.infer import Networks, infer_file
from videopose.pipeline.inference.options import InferOptions
from videopose.pipeline.keypoint_import.formats import read_sightings
from videopose.pipeline.keypoint_import.layouts import LAYOUTS
from videopose.skeleton import COCO17, H36M17, Skeleton, convert

Keypoints = NDArray[np.float32]
Sample = list[Keypoints]  # for each frame (P, 17, 3) COCO17
VIDEO = Path("clip.mp4")
SIZE = (592, 332)


@pytest.fixture(scope="module")
def table(finished: tuple[Path, Any]) -> PoseTable:
    return PoseTable.load(finished[0] / "clip.npz")


@pytest.fixture(scope="module")
def sample(table: PoseTable) -> Sample:
    return [table.keypoints[table.frame == frame] for frame in range(len(table.time))]


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks.load(InferOptions(keypoints="elsewhere"))


def _in_layout(name: str, coco: Keypoints) -> Keypoints:
    """COCO17 keypoints in another layout; what COCO lacks is not found, but for the middles."""
    layout = LAYOUTS[name]
    keypoints = np.zeros((*coco.shape[:-2], len(layout), 3), np.float32)
    for i, point in enumerate(COCO17.names):
        if point in layout.names:
            keypoints[..., layout.names.index(point), :] = coco[..., i, :]
    for point, side in (("neck", "shoulder"), ("hip", "hip")):
        if point in layout.names:
            twins = [coco[..., COCO17.index(s + side), :] for s in "lr"]
            keypoints[..., layout.names.index(point), :] = (twins[0] + twins[1]) / 2
    return keypoints


def _flat(keypoints: Keypoints) -> list[float]:
    return [float(v) for v in keypoints.reshape(-1)]


# as each project writes it ------------------------------------------------------------------------------


def _openpose(folder: Path, sample: Sample, layout: str, ids: bool = False) -> Path:
    folder.mkdir()
    for number, people in enumerate(sample):
        parts = (
            "face_keypoints_2d",
            "hand_left_keypoints_2d",
            "hand_right_keypoints_2d",
            "pose_keypoints_3d",
        )
        content = {
            "version": 1.3,
            "people": [
                {
                    "person_id": [who if ids else -1],
                    "pose_keypoints_2d": _flat(_in_layout(layout, person)),
                    **{part: [] for part in parts},
                }
                for who, person in enumerate(people)
            ],
        }
        (folder / f"clip_{number:012d}_keypoints.json").write_text(json.dumps(content))
    return folder


def _body25(folder: Path, sample: Sample) -> Path:
    return _openpose(folder / "openpose", sample, "body25")


def _coco18(folder: Path, sample: Sample) -> Path:
    return _openpose(folder / "openpose", sample, "coco18", ids=True)


def _alphapose(folder: Path, sample: Sample, layout: str = "coco17", ids: bool = False) -> Path:
    content = [
        {
            "image_id": f"{number}.jpg",
            "category_id": 1,
            "keypoints": _flat(_in_layout(layout, person)),
            "score": 2.9,
            "box": [10.0, 20.0, 30.0, 40.0],
            "idx": [float(who + 1)] if ids else [[0.0]],
        }
        for number, people in enumerate(sample)
        for who, person in enumerate(people)
    ]
    (folder / "alphapose-results.json").write_text(json.dumps(content))
    return folder / "alphapose-results.json"


def _halpe26(folder: Path, sample: Sample) -> Path:
    return _alphapose(folder, sample, "halpe26", ids=True)


def _mmpose_frames(sample: Sample, first: int, layout: str) -> list[dict[str, Any]]:
    return [
        {
            "frame_id": number + first,
            "instances": [
                {
                    "keypoints": _in_layout(layout, person)[:, :2].tolist(),
                    "keypoint_scores": _in_layout(layout, person)[:, 2].tolist(),
                    "bbox": [[1.0, 2.0, 3.0, 4.0]],
                    "bbox_score": 0.9,
                }
                for person in people
            ],
        }
        for number, people in enumerate(sample)
    ]


def _mmpose_inferencer(folder: Path, sample: Sample) -> Path:
    (folder / "clip.json").write_text(json.dumps(_mmpose_frames(sample, 0, "coco17")))
    return folder / "clip.json"


def _mmpose_demo(folder: Path, sample: Sample, layout: str = "halpe26") -> Path:
    long = {"l": "left_", "r": "right_"}
    names = [long.get(n[:1], "") + (n[1:] if n[:1] in long else n) for n in LAYOUTS[layout].names]
    meta = {"dataset_name": layout, "num_keypoints": len(names), "keypoint_id2name": dict(enumerate(names))}
    content = {"meta_info": meta, "instance_info": _mmpose_frames(sample, 1, layout)}
    (folder / "results_clip.json").write_text(json.dumps(content, indent="\t"))
    return folder / "results_clip.json"


def _coco_results(folder: Path, sample: Sample) -> Path:
    content = [
        {"image_id": number, "category_id": 1, "keypoints": _flat(person), "score": 0.98}
        for number, people in enumerate(sample)
        for person in people
    ]
    (folder / "person_keypoints_results.json").write_text(json.dumps(content))
    return folder / "person_keypoints_results.json"


def _detectron(folder: Path, sample: Sample) -> Path:
    """As VideoPose3D's infer_video_d2.py, of whose scores we make four times as much."""
    cells = np.empty((2, len(sample), 2), object)
    for number, people in enumerate(sample):
        rows = [np.stack([p[:, 0], p[:, 1], 0 * p[:, 2], p[:, 2] / 4]) for p in people]
        found = (
            [np.tile(np.float32([1, 2, 3, 4, 0.9]), (len(rows), 1)), np.float32(rows)] if rows else [[], []]
        )
        cells[:, number, 0] = [[], []]
        cells[0, number, 1], cells[1, number, 1] = found
    metadata = {"w": SIZE[0], "h": SIZE[1]}
    segments = np.array([None] * len(sample))
    np.savez_compressed(
        folder / "clip.mp4.npz", boxes=cells[0], segments=segments, keypoints=cells[1], metadata=metadata
    )
    return folder / "clip.mp4.npz"


FORMATS: dict[str, tuple[Callable[[Path, Sample], Path], str, str]] = {
    "body25": (_body25, "OpenPose JSON", "body25"),
    "coco18": (_coco18, "OpenPose JSON", "coco18"),
    "alphapose": (_alphapose, "AlphaPose JSON", "coco17"),
    "halpe26": (_halpe26, "AlphaPose JSON", "halpe26"),
    "mmpose inferencer": (_mmpose_inferencer, "MMPose JSON", "coco17"),
    "mmpose demo": (_mmpose_demo, "MMPose JSON", "halpe26"),
    "coco results": (_coco_results, "COCO results", "coco17"),
    "detectron": (_detectron, "Detectron .npz of VideoPose3D", "coco17"),
}


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read(name: str, sample: Sample, tmp_path: Path) -> None:
    write, format, layout = FORMATS[name]
    found = read_sightings(_files(write(tmp_path, [*sample[:6], sample[6][:0], sample[7][1:]])), VIDEO)
    assert (found.format, found.layout.name) == (format, layout)
    assert found.frame.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 7]
    coco = convert(found.keypoints, found.layout, COCO17)
    np.testing.assert_allclose(coco, np.concatenate([*sample[:6], sample[7][1:]]), rtol=1e-6)
    tracked = {"coco18": [0, 1], "halpe26": [1, 2]}.get(name, [-1, -1])
    assert found.person.tolist() == [*tracked * 6, tracked[0]]
    assert found.size == (SIZE if name == "detectron" else None)
    assert found.length == (8 if name.startswith(("mmpose", "detectron")) else None)


@pytest.mark.parametrize("name", FORMATS)
def test_lifted_they_are_the_people_whom_the_detector_found(
    name: str, sample: Sample, table: PoseTable, clip: Path, networks: Networks, tmp_path: Path
) -> None:
    source = FORMATS[name][0](tmp_path, sample)
    found = infer_file(clip, InferOptions(keypoints=source, people=2), networks=networks)
    np.testing.assert_array_equal(found.frame, table.frame)
    np.testing.assert_allclose(found.keypoints, table.keypoints, rtol=1e-5)
    np.testing.assert_allclose(found.pose, table.pose, atol=1e-3)
    about = found.meta["detector"]
    assert about["name"] == "keypoints made elsewhere"
    assert (about["format"], about["layout"]) == FORMATS[name][1:]
    [(file, digest)] = about["sha256"].items()
    assert (file, len(digest)) == (source.name, 64)


# one person in VideoPose3D's and the hourglass's files --------------------------------------------------


def _one(table: PoseTable) -> Keypoints:
    """(46, 17, 3) the first person."""
    return table.keypoints[table.track == 0]


def _custom(path: Path, videos: dict[str, Keypoints], size: tuple[int, int] = SIZE) -> Path:
    layout = Skeleton.without_names("coco", 17, COCO17.left, COCO17.right)
    metadata = {name: {"w": size[0], "h": size[1]} for name in videos}
    KeypointFile(layout, {name: {"custom": (xy,)} for name, xy in videos.items()}, metadata).save(path)
    return path


def test_a_file_of_many_videos(table: PoseTable, clip: Path, networks: Networks, tmp_path: Path) -> None:
    xy = _one(table)[..., :2].copy()
    xy[10:13] = np.nan  # not detected
    source = _custom(tmp_path / "data_2d_custom_mine.npz", {"other.mp4": xy[:3], "clip.mp4": xy})
    found = infer_file(clip, InferOptions(keypoints=source), networks=networks)
    assert found.filled.nonzero()[0].tolist() == [10, 11, 12]
    seen = ~found.filled
    np.testing.assert_array_equal(found.keypoints[seen][..., :2], xy[seen])
    assert (found.keypoints[seen][..., 2] == 1).all()
    with pytest.raises(InputError, match=r"mine\.npz holds clip\.mp4, other\.mp4, but not walk\.mov"):
        read_sightings([source], Path("walk.mov"))


def test_human36m_by_the_path_of_the_video(tmp_path: Path) -> None:
    """Stacked hourglasses' keypoints as VideoPose3D packs them: no name of a layout, no size."""
    views = tuple(
        np.random.default_rng(i).uniform(0, 1000, (9 + i, 16, 2)).astype(np.float32) for i in range(4)
    )
    layout = Skeleton.without_names("", 16, (3, 4, 5, 13, 14, 15), (0, 1, 2, 10, 11, 12))
    source = tmp_path / "data_2d_h36m_sh_pt_mpii.npz"
    KeypointFile(layout, {"S1": {"Walking": views}, "S9": {"Directions 1": views}}).save(source)
    found = read_sightings([source], Path("h36m/S9/Videos/Directions 1.58860488.mp4"))
    assert (found.layout.name, found.length) == ("mpii16", 11)
    np.testing.assert_array_equal(found.keypoints[..., :2], views[2])
    for wrong in ("clip.mp4", "S9/Walking.58860488.mp4", "S9/Directions 1.1.mp4", "S5/Walking.58860488.mp4"):
        with pytest.raises(
            InputError, match=r"belong to Human3\.6M's videos; expected SUBJECT/…/ACTION\.CAMERA\.mp4"
        ):
            read_sightings([source], Path(wrong))


def _projected(table: PoseTable) -> NDArray[np.float32]:
    """(46, 17, 2): the first person's Human3.6M joints, pixels."""
    one = table.track == 0
    points = table.pose[one] + table.root[one][:, None]
    camera = table.intrinsics
    return (points[..., :2] / points[..., 2:] * camera.fx + [camera.cx, camera.cy]).astype(np.float32)


def _as_mpii(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Human3.6M's joints → MPII's sixteen, whose upper neck lies half way to the crown."""
    legs, trunk = "rfoot rknee rhip lhip lknee lfoot", "hip thorax head head"
    arms = "rwrist relbow rshoulder lshoulder lelbow lwrist"
    mpii = joints[:, [H36M17.index(name) for name in f"{legs} {trunk} {arms}".split()]]
    mpii[:, 8] = (mpii[:, 7] + mpii[:, 9]) / 2
    return mpii


@pytest.mark.parametrize(("layout", "limit"), [("h36m17", 0.03), ("mpii16", 0.06)])
def test_layouts_without_a_face_lift_properly(
    layout: str, limit: float, table: PoseTable, clip: Path, networks: Networks, tmp_path: Path
) -> None:
    """The lifted person, seen by the camera once more in a layout without a face, is the same person."""
    joints = _projected(table)
    with h5py.File(tmp_path / "clip.h5", "w") as file:  # as of 3d-pose-baseline
        file["poses"] = joints if layout == "h36m17" else _as_mpii(joints)
    options = InferOptions(keypoints=tmp_path, keypoint_layout=layout)
    found = infer_file(clip, options, networks=networks)
    apart = np.linalg.norm(found.pose - table.pose[table.track == 0], axis=-1)
    assert apart.mean() < limit
    face = [COCO17.index(name) for name in "nose leye reye lear rear".split()]
    assert (found.keypoints[:, face, 2] < 0.2).all()
    assert (np.delete(found.keypoints, face, 1)[..., 2] == 1).all()
    assert found.meta["detector"]["layout"] == layout


def test_an_array_in_an_npz(table: PoseTable, tmp_path: Path) -> None:
    np.savez(tmp_path / "clip.npz", kpts=_one(table)[..., :2])
    found = read_sightings([tmp_path / "clip.npz"], VIDEO)
    assert (found.format, found.layout.name, found.length) == ("array of keypoints", "coco17", 46)
    np.testing.assert_array_equal(found.keypoints[..., :2], _one(table)[..., :2])
    assert (found.person == 0).all()


# what is not found, and what cannot be read -------------------------------------------------------------


def test_what_openpose_left_out_is_put_in_its_place(
    sample: Sample, table: PoseTable, clip: Path, networks: Networks, tmp_path: Path
) -> None:
    wrist, ear = COCO17.index("lwrist"), COCO17.index("rear")
    without = [people.copy() for people in sample]
    for people in without[20:24]:
        people[:, wrist] = 0
    for people in without:
        people[:, ear] = 0
    source = _openpose(tmp_path / "openpose", without, "body25")
    found = infer_file(clip, InferOptions(keypoints=source, people=2), networks=networks)
    missing = found.keypoints[..., 2] == 0
    assert missing[:, ear].all()
    assert np.isin(found.frame[missing[:, wrist]], range(20, 24)).all()
    assert missing.sum() == 92 + 8
    off = np.linalg.norm(found.keypoints - table.keypoints, axis=-1)
    assert off[:, wrist].max() < 12  # pixels, of about 110 pixels of person
    eye = COCO17.index("reye")
    np.testing.assert_array_equal(found.keypoints[:, ear, :2], found.keypoints[:, eye, :2])
    assert np.linalg.norm(found.pose - table.pose, axis=-1).mean() < 0.03


def test_layouts_may_not_be_mixed(sample: Sample, tmp_path: Path) -> None:
    first = _openpose(tmp_path / "a", sample[:2], "body25")
    second = _openpose(tmp_path / "b", sample[:3], "coco18")
    files = [*sorted(first.iterdir()), sorted(second.iterdir())[2]]
    with pytest.raises(InputError, match="layouts are mixed: some people have 18 keypoints, some 25"):
        read_sightings(files, VIDEO)


def test_body25_cut_to_18_keypoints(sample: Sample, tmp_path: Path) -> None:
    cut = {
        f"{number}.jpg": {
            "version": "AlphaPose v0.3",
            "people": [{"pose_keypoints_2d": _flat(_in_layout("body25", p)[:18])} for p in people],
        }
        for number, people in enumerate(sample)
    }
    (tmp_path / "a.json").write_text(json.dumps(cut))
    found = read_sightings([tmp_path / "a.json"], VIDEO)
    assert found.layout.name == "body25"
    assert "BODY_25" in found.notes[0]
    assert "--keypoint-layout coco18" in found.notes[0]
    coco = convert(found.keypoints, found.layout, COCO17)
    wanted = np.concatenate(sample)
    seen = [i for i, name in enumerate(COCO17.names) if name != "lear"]
    np.testing.assert_allclose(coco[:, seen], wanted[:, seen], rtol=1e-6)
    assert (coco[:, COCO17.index("lear"), 2] == 0).all()
    assert read_sightings([tmp_path / "a.json"], VIDEO, "coco18").layout.name == "coco18"
    named = read_sightings([tmp_path / "a.json"], VIDEO, "body25")
    assert not named.notes
    np.testing.assert_array_equal(named.keypoints, found.keypoints)


@pytest.mark.parametrize("joints", [3, 14, 15, 19])
def test_unknown_layouts(joints: int, tmp_path: Path) -> None:
    content = [{"image_id": 0, "category_id": 1, "keypoints": [5.0] * 3 * joints, "score": 1.0}]
    (tmp_path / "a.json").write_text(json.dumps(content))
    message = rf"a\.json: no known layout has {joints} keypoints; known: coco17 \(17 joints\), .*mpii16"
    with pytest.raises(InputError, match=message):
        read_sightings([tmp_path / "a.json"], VIDEO)


def test_mmpose_tells_layouts_apart_that_have_as_many_joints(sample: Sample, tmp_path: Path) -> None:
    names = [("left_" if n[0] == "l" else "right_") + n[1:] if n[0] in "lr" else n for n in H36M17.names]
    content = json.loads(_mmpose_demo(tmp_path, sample[:2], "coco17").read_text())
    content["meta_info"]["keypoint_id2name"] = {str(i): n for i, n in enumerate(names)}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_sightings([tmp_path / "a.json"], VIDEO).layout.name == "h36m17"
    assert read_sightings([tmp_path / "a.json"], VIDEO, "coco17").layout.name == "coco17"
    with pytest.raises(UsageError, match="body25 has 25 joints, the keypoints have 17"):
        read_sightings([tmp_path / "a.json"], VIDEO, "body25")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not JSON", "none of the known formats: VideoPose3D's .npz (one video's boxes and keypoints, or"),
        ('{"images": [], "annotations": []}', "none of the known formats"),
        ('["a", "b"]', "none of the known formats"),
        ("[1, 2]", "damaged, or none of the known formats"),
        ('[{"image_id": 1, "keypoints": [1, 2]}]', "damaged, or none of the known formats"),
        ('[{"image_id": 1, "keypoints": "abc"}]', "damaged, or none of the known formats"),
        (
            '[{"image_id": "front.jpg", "keypoints": [1, 2, 3]}]',
            "a frame number in the name 'front.jpg'",
        ),
        ('[{"frame_id": 1, "instances": [{}]}]', "damaged, or none of the known formats"),
        ('{"people": [{}, {"pose_keypoints_2d": []}]}', "it holds no person's keypoints"),
        ("[]", "it holds no person's keypoints"),
        (json.dumps([{"image_id": 1, "keypoints": [0] * 51}]), "it holds no person's keypoints"),
        (json.dumps([{"image_id": 1, "keypoints": [float("nan")] * 51}]), "it holds no person's keypoints"),
    ],
)
def test_files_that_cannot_be_used(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_sightings([path], VIDEO)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, NoPeopleError) == ("no person" in message)


def test_archives_that_cannot_be_used(table: PoseTable, tmp_path: Path) -> None:
    table.save(tmp_path / "clip.npz")
    with pytest.raises(InputError, match="is a pose table; `videopose lift` goes on from it"):
        read_sightings([tmp_path / "clip.npz"], VIDEO)
    np.savez(tmp_path / "odd.npz", poses=np.zeros((3, 17)))
    with pytest.raises(InputError, match=r"odd\.npz: none of the known formats"):
        read_sightings([tmp_path / "odd.npz"], VIDEO)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "odd.npz").read_bytes()[:100])
    with pytest.raises(InputError, match=r"cut\.npz is not a readable \.npz file"):
        read_sightings([tmp_path / "cut.npz"], VIDEO)
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match=r"cut\.h5"):
        read_sightings([tmp_path / "cut.h5"], VIDEO)
    np.savez(tmp_path / "short.npz", boxes=np.zeros((2, 2, 0)), keypoints=np.zeros((3, 2, 0)), metadata=0)
    with pytest.raises(InputError, match="boxes of 2 frames, keypoints of 3"):
        read_sightings([tmp_path / "short.npz"], VIDEO)
