"""COCO person keypoints: annotation files, and the measure of keypoints (AP).

- `annotations`: images, and the people annotated on them
- `annotation_files`: reading COCO's JSON
- `keypoint_names`: COCO's names of keypoints, and this project's
- `sigmas`: how exactly each keypoint can be placed
- `evaluation`: AP and AR, by pycocotools
"""
