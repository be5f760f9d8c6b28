"""Run by a Python that has `ezc3d` and `c3d`: read a C3D file with both, print JSON.

usage: python read_c3d.py FILE
Prints for each library {"rate", "first", "labels", "units", "points": (T, M, 3)}; NaN is null.
"""

import json
import sys
import warnings

import c3d
import ezc3d
import numpy as np

warnings.simplefilter("ignore")
path = sys.argv[1]


def listed(points):
    return [[[None if np.isnan(v) else float(v) for v in point] for point in frame] for frame in points]


file = ezc3d.c3d(path)
parameters = file["parameters"]["POINT"]
result = {
    "ezc3d": {
        "rate": float(parameters["RATE"]["value"][0]),
        "first": file["header"]["points"]["first_frame"] + 1,  # it counts from 0
        "labels": parameters["LABELS"]["value"],
        "units": parameters["UNITS"]["value"][0],
        "points": listed(file["data"]["points"][:3].transpose(2, 1, 0)),
    }
}
with open(path, "rb") as handle:
    reader = c3d.Reader(handle)
    frames = [frame for _, frame, _ in reader.read_frames()]
    points = np.array([np.where(frame[:, 3:4] < 0, np.nan, frame[:, :3]) for frame in frames])
    result["c3d"] = {
        "rate": float(reader.point_rate),
        "first": int(reader.first_frame),
        "labels": [label.strip() for label in reader.point_labels],
        "units": reader.get("POINT:UNITS").string_value.strip(),
        "points": listed(points),
    }
print("RESULT " + json.dumps(result))
