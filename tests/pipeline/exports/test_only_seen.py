"""`videopose export --only-seen`: joints that the picture does not show are left out."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c3d
import numpy as np
import pytest
from walking import table_of, walking

from videopose.skeleton import H36M17
from videopose.unpickle import load_object_npz

LEGS = ("lknee", "lfoot", "rknee", "rfoot")
POINTS = ("csv", "json", "npz", "trc", "c3d")


@pytest.fixture
def exported(videopose: Callable[..., Any], tmp_path: Path) -> Path:
    """Files of a person whose legs the picture does not show."""
    table = table_of({1: walking(20)["joints"]})
    table.confidence[:, [H36M17.index(name) for name in LEGS]] = 0
    table.save(tmp_path / "walk.npz")
    formats = [word for name in (*POINTS, "bvh", "mot", "angles") for word in ("--format", name)]
    done = videopose("export", tmp_path / "walk.npz", *formats, "--only-seen")
    assert done.code == 0, done.err
    said = done.err.splitlines()
    assert said[0] == (
        "note: knees and feet of person 1 are out of sight on most frames; their motion is a guess"
    )
    assert "note: bvh and mot files have all joints; --only-seen changes nothing in them" in said
    return tmp_path


def test_rows(exported: Path) -> None:
    with (exported / "walk.csv").open(encoding="utf-8") as file:
        names = [row["joint"] for row in csv.DictReader(file)]
    assert len(names) == 20 * 13
    assert set(names) == set(H36M17.names) - set(LEGS)
    assert len(json.loads((exported / "walk.json").read_text())["rows"]) == 20 * 13


@pytest.mark.filterwarnings("ignore:No analog data")  # there is none on purpose
def test_arrays_and_markers(exported: Path) -> None:
    (positions,) = load_object_npz(exported / "walk.3d.npz")["positions_3d"]["walk"].values()
    hidden = np.isnan(positions).all((0, 2))
    assert {H36M17.names[joint] for joint in np.flatnonzero(hidden)} == set(LEGS)
    cells = (exported / "walk.trc").read_text().splitlines()[6].split("\t")
    assert cells.count("") == 4 * 3
    with (exported / "walk.c3d").open("rb") as file:
        _, points, _ = next(iter(c3d.Reader(file).read_frames()))
    assert (points[:, 3] < 0).sum() == 4


def test_formats_of_a_whole_body_keep_it(exported: Path) -> None:
    assert "nan" not in (exported / "walk.bvh").read_text()
    assert "nan" not in (exported / "walk.mot").read_text()


def test_angles_of_what_is_hidden_are_empty(exported: Path) -> None:
    with (exported / "walk.angles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    empty = {name for name in rows[0] if all(row[name] == "" for row in rows)}
    of_legs = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion")
    assert {f"{name}_{side}" for name in of_legs for side in ("left", "right")} == empty
