"""Motion in postures that open motion capture is short of, made by key poses and inverse kinematics."""

from .clips import make_scarce_motion

__all__ = ["make_scarce_motion"]
