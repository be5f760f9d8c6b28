import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pydantic import ValidationError

import videopose
from videopose.errors import InputError, UsageError
from videopose.lifting.network.temporal_model import TemporalModel
from videopose.lifting.training.config import RecordedConfig, TrainingConfig, load_config
from videopose.lifting.training.recorded_data import DATASETS

CONFIGS = sorted((Path(videopose.__file__).parent / "configs" / "lifting").glob("*.yaml"))
LEAST = "name: least\nmotions:\n  - path: m.npz\n"


def _write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "c.yaml"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.name)
def test_the_project_s_configurations_load(path: Path) -> None:
    config = load_config(path)
    assert config.name == path.stem
    if isinstance(config, TrainingConfig):
        assert config.motions
        assert config.licence
    else:
        assert config.recordings.data_set in DATASETS
        assert DATASETS[config.recordings.data_set].licence
        assert path.stem.startswith(config.recordings.data_set)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.name)
def test_the_project_s_configurations_make_models_that_train(path: Path) -> None:
    """(Narrow ones: what else the configuration says is what may not fit together.)"""
    config = load_config(path, {"model.channels": 4})
    model = TemporalModel(**config.model.model_dump())
    chunk = getattr(config.schedule, "chunk", 1)
    out = model(torch.zeros(2, model.receptive_field - 1 + chunk, 17, 2))
    assert out.shape == (2, chunk, 17, 3)
    frames = re.search(r"-(\d+)-", path.stem)
    assert frames is None or model.receptive_field == int(frames[1])
    for word, said in (("causal", config.model.causal), ("dense", config.model.dense)):
        assert said == (word in path.stem)


def test_ablations_differ_from_the_paper_s_model_in_one_thing() -> None:
    def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        return {
            key: value
            for name, inner in values.items()
            for key, value in (
                flat(inner, f"{prefix}{name}.") if isinstance(inner, dict) else {prefix + name: inner}
            ).items()
        }

    def load(name: str) -> dict[str, Any]:
        return flat(load_config(CONFIGS[0].with_name(f"{name}.yaml")).model_dump())

    paper = load("h36m-243-cpn")
    for name, changed in {
        "h36m-1-cpn": {"model.filter_widths": (1, 1, 1, 1, 1)},
        "h36m-243-causal-cpn": {"model.causal": True},
        "h36m-243-gt": {"recordings.keypoints": "gt"},
        "h36m-243-cpn-no-flip": {"recordings.flip": False},
        "h36m-243-cpn-zero-padding": {"recordings.padding": "zero"},
        "h36m-243-cpn-constant-momentum": {"schedule.final_momentum": 0.1},
        "h36m-27-cpn-chunk-8": {"schedule.chunk": 8, "model.filter_widths": (3, 3, 3)},
    }.items():
        assert load(name) == paper | changed | {"name": name}


def test_there_is_a_configuration_of_the_default() -> None:
    assert "default.yaml" in [path.name for path in CONFIGS]


def test_a_least_configuration_has_the_published_schedule(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path, LEAST))
    assert config.motions[0].path == "m.npz"
    assert (config.schedule.learning_rate, config.schedule.batch) == (1e-3, 1024)
    assert (config.schedule.momentum, config.schedule.final_momentum) == (0.1, 0.001)
    assert config.model.dropout == 0.25
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3


def test_values_are_read(tmp_path: Path) -> None:
    text = LEAST + "rate: 25\nmodel: {filter_widths: [3, 5], causal: true}\ncameras: {distance: [2, 4]}\n"
    config = load_config(_write(tmp_path, text))
    assert config.rate == 25
    assert config.model.filter_widths == (3, 5)
    assert config.model.causal
    assert config.cameras.distance == (2, 4)


def test_overrides_reach_any_depth(tmp_path: Path) -> None:
    path = _write(tmp_path, LEAST + "schedule: {steps: 5}\n")
    config = load_config(
        path, {"schedule.steps": 7, "model.channels": 8, "seed": 3, "motions": [{"path": "other.npz"}]}
    )
    assert (config.schedule.steps, config.model.channels, config.seed) == (7, 8, 3)
    assert config.motions[0].path == "other.npz"
    assert load_config(path).schedule.steps == 5


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"colour": "red"}, "colour"),
        ({"schedule.colour": "red"}, "schedule.colour"),
        ({"motions": [{"path": "m.npz", "wieght": 1}]}, "motions.0.wieght"),
        ({"name": 3}, "name"),
        ({"motions": []}, "motions"),
        ({"motions": [{}]}, "motions.0.path"),
        ({"motions": [{"path": "m.npz", "held_out": [2]}]}, "motions.0.held_out.0"),
        ({"motions": [{"path": "m.npz", "weight": -1}]}, "motions.0.weight"),
        ({"schedule.steps": "many"}, "schedule.steps"),
        ({"schedule.steps": 0}, "schedule.steps"),
        ({"schedule.steps": 1.5}, "schedule.steps"),
        ({"schedule.learning_rate": 0}, "schedule.learning_rate"),
        ({"schedule.batch": 1}, "schedule"),  # batch normalisation needs two samples
        ({"schedule.batch": 10**7}, "schedule"),  # would take all memory
        ({"schedule.batches_at_once": 10**9}, "schedule"),
        ({"seed": 2**63}, "seed"),
        ({"seed": -1}, "seed"),
        ({"model.filter_widths": [3, 4]}, "model.filter_widths"),
        ({"model.filter_widths": []}, "model.filter_widths"),
        ({"model.filter_widths": [3, -1]}, "model.filter_widths.1"),
        ({"model.dropout": 1}, "model.dropout"),
        ({"model.causal": "perhaps"}, "model.causal"),
        ({"cameras.distance": [1]}, "cameras.distance.1"),
        ({"cameras.distance": "far"}, "cameras.distance"),
        ({"cameras.high": 1.5}, "cameras.high"),
        ({"detections.bias": -0.1}, "detections.bias"),
        ({"precision": "float16"}, "precision"),
        ({"input_space": "screen"}, "input_space"),
        ({"rate": float("nan")}, "rate"),
        ({"mirror": float("nan")}, "mirror"),
    ],
    ids=str,
)
def test_wrong_values_are_usage_errors_that_name_the_key(
    tmp_path: Path, overrides: dict[str, Any], key: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(_write(tmp_path, LEAST), overrides)
    assert f"c.yaml: {key}: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "overrides",
    [
        {"cameras.distance": [9, 2]},
        {"cameras.distance": [0, 2]},
        {"cameras.height": [2.0, float("nan")]},
        {"detections.jitter": [0, 0.1]},
        {"detections.drift": [0.1, 0.01]},
        {"detections.drift": [-0.1, 0.01]},
        {"bodies.hip_width": [1.6, 1.0]},
        {"speed": [0, 1]},
        {"speed": [2, 1]},
    ],
    ids=str,
)
def test_ranges_run_from_low_to_high_and_lengths_are_positive(
    tmp_path: Path, overrides: dict[str, Any]
) -> None:
    (key,) = overrides
    with pytest.raises(UsageError, match=key):
        load_config(_write(tmp_path, LEAST), overrides)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"recordings\.data_set: field required"):
        load_config(_write(tmp_path, "recordings: {}\n"))


@pytest.mark.parametrize("text", ["name: nothing\n", LEAST + "recordings: {data_set: h36m}\n"])
def test_a_run_is_on_motions_or_on_recordings(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"give either motions .* or recordings"):
        load_config(_write(tmp_path, text))


def test_the_least_configuration_of_recordings_has_the_published_recipe(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path, "recordings: {data_set: h36m}\n"))
    assert isinstance(config, RecordedConfig)
    assert (config.name, config.input_space) == ("c", "screen")
    schedule = config.schedule
    assert (schedule.epochs, schedule.batch, schedule.chunk) == (80, 1024, 1)
    assert (config.model.dropout, config.model.channels, config.model.dense) == (0.25, 1024, False)
    assert (config.recordings.flip, config.recordings.padding) == (True, "replicate")
    # 10 steps an epoch: nothing changes inside an epoch.
    rates = [schedule.at(step, 800) for step in (0, 9, 10, 799)]
    assert rates[0] == rates[1] == (1e-3, 0.1)
    assert rates[2] == pytest.approx((1e-3 * 0.95, 0.1 * 0.01 ** (1 / 80)))
    assert rates[3] == pytest.approx((1e-3 * 0.95**79, 0.1 * 0.01 ** (79 / 80)))


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        ({"motion": 3}, "motion"),
        ({"cameras": {"roll": 1}}, "cameras"),  # virtual cameras film motion capture only
        ({"rate": 30}, "rate"),
        ({"schedule.steps": 100}, "schedule.steps"),
        ({"schedule.chunk": 0}, "schedule.chunk"),
        ({"schedule.chunk": 513}, "schedule"),
        ({"schedule.decay": 1.5}, "schedule.decay"),
        ({"recordings.subset": 0}, "recordings.subset"),
        ({"recordings.downsample": 0}, "recordings.downsample"),
        ({"recordings.padding": "reflect"}, "recordings.padding"),
        ({"recordings.train_subjects": []}, "recordings.train_subjects"),
        ({"input_space": "centred"}, "input_space"),
    ],
    ids=str,
)
def test_wrong_values_for_recordings(tmp_path: Path, overrides: dict[str, Any], key: str) -> None:
    with pytest.raises(UsageError, match=rf"c\.yaml: {key}: "):
        load_config(_write(tmp_path, "recordings: {data_set: h36m}\n"), overrides)


def test_a_base_gives_what_a_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "below.yaml").write_text(
        "name: below\nseed: 5\nrecordings: {data_set: h36m, keypoints: cpn}\n"
        "model: {filter_widths: [3, 3, 3]}\n"
    )
    text = "base: below.yaml\nrecordings: {keypoints: gt}\nmodel: {filter_widths: [3]}\n"
    config = load_config(_write(tmp_path, text), {"model.channels": 8})
    assert isinstance(config, RecordedConfig)
    assert (config.recordings.data_set, config.recordings.keypoints) == ("h36m", "gt")
    assert (config.model.filter_widths, config.model.channels) == ((3,), 8)
    assert (config.name, config.seed) == ("c", 5)


@pytest.mark.parametrize(
    ("base", "kind", "reason"),
    [
        ("nowhere.yaml", InputError, "nowhere.yaml: no such file"),
        ("../c.yaml", UsageError, "base: give the name of another file beside it"),
        ("[1]", UsageError, "base: give the name of another file beside it"),
        ("c.yaml", UsageError, "base: give the name of another file beside it"),
    ],
)
def test_bases_that_cannot_be(tmp_path: Path, base: str, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        load_config(_write(tmp_path, f"base: {base}\n"))


def test_an_override_below_a_value_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"name\.first: name is not a group"):
        load_config(_write(tmp_path, LEAST), {"name.first": "x"})


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "just text", "a: [1, 2", "a: \x00", "seed: 2020-13-45\nname: a\n"]
)
def test_other_files_are_input_errors(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"c\.yaml") as caught:
        load_config(_write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_input_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_config(tmp_path / "nowhere.yaml")
    with pytest.raises(InputError, match="it is a folder"):
        load_config(tmp_path)
    (tmp_path / "c.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(InputError, match="not a YAML file"):
        load_config(tmp_path / "c.yaml")


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    text = LEAST + f"seed: !!python/object/apply:os.mkdir ['{tmp_path / 'executed'}']\n"
    with pytest.raises(InputError, match="not a YAML file"):
        load_config(_write(tmp_path, text))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["default.yaml", "humaneva-27-sa-box.yaml"])
def test_a_configuration_can_be_written_back(tmp_path: Path, name: str) -> None:
    config = load_config(CONFIGS[0].with_name(name))
    again = load_config(_write(tmp_path, yaml.safe_dump(config.model_dump(mode="json"))))
    assert again == config
