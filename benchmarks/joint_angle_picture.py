"""Draw docs/images/joint-angles.png: where each joint angle is zero, and which direction is positive.

python benchmarks/joint_angle_picture.py [--output FILE]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BODY, MOVED, ZERO, ARC = "#1f2937", "#d55e00", "#9aa5b4", "#0072b2"
Point = tuple[float, float]

# Metres, seen from the right: x is forward, y is up.
SIDE = {
    "head": (0.0, 1.68),
    "thorax": (-0.03, 1.42),
    "hip": (0.0, 0.93),
    "knee": (0.0, 0.5),
    "ankle": (0.0, 0.07),
}


@click.command()
@click.option("--output", type=click.Path(path_type=Path), default=Path("docs/images/joint-angles.png"))
def main(output: Path) -> None:
    """Draw the picture."""
    figure = Figure(figsize=(13, 8.2), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    panels = [
        ("pelvis tilt, trunk lean forward\nfrom the right", _lean),
        ("pelvis list (+: right side low)\nfrom the front", _list),
        ("pelvis rotation (+: to the left)\nfrom above", _rotation),
        ("trunk lean side (+: to the right)\nfrom the front", _side_lean),
        ("trunk twist (+: to the left)\nfrom above", _twist),
        ("hip flexion (+: forward)\nfrom the right", _hip_flexion),
        ("hip adduction (+: inwards)\nfrom the front", _adduction),
        ("hip rotation (+: inwards)\nfrom above, knee bent", _hip_rotation),
        ("knee flexion (+: bent)\nfrom the right", _knee),
        ("ankle flexion (+: toes up)\nfrom the right", _ankle),
        ("shoulder flexion (+: forward)\nfrom the right", _shoulder_flexion),
        ("shoulder abduction (+: outwards)\nfrom the front", _abduction),
        ("elbow flexion (+: bent)\nfrom the right", _elbow),
    ]
    axes = list(figure.subplots(3, 5).flat)
    for axis in axes:
        axis.axis("off")
    for axis, (title, draw) in zip(axes, panels, strict=False):
        axis.set_title(title, fontsize=9, color=BODY)
        axis.set_aspect("equal")
        draw(axis)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output)


def _line(axis: Any, *points: Point, colour: str = BODY, style: str = "-", width: float = 3) -> None:
    axis.plot(*zip(*points, strict=True), style, color=colour, linewidth=width, solid_capstyle="round")


def _turn(origin: Point, length: float, degrees: float) -> Point:
    """The end of a line of this length; 0° is up, positive to the right of the picture."""
    angle = np.radians(degrees)
    return origin[0] + length * np.sin(angle), origin[1] + length * np.cos(angle)


def _arc(axis: Any, centre: Point, radius: float, start: float, end: float) -> None:
    """An arrow from one direction to another; degrees as of `_turn`."""
    points = [_turn(centre, radius, angle) for angle in np.linspace(start, end, 40)]
    _line(axis, *points[:-2], colour=ARC, width=1.5)
    axis.annotate("", points[-1], points[-4], arrowprops={"arrowstyle": "-|>", "color": ARC})
    axis.annotate("+", _turn(centre, radius * 1.25, (start + end) / 2), color=ARC, ha="center", va="center")


def _zero(axis: Any, *points: Point) -> None:
    _line(axis, *points, colour=ZERO, style="--", width=1.5)


def _head(axis: Any, centre: Point, radius: float = 0.1) -> None:
    angles = np.linspace(0, 2 * np.pi, 40)
    axis.plot(
        centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles), color=BODY, linewidth=2
    )


def _leg(axis: Any, hip: Point = SIDE["hip"]) -> None:
    _line(axis, hip, (hip[0], 0.5), (hip[0], 0.07), (hip[0] + 0.14, 0.0))


def _standing_side(axis: Any) -> None:
    _leg(axis)
    _line(axis, SIDE["hip"], SIDE["thorax"])
    _head(axis, SIDE["head"])


def _lean(axis: Any) -> None:
    _leg(axis)
    _zero(axis, SIDE["hip"], (0, 1.6))
    top = _turn(SIDE["hip"], 0.5, 30)
    _line(axis, SIDE["hip"], top, colour=MOVED)
    _head(axis, _turn(SIDE["hip"], 0.74, 30))
    _arc(axis, SIDE["hip"], 0.4, 0, 28)
    axis.text(0.05, 0.25, "lean 0°: upright\ntilt 0°: 5° backward", fontsize=7, color=BODY)


def _front(axis: Any, *, hips: bool = True) -> None:
    """A person seen from the front; the person's right is at the left of the picture."""
    for x in (-0.11, 0.11):
        _line(axis, (x, 0.93), (x, 0.03))
    if hips:
        _line(axis, (-0.11, 0.93), (0.11, 0.93))
    axis.text(-0.5, 0.02, "right", fontsize=7, color=BODY)


def _list(axis: Any) -> None:
    _line(axis, (0, 0.93), (0, 1.42))
    _line(axis, (-0.18, 1.42), (0.18, 1.42))
    _head(axis, (0, 1.66))
    _zero(axis, (-0.35, 0.93), (0.35, 0.93))
    left, right = _turn((0, 0.93), 0.22, 78), _turn((0, 0.93), 0.22, 258)
    _line(axis, left, right, colour=MOVED)
    for x, y in (left, right):
        _line(axis, (x, y), (x, 0.05))
    _arc(axis, (0, 0.93), 0.32, 270, 256)
    axis.text(-0.5, 0.02, "right", fontsize=7, color=BODY)


def _above(axis: Any, *, hips: float, shoulders: float) -> None:
    """Hips and shoulders from above, forward is up; degrees turned to the left."""
    _line(axis, _turn((0, 0), 0.16, 90 - hips), _turn((0, 0), 0.16, 270 - hips), colour=BODY, width=5)
    colour = MOVED if shoulders != hips else BODY
    _line(axis, _turn((0, 0), 0.26, 90 - shoulders), _turn((0, 0), 0.26, 270 - shoulders), colour=colour)
    _head(axis, (0, 0), 0.08)
    _line(axis, _turn((0, 0), 0.08, -shoulders), _turn((0, 0), 0.13, -shoulders))


def _rotation(axis: Any) -> None:
    _zero(axis, (0, -0.3), (0, 0.45))
    _line(axis, _turn((0, 0), 0.16, 60), _turn((0, 0), 0.16, 240), colour=MOVED, width=5)
    axis.annotate("", _turn((0, 0), 0.4, -30), (0, 0), arrowprops={"arrowstyle": "-|>", "color": MOVED})
    _arc(axis, (0, 0), 0.33, 0, -28)
    axis.text(0.03, 0.42, "0°: to the first\ncamera's right (world x)", fontsize=7, color=BODY)


def _side_lean(axis: Any) -> None:
    _front(axis)
    _zero(axis, (0, 0.93), (0, 1.6))
    top = _turn((0, 0.93), 0.5, -25)
    _line(axis, (0, 0.93), top, colour=MOVED)
    _line(axis, _turn(top, 0.18, 65), _turn(top, 0.18, 245))
    _head(axis, _turn((0, 0.93), 0.74, -25))
    _arc(axis, (0, 0.93), 0.42, 0, -23)


def _twist(axis: Any) -> None:
    _above(axis, hips=0, shoulders=35)
    _zero(axis, (-0.4, 0), (0.4, 0))
    _arc(axis, (0, 0), 0.36, 90, 57)
    axis.text(-0.4, -0.33, "0°: shoulders parallel to the hips", fontsize=7, color=BODY)


def _hip_flexion(axis: Any) -> None:
    _standing_side(axis)
    _zero(axis, SIDE["hip"], _turn(SIDE["hip"], 0.55, 180))
    knee = _turn(SIDE["hip"], 0.43, 130)
    _line(axis, SIDE["hip"], knee, colour=MOVED)
    _line(axis, knee, _turn(knee, 0.43, 185))
    _arc(axis, SIDE["hip"], 0.3, 178, 133)


def _adduction(axis: Any) -> None:
    _line(axis, (0.11, 0.93), (0.11, 0.03))
    _line(axis, (-0.11, 0.93), (0.11, 0.93))
    _line(axis, (0, 0.93), (0, 1.42))
    _zero(axis, (-0.11, 0.93), (-0.11, 0.03))
    _line(axis, (-0.11, 0.93), _turn((-0.11, 0.93), 0.88, 163), colour=MOVED)
    _arc(axis, (-0.11, 0.93), 0.6, 180, 165)
    axis.text(-0.6, 0.02, "right leg", fontsize=7, color=BODY)


def _hip_rotation(axis: Any) -> None:
    hip = (0.0, 0.0)
    knee = (0.0, 0.42)
    _line(axis, (-0.3, 0), hip, width=5)
    _line(axis, hip, knee)
    _head(axis, hip, 0.04)
    _zero(axis, knee, (0.0, -0.05))
    _line(axis, knee, _turn(knee, 0.3, 150), colour=MOVED)
    _arc(axis, knee, 0.25, 178, 153)
    axis.text(
        -0.33, -0.12, "right thigh forward, shin below it;\nthe shin outwards: the thigh inwards", fontsize=7
    )


def _knee(axis: Any) -> None:
    _line(axis, SIDE["hip"], SIDE["thorax"])
    _head(axis, SIDE["head"])
    knee = _turn(SIDE["hip"], 0.43, 165)
    _line(axis, SIDE["hip"], knee)
    _zero(axis, knee, _turn(knee, 0.45, 165))
    _line(axis, knee, _turn(knee, 0.43, 225), colour=MOVED)
    _arc(axis, knee, 0.3, 167, 222)


def _ankle(axis: Any) -> None:
    knee, ankle = (-0.05, 0.5), (0.0, 0.07)
    _line(axis, knee, ankle)
    shin = float(np.degrees(np.arctan2(ankle[0] - knee[0], ankle[1] - knee[1])))
    _zero(axis, ankle, _turn(ankle, 0.26, shin - 90))
    _line(axis, ankle, _turn(ankle, 0.24, shin - 115), colour=MOVED)
    _line(axis, ankle, _turn(ankle, 0.06, shin + 65), colour=MOVED)
    _arc(axis, ankle, 0.2, shin - 91, shin - 112)


def _shoulder_flexion(axis: Any) -> None:
    _standing_side(axis)
    shoulder = (-0.03, 1.38)
    _zero(axis, shoulder, _turn(shoulder, 0.4, 176))
    _line(axis, shoulder, _turn(shoulder, 0.28, 110), colour=MOVED)
    _line(axis, _turn(shoulder, 0.28, 110), _turn(shoulder, 0.5, 108))
    _arc(axis, shoulder, 0.22, 174, 113)


def _abduction(axis: Any) -> None:
    _front(axis)
    _line(axis, (0, 0.93), (0, 1.42))
    _line(axis, (-0.18, 1.42), (0.18, 1.42))
    _head(axis, (0, 1.66))
    shoulder = (-0.18, 1.42)
    _zero(axis, shoulder, _turn(shoulder, 0.45, 180))
    _line(axis, shoulder, _turn(shoulder, 0.28, 245), colour=MOVED)
    _line(axis, _turn(shoulder, 0.28, 245), _turn(shoulder, 0.5, 243))
    _arc(axis, shoulder, 0.22, 182, 243)


def _elbow(axis: Any) -> None:
    _standing_side(axis)
    shoulder = (-0.03, 1.38)
    elbow = _turn(shoulder, 0.28, 185)
    _line(axis, shoulder, elbow)
    _zero(axis, elbow, _turn(elbow, 0.3, 185))
    _line(axis, elbow, _turn(elbow, 0.25, 110), colour=MOVED)
    _arc(axis, elbow, 0.18, 182, 113)


if __name__ == "__main__":
    main()
