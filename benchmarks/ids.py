"""Measure how well people keep their ids: HOTA and IDF1 by TrackEval.

    python benchmarks/ids.py --data FILE [--scenes 12] [--seconds 20]
    python benchmarks/ids.py --tables FOLDER

FILE is a motion-capture table (.npz) with walks, such as CMU's. Scenes are made by `crowd_scenes.py`. Each is
tracked as `videopose detect --people all` does, also without appearances, and by ids that are known, which
shows what the detector's misses alone cost. Needs `pip install trackeval`.

FOLDER holds the pose tables cam01.2d.npz to cam04.2d.npz that `videopose detect --people all` made of
Pose2Sim's clips of several people (the wheel pose2sim 0.10.49, Pose2Sim/Demo_MultiPerson/videos). People were
labeled by eye on five frames of each (`pose2sim_people.csv`: about where the hips are).
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from crowd_scenes import RATE, Scene, scenes
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from videopose.detectors.tracking import Track, fill_gaps, follow_people, keypoint_boxes
from videopose.detectors.tracking.similarity import iou, sizes
from videopose.lifting.datasets.motion_capture import MotionCapture
from videopose.lifting.pose_table import PoseTable
from videopose.skeleton import COCO17

_WALKS = (0.8, 1.8)  # metres a second: clips whose mean speed lies between count as walks
_GAP = 0.5
_NEAR = 0.6  # of a person's size: a person whose hips are so near to a label is the labeled one

Rows = list[tuple[NDArray[np.int64], NDArray[np.float32]]]
"""For each frame: ids, and boxes (n, 4)."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="A motion-capture table (.npz).")
@click.option("--tables", type=click.Path(path_type=Path), help="Pose tables of Pose2Sim's clips.")
@click.option("--scenes", "count", default=12, show_default=True)
@click.option("--seconds", default=20.0, show_default=True)
def main(data: Path | None, tables: Path | None, count: int, seconds: float) -> None:
    if tables is not None:
        _by_eye(tables)
    if data is None:
        return
    walks = _walks(MotionCapture.load(data))
    results: dict[str, list[dict[str, dict[str, object]]]] = {}
    crossings = returns = 0
    for number, scene in enumerate(scenes(walks, count, seconds)):
        crossings, returns = crossings + scene.crossings, returns + scene.returns
        blind = replace(scene, people=[replace(each, appearance=None) for each in scene.people])
        for name, tracks in (
            ("appearance and motion", _followed(scene)),
            ("motion only", _followed(blind)),
            ("true ids", _true(scene)),
        ):
            result = evaluate(_truth(scene), _rows(tracks, len(scene.people)))
            results.setdefault(name, []).append(result)
        latest = " ".join(f"{name}: {_score(each[-1:])[1]:.3f}" for name, each in results.items())
        click.echo(
            f"scene {number}: {scene.visible.shape[1]} people, {scene.crossings} crossings, "
            f"{scene.returns} returns; IDF1 {latest}"
        )
    show(results, f"{count} scenes, {crossings} crossings, {returns} returns")


def _by_eye(folder: Path) -> None:
    """Print which ids the people have that were labeled by eye."""
    with Path(__file__).with_name("pose2sim_people.csv").open(encoding="utf-8") as file:
        labels = list(csv.DictReader(file))
    table = Table(title="Pose2Sim's clips, labeled by eye")
    for column in ("clip", "person", "found on frames", "ids"):
        table.add_column(column)
    for clip in sorted({label["clip"] for label in labels}):
        found = PoseTable.load(folder / f"{clip}.2d.npz")
        hips = found.keypoints[:, [COCO17.index("lhip"), COCO17.index("rhip")], :2].mean(1)
        size = sizes(keypoint_boxes(found.keypoints))
        people: dict[str, list[int | None]] = {}
        for label in (each for each in labels if each["clip"] == clip):
            away = np.linalg.norm(hips - (float(label["x"]), float(label["y"])), axis=1) / size
            away[found.frame != int(label["frame"])] = np.inf
            row = int(np.argmin(away))
            people.setdefault(label["person"], []).append(
                int(found.track[row]) if away[row] < _NEAR else None
            )
        for person, ids in people.items():
            known = [each for each in ids if each is not None]
            table.add_row(
                clip, person, f"{len(known)} of {len(ids)}", ", ".join(map(str, sorted(set(known))))
            )
    Console().print(table)


def show(results: dict[str, list[dict[str, dict[str, object]]]], title: str) -> None:
    """Print HOTA, IDF1 and the number of id switches over all scenes."""
    table = Table(title=title)
    for column in ("ids by", "HOTA", "IDF1", "id switches"):
        table.add_column(column)
    for name, each in results.items():
        hota, idf1, switches = _score(each)
        table.add_row(name, f"{hota:.3f}", f"{idf1:.3f}", f"{switches}")
    Console().print(table)


def _walks(motion: MotionCapture) -> MotionCapture:
    chosen = []
    for index in range(len(motion)):
        clip = motion.clip(index)
        path = clip[:: max(1, round(motion.rate / 5)), 0, :2]
        speed = np.linalg.norm(np.diff(path, axis=0), axis=1).sum() / (len(clip) / motion.rate)
        if _WALKS[0] < speed < _WALKS[1] and "walk" in motion.actions[index] and len(clip) > motion.rate:
            chosen.append(index)
    return motion.select(chosen)


def _frames(scene: Scene) -> NDArray[np.int32]:
    return np.arange(len(scene.people), dtype=np.int32)


def _times(scene: Scene) -> NDArray[np.float64]:
    return np.arange(len(scene.people)) / RATE


def _followed(scene: Scene) -> list[Track]:
    return follow_people(scene.people, frames=_frames(scene), times=_times(scene), max_gap=_GAP)


def _true(scene: Scene) -> list[Track]:
    tracks = []
    for person in range(scene.visible.shape[1]):
        seen = [(t, each.tolist().index(person)) for t, each in enumerate(scene.owners) if person in each]
        if seen:
            keypoints = np.stack([scene.people[t].keypoints[row] for t, row in seen])
            frames = np.array([t for t, _ in seen], np.int32)
            tracks.append(Track(person, frames, keypoints, np.zeros(len(seen), np.bool_)))
    return fill_gaps(tracks, frames=_frames(scene), times=_times(scene), max_gap=_GAP)


def _truth(scene: Scene) -> Rows:
    return [
        (np.flatnonzero(seen), boxes[seen]) for seen, boxes in zip(scene.visible, scene.boxes, strict=True)
    ]


def _rows(tracks: list[Track], count: int) -> Rows:
    rows: Rows = []
    boxes = {track.id: keypoint_boxes(track.keypoints) for track in tracks}
    places = {track.id: {int(f): i for i, f in enumerate(track.frames)} for track in tracks}
    for frame in range(count):
        here = [(key, boxes[key][at[frame]]) for key, at in places.items() if frame in at]
        ids = np.array([key for key, _ in here], np.int64)
        rows.append((ids, np.array([box for _, box in here], np.float32).reshape(-1, 4)))
    return rows


def evaluate(truth: Rows, found: Rows) -> dict[str, dict[str, object]]:
    """Return TrackEval's results of one scene: HOTA, Identity and CLEAR."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    true_ids, found_ids = (_renumber(rows) for rows in (truth, found))
    data = {
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, found_ids)),
        "num_gt_ids": len({i for each in true_ids for i in each}),
        "num_tracker_ids": len({i for each in found_ids for i in each}),
        "num_timesteps": len(truth),
        "gt_ids": true_ids,
        "tracker_ids": found_ids,
        "similarity_scores": [
            iou(a, b).astype(np.float64) for (_, a), (_, b) in zip(truth, found, strict=True)
        ],
    }
    quiet = {"PRINT_CONFIG": False}
    metrics = {"HOTA": HOTA(), "Identity": Identity(quiet), "CLEAR": CLEAR(quiet)}
    return {name: metric.eval_sequence(data) for name, metric in metrics.items()}


def _renumber(rows: Rows) -> list[NDArray[np.int64]]:
    known = {key: index for index, key in enumerate(sorted({int(i) for ids, _ in rows for i in ids}))}
    return [np.array([known[int(i)] for i in ids], np.int64) for ids, _ in rows]


def _score(results: list[dict[str, dict[str, object]]]) -> tuple[float, float, int]:
    """HOTA (mean over thresholds), IDF1, and id switches of several scenes together."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    quiet = {"PRINT_CONFIG": False}
    metrics = {"HOTA": HOTA(), "Identity": Identity(quiet), "CLEAR": CLEAR(quiet)}
    whole = {
        name: metric.combine_sequences({str(i): each[name] for i, each in enumerate(results)})
        for name, metric in metrics.items()
    }
    hota, idf1 = whole["HOTA"]["HOTA"], whole["Identity"]["IDF1"]
    return float(np.mean(hota)), float(idf1), int(whole["CLEAR"]["IDSW"])


if __name__ == "__main__":
    main()
