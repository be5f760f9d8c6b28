"""Shared parts of fine-tuning detectors: the recipe with its schedule, and the training record."""
