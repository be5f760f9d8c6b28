"""Semi-supervised training: predicted poses are compared with keypoints of unlabeled video (paper, §4)."""
