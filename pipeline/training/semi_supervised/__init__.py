"""`semi-train`: from unlabelled videos to a lifter."""
