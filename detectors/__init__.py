"""Find people on frames (boxes and COCO keypoints), and follow each person from frame to frame.

`registry` builds a detector by name. `people` describes what every detector takes and gives.
"""
