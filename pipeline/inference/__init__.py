"""`infer`, and its halves `detect` and `lift`."""
