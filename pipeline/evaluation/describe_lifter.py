"""`videopose inspect`: describe a lifter's architecture, input, cost and training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...files import file_digest
from ...lifting.inference.pretrained import load_lifter, pretrained_lifters
from ...lifting.network.complexity import complexity, receptive_seconds
from ...lifting.network.temporal_model import TemporalModel
from ..plain_text import plain

_SPACES = {
    "centred": "rays centred on the hip, scaled to unit size",
    "centred-visible": "rays centred on the hip, scaled to unit size, and which keypoints are visible",
    "rays": "rays: keypoints divided by the camera's focal length, for any camera",
    "screen": "normalised screen coordinates of the camera in training",
}
_UNKNOWN = "not known"
_ABOUT = (
    "training_data",
    "licence",
    "acknowledgement",
    "held_out_subjects",
    "held_out_errors_mm",
    "measured_with",
)


def describe(name: str, *, layout: str | None = None, causal: bool = False) -> dict[str, Any]:
    """Return the contents of a lifter's file, as JSON-like values. Values that the file does not have are
    None.

    Args:
        name: Name of a pretrained lifter, or path of a lifter's file.
        layout: See `load_lifter`.
        causal: See `load_lifter`.

    Raises:
        UsageError: The lifter is unknown.
        InputError: The file cannot be read.
    """
    lifter = load_lifter(name, layout=layout, causal=causal)
    path = pretrained_lifters().get(name, Path(name))
    model = lifter.model
    own = path.suffix == ".safetensors"
    cost = complexity(model)
    about = {key: value for key, value in lifter.about.items() if key not in ("config", *_ABOUT)}
    return {
        "file": str(path),
        "format": "videopose" if own else "VideoPose3D checkpoint",
        "sha256": {"weights": lifter.digest(), "file": file_digest(path)},
        "model": {
            "filter_widths": list(model.filter_widths),
            "channels": model.channels,
            "causal": model.causal,
            "dense": model.dense,
            "dropout": model.dropout if own else None,  # not stored in a checkpoint
            "joints_in": model.num_joints_in,
            "joints_out": model.num_joints_out,
        },
        "receptive_field": {
            "frames": model.receptive_field,
            "seconds": receptive_seconds(model, lifter.rate),
        },
        "parameters": cost.parameters,
        "flops_per_frame": cost.flops_per_frame,
        "trajectory": _trajectory(lifter.trajectory),
        "input": {"layout": lifter.layout, "space": lifter.input_space},
        "rate": lifter.rate,
        **{key: lifter.about.get(key) for key in _ABOUT},
        "about": about,
    }


def show(description: Mapping[str, Any]) -> None:
    """Print a description as a table."""
    table = Table(show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(description).items():
        table.add_row(Text(name), Text(plain(value)))
    Console().print(table)


def _rows(it: Mapping[str, Any]) -> dict[str, str]:
    model, field, rate = it["model"], it["receptive_field"], it["rate"]
    seconds = "" if field["seconds"] is None else f", {field['seconds']:.2f} s at its rate"
    rows = {
        "file": f"{it['file']} ({it['format']})",
        "architecture": _architecture(model),
        "receptive field": f"{field['frames']} frames{seconds}",
        **_cost(it),
        "input": f"{model['joints_in']} keypoints ({it['input']['layout']}), {_SPACES[it['input']['space']]}",
        "output": f"{model['joints_out']} joints",
        "frame rate": _UNKNOWN if rate is None else f"{rate:g} a second",
        "training data": _text(it["training_data"]),
        "held-out people": _text(it["held_out_subjects"]),
        "held-out errors": _errors(it["held_out_errors_mm"], it["measured_with"]),
        "licence": _text(it["licence"]),
        "acknowledgement": _text(it["acknowledgement"]),
        "sha256, weights": it["sha256"]["weights"],
        "sha256, file": it["sha256"]["file"],
    }
    return rows | {key: _text(value) for key, value in it["about"].items()}


def _architecture(model: Mapping[str, Any]) -> str:
    widths = " · ".join(map(str, model["filter_widths"]))
    kind = "dense" if model["dense"] else "dilated"
    time = "causal (looks at the past only)" if model["causal"] else "symmetric in time"
    dropout = "" if model["dropout"] is None else f", dropout {model['dropout']:g}"
    return f"filter widths {widths}, {model['channels']} channels, {kind}, {time}{dropout}"


def _cost(it: Mapping[str, Any]) -> dict[str, str]:
    rows = {
        "parameters": _millions(it["parameters"]),
        "FLOPs a frame": f"{_millions(it['flops_per_frame'])}; twice as many with flip augmentation",
    }
    if root := it["trajectory"]:
        parameters, flops = _millions(root["parameters"]), _millions(root["flops_per_frame"])
        rows["trajectory model"] = f"{parameters} parameters, {flops} FLOPs a frame more"
    return rows


def _trajectory(model: TemporalModel | None) -> dict[str, int] | None:
    if model is None:
        return None
    cost = complexity(model)
    return {"parameters": cost.parameters, "flops_per_frame": cost.flops_per_frame}


def _errors(errors: Mapping[str, Any] | None, how: str | None) -> str:
    if not errors:
        return _UNKNOWN
    titles = {"mpjpe": "MPJPE", "p_mpjpe": "P-MPJPE", "n_mpjpe": "N-MPJPE", "mpjve": "MPJVE"}
    known = [f"{title} {errors[key]:.1f}" for key, title in titles.items() if key in errors]
    return ", ".join(known) + " mm (MPJVE: mm a frame)" + (f"; {how}" if how else "")


def _text(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return _UNKNOWN
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _millions(number: int) -> str:
    return f"{number / 1e6:.2f} M"
