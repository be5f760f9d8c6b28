"""The public functions: the commands for use from Python."""
