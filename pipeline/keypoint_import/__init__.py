"""2D keypoints made by other programs."""
