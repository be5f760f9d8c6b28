"""Training of lifters, and the training loop, checkpoints and process groups that every training uses."""
