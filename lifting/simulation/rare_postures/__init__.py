"""Simulated motion in postures that are rare in open motion capture, by key poses and inverse kinematics."""

from .clips import make_rare_postures

__all__ = ["make_rare_postures"]
