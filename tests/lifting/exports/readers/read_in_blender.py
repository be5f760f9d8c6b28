"""Run by a Python that has Blender's `bpy`: print what Blender makes of a file, as JSON.

usage: python read_in_blender.py FILE FRAME… ; frames count from the file's first. Prints {"fps", "armatures":
[{"name", "rest": {bone: head}, "tails": {bone: tail}, "frames": [{bone: head}], "toes": [{bone: tail}]}]} in
metres, z up.
"""

import json
import sys
from pathlib import Path

import bpy

path, frames = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = 30
first = 0
match path.suffix:
    case ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01, frame_start=1, update_scene_fps=True)
        first = 1  # Blender lets no BVH file begin earlier
    case ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    case ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0)  # by default one frame later
    case ".usd" | ".usdc" | ".usda":
        bpy.ops.wm.usd_import(filepath=str(path))


def point(armature, vector):
    return list(armature.matrix_world @ vector)


result = []
for armature in (thing for thing in bpy.data.objects if thing.type == "ARMATURE"):
    bones = armature.data.bones
    posed, toes = [], []
    for frame in frames:
        scene.frame_set(first + frame)
        posed.append({bone.name: point(armature, bone.head) for bone in armature.pose.bones})
        feet = [bone for bone in armature.pose.bones if bone.name.endswith("Foot")]
        toes.append({bone.name: point(armature, bone.tail) for bone in feet})
    result.append({
        "name": armature.name,
        "rest": {bone.name: point(armature, bone.head_local) for bone in bones},
        "tails": {bone.name: point(armature, bone.tail_local) for bone in bones},
        "frames": posed,
        "toes": toes,
    })  # fmt: skip
print("RESULT " + json.dumps({"fps": scene.render.fps / scene.render.fps_base, "armatures": result}))
