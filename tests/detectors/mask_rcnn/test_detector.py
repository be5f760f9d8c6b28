import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from videopose.detectors.mask_rcnn.detector import MaskRCNN
from videopose.detectors.mask_rcnn.require_detectron2 import require_detectron2
from videopose.detectors.people import People
from videopose.detectors.registry import DetectorOptions, build
from videopose.errors import AssetError, InputError, UsageError
from videopose.files import file_digest

require_detectron2()

from detectron2 import model_zoo, modeling  # noqa: E402
from detectron2.checkpoint import DetectionCheckpointer  # noqa: E402
from detectron2.config import get_cfg  # noqa: E402
from detectron2.data import DatasetCatalog, MetadataCatalog  # noqa: E402
from detectron2.data.transforms import ResizeShortestEdge  # noqa: E402

from videopose.detectors.mask_rcnn.model import (  # noqa: E402
    BACKBONES,
    SafeCheckpointer,
    build_network,
    configuration,
    read_checkpoint,
    zoo_weights,
)

SMALL = {"threshold": 0.0, "max_people": 3, "short_side": 64, "long_side": 112}


def random_parameters() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    parameters = build_network(configuration("R-50", {"MODEL.DEVICE": "cpu"})).state_dict()
    for name, value in parameters.items():
        if name.endswith("conv3.norm.weight"):
            value *= 0.1  # else the features of untrained blocks grow beyond all bounds
    parameters["roi_heads.box_predictor.cls_score.weight"] *= 3  # people who are not all alike
    return parameters


@pytest.fixture(scope="module")
def parameters() -> dict[str, torch.Tensor]:
    return random_parameters()


@pytest.fixture(scope="module")
def weights(parameters: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights of R-50 in the model zoo's format."""
    path = tmp_path_factory.mktemp("weights") / "model_final_000000.pkl"
    arrays = {name: value.numpy() for name, value in parameters.items()}
    with path.open("wb") as file:
        pickle.dump({"model": arrays, "__author__": "Detectron2 Model Zoo"}, file)
    yield path
    path.unlink()  # a quarter of a gigabyte, which pytest would keep


@pytest.fixture(scope="module")
def detector(weights: Path) -> MaskRCNN:
    return MaskRCNN(weights=weights, batch=2, **SMALL)


@pytest.fixture(scope="module")
def frames() -> list[NDArray[np.uint8]]:
    noise = np.random.default_rng(0).integers(0, 256, (3, 12, 20, 3), dtype=np.uint8)
    return list(noise.repeat(10, 1).repeat(10, 2))  # 200 × 120 pixels


@pytest.fixture(scope="module")
def people(detector: MaskRCNN, frames: list[NDArray[np.uint8]]) -> list[People]:
    return list(detector.detect(iter(frames)))


def test_people_are_in_the_frame_best_first(people: list[People]):
    assert len(people) == 3
    for found in people:
        assert len(found) == 3
        assert (np.diff(found.scores) <= 0).all()
        assert (found.boxes >= 0).all()
        assert (found.boxes <= [200, 120, 200, 120]).all()
        corners, sides = found.boxes[:, None, :2], found.boxes[:, None, 2:] - found.boxes[:, None, :2]
        within = (found.keypoints[..., :2] - corners) / sides
        assert ((within > 0) & (within < 1)).all()
        assert ((found.keypoints[..., 2] > 0) & (found.keypoints[..., 2] < 1)).all()


def test_frames_are_read_a_batch_ahead(detector: MaskRCNN, frames: list[NDArray[np.uint8]]):
    asked: list[int] = []

    def stream() -> Iterator[NDArray[np.uint8]]:
        for number, frame in enumerate(frames):
            asked.append(number)
            yield frame

    next(detector.detect(stream()))
    assert asked == [0, 1]
    assert list(detector.detect([])) == []


@pytest.mark.slow
def test_argmax_is_detectron2s_own_answer(
    weights: Path, parameters: dict[str, torch.Tensor], people: list[People], frames: list[NDArray[np.uint8]]
):
    config = model_zoo.get_config(BACKBONES["R-50"])
    config.MODEL.DEVICE = "cpu"
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.0
    config.TEST.DETECTIONS_PER_IMAGE = 3
    model = modeling.build_model(config).eval()
    model.load_state_dict(parameters)
    small = MaskRCNN(weights=weights, decode="argmax", **SMALL)
    with torch.no_grad():
        (expected,) = model([small._input(frames[0])])
    (found,) = small.detect(frames[:1])
    np.testing.assert_allclose(found.boxes, expected["instances"].pred_boxes.tensor, atol=1e-3)
    np.testing.assert_allclose(found.keypoints, expected["instances"].pred_keypoints, atol=1e-3)
    np.testing.assert_allclose(found.boxes, people[0].boxes, atol=1e-2)
    assert np.abs(found.keypoints - people[0].keypoints).max() > 0.1


def test_describe(detector: MaskRCNN, weights: Path):
    about = detector.describe()
    assert about["name"] == "mask-rcnn"
    assert about["config"] == "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x.yaml"
    assert about["decode"] == "soft-argmax"
    assert about["keypoints"][:2] == ["nose", "left_eye"]
    assert about["sha256"] == {weights.name: file_digest(weights)}


def test_from_the_registry(weights: Path):
    def no_assets(name: str) -> Path:
        raise AssertionError(f"asked for {name}")

    options = DetectorOptions(weights=weights, backbone="R-50", decode="argmax")
    made = build("mask-rcnn", fetch=no_assets, options=options)
    assert made.describe()["decode"] == "argmax"
    assert made.describe()["sides"] == [800, 1333]


def test_frames_are_scaled_as_detectron2_scales_them(detector: MaskRCNN, frames: list[NDArray[np.uint8]]):
    resize = ResizeShortestEdge([64, 64], 112).get_transform(frames[0])
    expected = resize.apply_image(frames[0][:, :, ::-1])  # BGR
    scaled = detector._input(frames[0])["image"].permute(1, 2, 0)
    assert scaled.shape == expected.shape == (64, 107, 3)
    np.testing.assert_allclose(scaled, expected, atol=1.5)  # which rounds, twice


def test_detectron2_is_left_as_it_was(weights: Path, frames: list[NDArray[np.uint8]]):
    def state() -> list[Any]:
        registries = [vars(modeling)[name] for name in vars(modeling) if name.endswith("_REGISTRY")] + [
            modeling.roi_heads.keypoint_head.ROI_KEYPOINT_HEAD_REGISTRY
        ]
        lists = [dict(registry) for registry in registries]
        catalogs = [DatasetCatalog.list(), MetadataCatalog.list()]
        return [*lists, *catalogs, get_cfg().dump(), torch.is_grad_enabled()]

    before = state()
    list(MaskRCNN(weights=weights, **SMALL).detect(frames[:1]))
    assert state() == before
    assert len(before) > 5


# weights ------------------------------------------------------------------------------------------------


def test_every_format_is_read_alike(tmp_path: Path):
    from safetensors.torch import save_file

    parameters = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}
    arrays = {name: value.numpy() for name, value in parameters.items()}
    zoo = OrderedDict(arrays)
    zoo._metadata = OrderedDict(version=1)  # type: ignore[attr-defined]  # as torch's state dicts have it
    torch.save({"model": parameters, "iteration": 7}, tmp_path / "trained.pth")
    torch.save(parameters, tmp_path / "plain.pth")
    save_file(parameters, tmp_path / "plain.safetensors")
    for protocol in (2, 4):
        data = pickle.dumps({"model": zoo, "__author__": "Detectron2 Model Zoo"}, protocol)
        (tmp_path / f"zoo{protocol}.pkl").write_bytes(data)
    for name in ("trained.pth", "plain.pth", "plain.safetensors", "zoo2.pkl", "zoo4.pkl"):
        read = read_checkpoint(tmp_path / name)["model"]
        assert {n: np.asarray(v).tolist() for n, v in read.items()} == {
            n: v.tolist() for n, v in arrays.items()
        }
    assert read_checkpoint(tmp_path / "trained.pth")["iteration"] == 7
    (tmp_path / "caffe.pkl").write_bytes(pickle.dumps({"blobs": {"conv1_w": np.zeros(3)}}))
    assert read_checkpoint(tmp_path / "caffe.pkl")["__author__"] == "Caffe2"


def test_the_checkpointer_reads_no_other_way(tmp_path: Path):
    model = torch.nn.Linear(3, 2)
    arrays = {name: np.ones(value.shape, np.float32) for name, value in model.state_dict().items()}
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "somebody", "extra": 1}))
    assert SafeCheckpointer(model).load(str(path))["extra"] == 1
    assert model.weight.detach().tolist() == [[1] * 3] * 2
    assert SafeCheckpointer._load_file is not DetectionCheckpointer._load_file


class Attack:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("suffix", [".pkl", ".pth"])
def test_nothing_in_a_file_is_executed(tmp_path: Path, suffix: str):
    path, marker = tmp_path / f"evil{suffix}", tmp_path / "executed"
    content = {"model": {}, "__author__": Attack(marker)}
    if suffix == ".pkl":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(InputError, match=r"evil\.p"):
        MaskRCNN(weights=path)
    with pytest.raises(InputError):
        SafeCheckpointer(torch.nn.Linear(1, 1)).load(str(path))
    assert not marker.exists()


def changed(parameters: dict[str, torch.Tensor], **changes: Any) -> dict[str, Any]:
    return {**{name: torch.zeros(()) for name in parameters}, **changes}


def test_unfit_weights(tmp_path: Path, parameters: dict[str, torch.Tensor], weights: Path):
    last = "roi_heads.keypoint_head.score_lowres.weight"
    path = tmp_path / "model.pth"

    torch.save({"model": {"conv.weight": torch.zeros(3)}}, path)
    with pytest.raises(
        InputError, match=rf"model\.pth holds no weights of detectron2's Keypoint R-CNN .*{last}"
    ):
        MaskRCNN(weights=path)
    torch.save({"model": changed(parameters, **{last: torch.zeros(512, 17, 4, 4)})}, path)
    with pytest.raises(InputError, match=r"\d+ parameters are missing or of another shape, such as "):
        MaskRCNN(weights=path)
    torch.save(
        {"model": changed(parameters, **{last: torch.zeros(512, 17, 4, 4)}), "keypoints": ["hip"]}, path
    )
    with pytest.raises(InputError, match="expected 17 names of keypoints, found 1"):
        MaskRCNN(weights=path)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="holds no weights"):
        MaskRCNN(weights=path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="cannot be read as weights"):
        MaskRCNN(weights=path)
    with pytest.raises(InputError, match="no such file"):
        MaskRCNN(weights=tmp_path / "missing.pth")
    with zipfile.ZipFile(path, "w"), pytest.raises(InputError, match="cannot be read"):
        MaskRCNN(weights=path)
    with pytest.raises(UsageError, match="holds weights of R-50, not of R-101"):
        MaskRCNN(weights=weights, backbone="R-101")


def test_settings_that_the_file_tells(tmp_path: Path):
    """What fine-tuning wrote, of a network that is not the usual one."""
    path = tmp_path / "model_best.pth"
    settings: dict[str, object] = {
        "MODEL.FPN.OUT_CHANNELS": 32,
        "MODEL.RESNETS.NORM": "GN",
        "MODEL.ROI_BOX_HEAD.FC_DIM": 32,
        "MODEL.ROI_KEYPOINT_HEAD.CONV_DIMS": [16],
        "INPUT.MIN_SIZE_TEST": 64,
    }
    network = build_network(configuration("R-50", {"MODEL.DEVICE": "cpu", **settings}))
    torch.save({"model": network.state_dict(), "settings": settings}, path)
    assert MaskRCNN(weights=path).describe()["sides"] == [64, 1333]
    assert MaskRCNN(weights=path, short_side=96).describe()["sides"] == [96, 1333]
    torch.save({"model": network.state_dict(), "settings": {"MODEL.SPEED": 3}}, path)
    with pytest.raises(InputError, match=r"holds no weights .*SPEED"):
        MaskRCNN(weights=path)


def test_impossible_options(weights: Path):
    with pytest.raises(UsageError, match="no backbone 'R-7'; the known ones are: R-101, R-50"):
        MaskRCNN(backbone="R-7")
    with pytest.raises(UsageError, match="decode to be soft-argmax or argmax, found 'max'"):
        MaskRCNN(weights=weights, decode="max")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least 1"):
        MaskRCNN(weights=weights, batch=0)


def test_the_zoos_weights_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody listens
    with pytest.raises(AssetError, match=r"keypoint_rcnn_R_101_FPN_3x.*refused.*--weights FILE") as caught:
        MaskRCNN()
    assert "\n" not in str(caught.value)


def test_damaged_weights_of_the_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path))
    url = model_zoo.get_checkpoint_url(BACKBONES["R-50"])
    path = tmp_path / url.removeprefix("https://dl.fbaipublicfiles.com/")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"cut off")
    with pytest.raises(AssetError, match="is damaged: remove it"):
        zoo_weights("R-50")
