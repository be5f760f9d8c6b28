"""`videopose prepare`: data sets from their original files."""
