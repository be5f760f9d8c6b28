"""Exports as files: which are written, under which names, and what their user is told."""
