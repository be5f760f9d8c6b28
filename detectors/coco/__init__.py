"""COCO person-keypoint annotations, and COCO's measure of keypoints."""
