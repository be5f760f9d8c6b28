"""Measure a lifter's errors on people it was not trained on."""
