"""COCO person keypoints: annotation files, and the measure of keypoints (AP).

- `annotations`: images, and the people annotated on them
- `annotation_files`: reading COCO's JSON
- `keypoint_names`: conversion between COCO's names of keypoints and those of this project
- `sigmas`: how much annotators differ on each keypoint
- `evaluation`: AP and AR, by pycocotools
"""
