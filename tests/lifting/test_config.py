from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import videopose
from videopose.errors import InputError, UsageError
from videopose.lifting.config import TrainingConfig, load_config

CONFIGS = sorted((Path(videopose.__file__).parent / "configs" / "lifting").glob("*.yaml"))
LEAST = "name: least\nmotions:\n  - path: m.npz\n"


def _write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "c.yaml"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.name)
def test_the_project_s_configurations_load(path: Path) -> None:
    config = load_config(path)
    assert config.name == path.stem
    assert config.motions
    assert config.licence


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
    with pytest.raises(UsageError, match="motions: field required"):
        load_config(_write(tmp_path, "name: nothing\n"))


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
    with pytest.raises(InputError, match="not a YAML file"):
        load_config(tmp_path)
    (tmp_path / "c.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(InputError, match="not a YAML file"):
        load_config(tmp_path / "c.yaml")


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    text = LEAST + f"seed: !!python/object/apply:os.mkdir ['{tmp_path / 'executed'}']\n"
    with pytest.raises(InputError, match="not a YAML file"):
        load_config(_write(tmp_path, text))
    assert not (tmp_path / "executed").exists()


def test_a_configuration_can_be_written_back(tmp_path: Path) -> None:
    config = load_config(CONFIGS[0])
    again = load_config(_write(tmp_path, yaml.safe_dump(config.model_dump(mode="json"))))
    assert again == config
    assert isinstance(again, TrainingConfig)
