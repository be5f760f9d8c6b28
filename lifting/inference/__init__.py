"""From keypoints through time to poses: lifters, offline and live."""
