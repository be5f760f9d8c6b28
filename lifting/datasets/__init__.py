"""Readers of motion capture and of recordings with calibrated cameras."""
