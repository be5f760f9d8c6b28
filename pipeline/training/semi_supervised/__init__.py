"""`videopose semi-train`: labeled motion and unlabeled footage in, a lifter out."""
