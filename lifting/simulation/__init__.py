"""Simulated cameras, bodies, detections and motion that lifters learn from."""
