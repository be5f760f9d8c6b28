"""The keypoint layouts of other detectors."""
