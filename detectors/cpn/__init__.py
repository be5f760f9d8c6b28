"""The cascaded pyramid network (CPN): a detector of keypoints in given boxes, and how it is fine-tuned."""
