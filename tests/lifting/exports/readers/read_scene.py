"""Run by a Python that has `pygltflib`, `pybvh` or `pxr`: say what the library finds in a file, as JSON.

usage: python read_scene.py FILE
"""

import json
import sys
from pathlib import Path

path = Path(sys.argv[1])
if path.suffix == ".glb":
    from pygltflib import GLTF2

    file = GLTF2().load(str(path))
    result = {
        "animations": [animation.name for animation in file.animations],
        "joints": [len(skin.joints) for skin in file.skins],
        "bytes": len(file.binary_blob()),
        "nodes": [node.name for node in file.nodes],
    }
elif path.suffix == ".bvh":
    from pybvh import read_bvh_file

    file = read_bvh_file(str(path))
    positions = file.joint_positions()
    result = {"names": list(file.joint_names), "positions": positions.tolist()}
else:
    from pxr import Gf, Usd, UsdGeom, UsdSkel

    stage = Usd.Stage.Open(str(path))
    cache = UsdSkel.Cache()
    people = {}
    for prim in stage.Traverse():
        if not prim.IsA(UsdSkel.Root):
            continue
        root = UsdSkel.Root(prim)
        cache.Populate(root, Usd.PrimDefaultPredicate)
        skeleton = UsdSkel.Skeleton(prim.GetChild("skeleton"))
        query = cache.GetSkelQuery(skeleton)
        frames = {}
        for time in query.GetAnimQuery().GetJointTransformTimeSamples():
            transforms = query.ComputeJointSkelTransforms(Usd.TimeCode(time))
            frames[time] = [list(Gf.Vec3d(matrix.ExtractTranslation())) for matrix in transforms]
        people[prim.GetName()] = {"joints": list(query.GetJointOrder()), "frames": frames}
    result = {
        "up": UsdGeom.GetStageUpAxis(stage),
        "metres": UsdGeom.GetStageMetersPerUnit(stage),
        "rate": stage.GetTimeCodesPerSecond(),
        "people": people,
    }
print("RESULT " + json.dumps(result))
