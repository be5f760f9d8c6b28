"""Read videos frame by frame, and write them."""
