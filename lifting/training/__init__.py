"""Training a lifter."""
