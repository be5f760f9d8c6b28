"""`evaluate`, `evaluate-detector` and `inspect`."""
