"""Lift keypoints to poses: lifters and their files, whole tracks, and live.

Other rooms use `lifter.Lifter`, `pretrained.load_lifter`, `live.LiveLifter`, `predict` (networks that are
not yet lifters) and `resampling`. They import these modules directly, so that the names of the pretrained
lifters can be listed without importing torch.
"""
