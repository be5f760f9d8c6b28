"""Notes for the user on what a pose table, or the lifter, shows: one kind a file."""
