"""Motion made from captured motion: parts of several people put together, trunk and limbs turned.

Open motion capture shows few of the poses that upright people can take. `recombine` makes more of them from
windows of captured motion.
"""

from .recombine import recombine

__all__ = ["recombine"]
