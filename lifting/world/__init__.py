"""The world that people stand in: gravity, floor, contact of feet, turning cameras, size, and filters.

World: metres, right-handed, z up, the floor at z = 0.

Other rooms use `place` (a table's gravity, floor, contact and camera poses), `filters`, `foot_lock` and
`metric_size`, which take a pose table and give another, `stated_camera` (what the user states) and
`camera_motion` (rotations between frames). They import these modules themselves, because checking options
must not wait for scipy.
"""
