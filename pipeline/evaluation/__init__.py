"""Measure and describe lifters and detectors: `evaluate`, `evaluate-detector` and `inspect`."""
