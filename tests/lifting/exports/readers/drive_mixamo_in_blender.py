"""Run by a Python that has Blender's `bpy`: let a BVH file drive a Mixamo-named armature; print JSON.

usage: python drive_mixamo_in_blender.py FILE FRAME…

The armature stands in a T-pose and has other proportions than the file's skeleton. It is driven in two
ways: "action" gives it the file's animation; "constraints" copies the rotation of each bone to the bone of
the same name, and the armature's bones have rolls of their own. Prints, for each way and frame, {bone:
degrees between its direction and the file's}.
"""

import json
import sys
from math import degrees

import bpy
from mathutils import Vector

path, frames = sys.argv[1], [int(word) for word in sys.argv[2:]]
PREFIX = "mixamorig:"
JOINTS = {
    "Hips": (None, (0, 0, 1.05)),
    "Spine": ("Hips", (0, 0, 0.11)),
    "Spine1": ("Spine", (0, 0, 0.13)),
    "Spine2": ("Spine1", (0, 0, 0.14)),
    "Neck": ("Spine2", (0, 0, 0.16)),
    "Head": ("Neck", (0, 0, 0.11)),
    "HeadTop_End": ("Head", (0, 0, 0.2)),
}
for side, sign in (("Left", 1), ("Right", -1)):
    JOINTS |= {
        f"{side}Shoulder": ("Spine2", (sign * 0.06, 0, 0.12)),
        f"{side}Arm": (f"{side}Shoulder", (sign * 0.13, 0, 0)),
        f"{side}ForeArm": (f"{side}Arm", (sign * 0.31, 0, 0)),
        f"{side}Hand": (f"{side}ForeArm", (sign * 0.29, 0, 0)),
        f"{side}HandMiddle1": (f"{side}Hand", (sign * 0.1, 0, 0)),
        f"{side}UpLeg": ("Hips", (sign * 0.09, 0, -0.06)),
        f"{side}Leg": (f"{side}UpLeg", (0, 0, -0.46)),
        f"{side}Foot": (f"{side}Leg", (0, 0, -0.47)),
        f"{side}ToeBase": (f"{side}Foot", (0, -0.14, -0.07)),
    }
NEXT = {"Hips": "Spine", "Spine2": "Neck"}


def build(name, roll=None):
    """Return an armature in Mixamo's T-pose, z up, that looks along −y. roll: None for the file's rolls."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    heads = {}
    for joint, (parent, offset) in JOINTS.items():
        heads[joint] = Vector(offset) + (heads[parent] if parent else Vector())
    for joint, (parent, _) in JOINTS.items():
        bone = armature.data.edit_bones.new(PREFIX + joint)
        children = [child for child, (above, _) in JOINTS.items() if above == joint]
        tail = heads[NEXT.get(joint, children[0])] if children else heads[joint] + Vector((0, 0, 0.05))
        bone.head, bone.tail = heads[joint], tail
        bone.parent = armature.data.edit_bones[PREFIX + parent] if parent else None
        if roll is not None:
            bone.roll = roll
        elif PREFIX + joint in source.data.bones:
            bone.align_roll(source.data.bones[PREFIX + joint].matrix_local.to_3x3().col[2])
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return armature


bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_anim.bvh(filepath=path, global_scale=0.01, rotate_mode="QUATERNION")
source = bpy.context.view_layer.objects.active

by_action = build("action")
by_action.animation_data_create().action = source.animation_data.action
by_action.animation_data.action_slot = source.animation_data.action_slot

by_constraints = build("constraints", 0.7)
for bone in by_constraints.pose.bones:
    if bone.name in source.pose.bones:
        constraint = bone.constraints.new("COPY_ROTATION")
        constraint.target, constraint.subtarget = source, bone.name

result = {"action": [], "constraints": []}
for frame in frames:
    bpy.context.scene.frame_set(1 + frame)
    for armature in (by_action, by_constraints):
        result[armature.name].append({
            bone.name: degrees((bone.tail - bone.head).angle(other.tail - other.head))
            for bone in armature.pose.bones
            if (other := source.pose.bones.get(bone.name)) is not None
        })  # fmt: skip
print("RESULT " + json.dumps(result))
