"""Adapt a lifter to the clips that it will lift (`--adapt`), and keep adapted lifters in the cache."""

from .adapt_lifter import adapt_lifter

__all__ = ["adapt_lifter"]
