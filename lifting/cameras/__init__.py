"""Cameras: intrinsics, extrinsics, lens distortion, and what keypoints become before a lifter reads them."""
