"""Measure a lifter's errors on people it was not trained on.

Other rooms use `scores` (errors of sequences), `breakdown` (means by action and person), `held_out` (who
may be measured), and `motion_capture_sequences` and `recorded_sequences`, which make sequences of data.
"""
