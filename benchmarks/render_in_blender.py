"""Run by a Python that has Blender's `bpy`: render one frame of an exported GLB file, for the pages in docs/.

    python benchmarks/render_in_blender.py GLB PICTURE FRAME X,Y,Z TARGET_X,Y,Z ANGLE

Cycles with few samples, 2 threads. The camera is at X,Y,Z and looks at the target, z up; ANGLE is its
horizontal angle of view in degrees. FRAME −1 shows the rest pose.
"""
# mypy: ignore-errors

import sys
from math import radians

import bpy
from mathutils import Vector

source, picture, frame, place, target, angle = sys.argv[1:]
place, target = (Vector(float(word) for word in words.split(",")) for words in (place, target))
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = 30
bpy.ops.import_scene.gltf(filepath=source)
scene.frame_set(int(frame))
if int(frame) < 0:
    for thing in bpy.data.objects:
        if thing.type == "ARMATURE":
            thing.data.pose_position = "REST"

bpy.ops.mesh.primitive_plane_add(size=60, location=(target.x, target.y, 0))
floor = bpy.context.object
tiles = bpy.data.materials.new("floor")
tiles.use_nodes = True
nodes, links = tiles.node_tree.nodes, tiles.node_tree.links
checker = nodes.new("ShaderNodeTexChecker")
checker.inputs["Color1"].default_value = (0.62, 0.64, 0.67, 1)
checker.inputs["Color2"].default_value = (0.5, 0.52, 0.55, 1)
checker.inputs["Scale"].default_value = 60  # tiles of one metre
links.new(nodes.new("ShaderNodeTexCoord").outputs["UV"], checker.inputs["Vector"])
links.new(checker.outputs["Color"], nodes["Principled BSDF"].inputs["Base Color"])
floor.data.materials.append(tiles)

camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(camera)
scene.camera = camera
camera.data.angle = radians(float(angle))
camera.location = place
camera.rotation_euler = (target - place).to_track_quat("-Z", "Y").to_euler()
sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
sun.data.energy, sun.rotation_euler = 2, (0.6, 0.25, 0.4)
scene.collection.objects.link(sun)
world = bpy.data.worlds.new("world")
scene.world = world
world.use_nodes = True
world.node_tree.nodes["Background"].inputs[0].default_value = (0.5, 0.55, 0.62, 1)

scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 24, "CPU"
scene.cycles.use_denoising = False
scene.render.threads_mode, scene.render.threads = "FIXED", 2
scene.render.resolution_x, scene.render.resolution_y = 640, 360
scene.view_settings.view_transform = "Standard"
scene.render.filepath = picture
bpy.ops.render.render(write_still=True)
