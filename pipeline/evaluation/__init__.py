"""Measure and describe lifters and detectors: `evaluate`, `evaluate-detector` and `inspect`.

A new dataset to measure a lifter on is an `evaluation_data.EvaluationSource` in a file of its own, and a
line in `evaluate_lifter.find_sources`.
"""
