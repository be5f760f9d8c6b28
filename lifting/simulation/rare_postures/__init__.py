"""Motion in postures that open motion capture is short of, made by key poses and inverse kinematics."""

from .clips import make_rare_postures

__all__ = ["make_rare_postures"]
