"""Frames → people: boxes and COCO keypoints, and who is who from frame to frame."""
