"""USD (Universal Scene Description): animated skeletons with a simple body. Metres, y up.

Each person is a `SkelRoot` named "person_ID" with a skeleton, an animation and a mesh. Time codes are
frames, 0 at the video's first one. Needs the library usd-core.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UsageError
from .body import make_body, rest_positions
from .motion import Motion
from .rig import NAMES, PARENTS
from .style import Style


def require() -> None:
    """Check that the library is installed. Raises `UsageError`."""
    if find_spec("pxr") is None:
        raise UsageError("USD files need the library usd-core: pip install 'videopose[usd]'")


def encode(motions: Sequence[Motion], style: Style) -> bytes:
    """Return people's motion as a binary USD file."""
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y if style.up == "y" else UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1 / style.per_metre)
    stage.SetTimeCodesPerSecond(motions[0].rate)
    stage.SetFramesPerSecond(motions[0].rate)
    stage.SetStartTimeCode(min(int(motion.frames[0]) for motion in motions))
    stage.SetEndTimeCode(max(int(motion.frames[-1]) for motion in motions))
    world = UsdGeom.Xform.Define(stage, "/motion")
    stage.SetDefaultPrim(world.GetPrim())
    for motion in motions:
        _add_person(stage, motion, style)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "motion.usdc")
        stage.Export(str(path))
        return path.read_bytes()


def _add_person(stage: Any, motion: Motion, style: Style) -> None:
    from pxr import Gf, UsdSkel, Vt

    rig, names = motion.rig, _paths(style.names)
    root = UsdSkel.Root.Define(stage, f"/motion/person_{motion.id}")
    path = str(root.GetPath())
    skeleton = UsdSkel.Skeleton.Define(stage, f"{path}/skeleton")
    skeleton.CreateJointsAttr(names)
    rest = style.from_rig(rig.lengths.rest())
    bind = style.from_rig(rest_positions(rig.lengths))
    skeleton.CreateRestTransformsAttr(
        [Gf.Matrix4d(1).SetTranslate(Gf.Vec3d(*offset)) for offset in rest.tolist()]
    )
    skeleton.CreateBindTransformsAttr(
        [Gf.Matrix4d(1).SetTranslate(Gf.Vec3d(*point)) for point in bind.tolist()]
    )

    animation = UsdSkel.Animation.Define(stage, f"{path}/animation")
    animation.CreateJointsAttr(names)
    animation.CreateScalesAttr([Gf.Vec3h(1, 1, 1)] * len(names))
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    hips, turns = style.from_rig(rig.hips), style.turn_from_rig(rig.rotations)
    for index, frame in enumerate(motion.frames.tolist()):
        offsets = np.concatenate([hips[index : index + 1], rest[1:]]).astype(np.float32)
        translations.Set(Vt.Vec3fArray.FromNumpy(offsets), frame)
        rotations.Set(Vt.QuatfArray([Gf.Quatf(w, x, y, z) for x, y, z, w in turns[index].tolist()]), frame)

    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    _add_mesh(stage, motion, style, path, skeleton)


def _add_mesh(stage: Any, motion: Motion, style: Style, path: str, skeleton: Any) -> None:
    from pxr import Gf, Sdf, UsdGeom, UsdSkel, Vt

    body = make_body(motion.rig.lengths)
    points = style.from_rig(body.vertices.astype(np.float64)).astype(np.float32)
    mesh = UsdGeom.Mesh.Define(stage, f"{path}/body")
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    mesh.CreateFaceVertexCountsAttr([3] * len(body.triangles))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(body.triangles.reshape(-1).astype(np.int32)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr([Gf.Vec3f(*points.min(0).tolist()), Gf.Vec3f(*points.max(0).tolist())])
    skin = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    skin.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    skin.CreateJointIndicesPrimvar(False, 1).Set(Vt.IntArray.FromNumpy(body.joints.astype(np.int32)))
    skin.CreateJointWeightsPrimvar(False, 1).Set([1.0] * len(body.joints))
    skin.CreateGeomBindTransformAttr(Gf.Matrix4d(1))
    mesh.GetPrim().CreateAttribute("userProperties:track", Sdf.ValueTypeNames.Int).Set(motion.id)


def _paths(convention: str) -> list[str]:
    """Return each joint's path from the hips, such as Hips/Spine/Chest; colons are not allowed in USD."""
    paths: list[str] = []
    for name, parent in zip(NAMES[convention], PARENTS, strict=True):
        plain = name.replace(":", "_")
        paths.append(plain if parent < 0 else f"{paths[parent]}/{plain}")
    return paths
