"""Run by Blender, or by a Python that has `bpy`: make an FBX file from a GLB file.

Arguments: GLB FBX RATE FIRST LAST. RATE is the motion's frames a second, FIRST and LAST its frames.
"""
# mypy: ignore-errors

import sys

import bpy

arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
source, target, rate, first, last = arguments
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
# Blender's frame rate is a whole number over a base: 23.976 is 24 over 1.001.
scene.render.fps = max(1, round(float(rate)))
scene.render.fps_base = scene.render.fps / float(rate)
bpy.ops.import_scene.gltf(filepath=source)
scene.frame_start, scene.frame_end = int(first), int(last)
bpy.ops.export_scene.fbx(
    filepath=target,
    object_types={"ARMATURE", "MESH"},
    use_armature_deform_only=False,
    add_leaf_bones=False,
    bake_anim_use_nla_strips=False,
    bake_anim_use_all_actions=False,
    bake_anim_simplify_factor=0.0,
)
