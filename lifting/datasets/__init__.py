"""Readers of motion capture, and of recordings with calibrated cameras.

Motion capture (3D only):

- `motion_capture`: the table that this project trains on
- `bvh`, `asf_amc`: file formats, read into `joint_angles.Motion`
- `cmu`: CMU's skeleton and clips

Recordings (2D keypoints beside 3D poses, by camera):

- `recordings`: the values that all readers return
- `human36m`, `humaneva`: one module a dataset, with a `DATASET` that `training.recorded_data` registers
- `videopose3d_files`, `videopose3d_custom`: VideoPose3D's file formats
- `dataset`, `config`: datasets by name, and which part of them to read
"""
