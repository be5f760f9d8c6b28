"""Run by a Python that has `opensim`: load a TRC and a MOT, and solve inverse kinematics; print JSON.

usage: python read_in_opensim.py SETUP TRC MOT FOLDER

SETUP is Pose2Sim's folder OpenSim_Setup, FOLDER is for temporary files. The model is scaled to the markers.
Prints {"trc": {"labels", "rows", "rate", "units"}, "mot": {"labels", "rows"}, "rms" and "max": marker
errors of each frame in metres, "time": seconds, "coordinates": {name: degrees}}.
"""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import opensim

setup, trc, mot, folder = (Path(word).resolve() for word in sys.argv[1:])
os.chdir(folder)  # OpenSim writes its log there
opensim.Logger.setLevelString("Error")

markers = opensim.TimeSeriesTableVec3(str(trc))
times = list(markers.getIndependentColumn())
result = {
    "trc": {
        "labels": list(markers.getColumnLabels()),
        "rows": markers.getNumRows(),
        "rate": float(markers.getTableMetaDataAsString("DataRate")),
        "units": markers.getTableMetaDataAsString("Units"),
    }
}
motion = opensim.TimeSeriesTable(str(mot))
result["mot"] = {"labels": list(motion.getColumnLabels()), "rows": motion.getNumRows()}

opensim.ModelVisualizer.addDirToGeometrySearchPaths(str(setup / "Geometry"))
model = opensim.Model(str(setup / "Model_Pose2Sim_simple.osim"))
model.set_MarkerSet(opensim.MarkerSet(str(setup / "Markers_Coco17.xml")))
hip, mirrored = (model.getMarkerSet().get(name) for name in ("RHip", "LHip"))
if hip.get_location()[1] < -0.2:  # Pose2Sim 0.10.49 puts RHip where LKnee belongs
    hip.set_location(opensim.Vec3(*(mirrored.get_location()[axis] * (1, 1, -1)[axis] for axis in range(3))))
model.initSystem()
unscaled, scaled = folder / "unscaled.osim", folder / "scaled.osim"
model.printToXML(str(unscaled))


def run(name, tool, changes):
    """Run an OpenSim tool by a copy of Pose2Sim's set-up in which some values are others."""
    tree = ElementTree.parse(setup / name)
    for path, value in changes.items():
        for element in tree.getroot().findall(path):
            element.text = value
    changed = folder / name
    tree.write(changed)
    getattr(opensim, tool)(str(changed)).run()


span = f"{times[0]} {times[-1]}"
run(
    "Scaling_Setup_Pose2Sim_Coco17.xml",
    "ScaleTool",
    {
        ".//GenericModelMaker/model_file": str(unscaled),
        ".//scaling_order": "measurements",
        ".//ModelScaler/marker_file": os.path.relpath(trc, folder),  # it takes no absolute path
        ".//ModelScaler/time_range": span,
        ".//ModelScaler/output_model_file": scaled.name,
    },
)
run(
    "IK_Setup_Pose2Sim_Coco17.xml",
    "InverseKinematicsTool",
    {
        ".//results_directory": str(folder),
        ".//model_file": str(scaled),
        ".//time_range": span,
        ".//output_motion_file": str(folder / "ik.mot"),
        ".//marker_file": str(trc),
        ".//report_errors": "true",
    },
)
solved = opensim.TimeSeriesTable(str(folder / "ik.mot"))
result["time"] = list(solved.getIndependentColumn())
result["coordinates"] = {
    name: list(solved.getDependentColumn(name).to_numpy()) for name in solved.getColumnLabels()
}
errors = opensim.TimeSeriesTable(str(next(folder.glob("*ik_marker_errors.sto"))))
result["rms"] = list(errors.getDependentColumn("marker_error_RMS").to_numpy())
result["max"] = list(errors.getDependentColumn("marker_error_max").to_numpy())
print("RESULT " + json.dumps(result))
