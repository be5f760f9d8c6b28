"""Cameras, and keypoints as a lifter reads them.

- `intrinsics`: pinhole cameras
- `distortion`: lenses
- `extrinsics`: position and orientation in the world
- `level`: levelling a camera by how people stand
- `input_space`: rays, centred rays and normalised screen coordinates
"""
