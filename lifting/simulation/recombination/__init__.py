"""Recombine captured motion: join body parts of several people, and turn trunk and limbs.

Open motion capture contains few of the poses that upright people can take. `recombine` makes more of them
from windows of captured motion.
"""

from .recombine import recombine

__all__ = ["recombine"]
