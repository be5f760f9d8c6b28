"""MoveNet, the built-in detector."""
