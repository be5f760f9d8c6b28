"""First floor: training on unlabelled video, by projecting poses back onto its keypoints."""
