"""Simulated cameras, bodies, detections and motion, on which lifters are trained."""
