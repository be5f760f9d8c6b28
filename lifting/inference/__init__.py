"""Lift keypoints to poses: lifters and their files, whole tracks, and live."""
