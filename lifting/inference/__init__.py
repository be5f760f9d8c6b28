"""Lift keypoints to poses: lifters and their files, whole tracks, and live.

Other rooms use `lifter.Lifter`, `pretrained.load_lifter`, `live.LiveLifter`, `predict` (networks that are
not yet lifters) and `resampling`. They import these modules themselves, because listing the pretrained
lifters must not wait for torch.
"""
