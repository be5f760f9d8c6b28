"""Errors of a lifter on people it was not trained on."""
