"""Cameras, and the conversion of keypoints to the input space of a lifter.

- `intrinsics`: pinhole cameras
- `distortion`: lenses
- `extrinsics`: position and orientation in the world
- `level`: levelling a camera by how people stand
- `input_space`: rays, centred rays and normalised screen coordinates
"""
