"""From people on single frames to tracks."""
