import json
from pathlib import Path

import pytest

from videopose.errors import InputError
from videopose.pipeline.datasets.scene import read_scene


@pytest.mark.parametrize(
    "wrong", [{"poses": ["[" * 3000]}, {"keypoints": "[" * 3000}, {"keypoints": ["[" * 3000] * 2}]
)
def test_names_that_are_no_names_are_not_quoted_in_full(tmp_path: Path, wrong: dict[str, object]) -> None:
    view = {"video": "v.mp4", "camera": {"fx": 100.0}, "orientation": [1.0, 0, 0, 0], "position": [0.0, 0, 0]}
    scene = {"poses": ["p.npy"], "keypoints": "h36m17", "views": [view]} | wrong
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(scene), encoding="utf-8")
    with pytest.raises(InputError, match=r"poses|keypoints|once") as caught:
        read_scene(path)
    assert len(str(caught.value)) < 500 + len(str(path))
