"""Training on unlabeled video: predicted poses are projected back onto the video's keypoints (paper, §4)."""
