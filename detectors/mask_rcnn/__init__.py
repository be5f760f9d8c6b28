"""Mask R-CNN with a soft-argmax keypoint head, on detectron2."""
