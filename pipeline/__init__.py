"""The command line, the public functions, and all input and output: videos, tables, datasets, downloads."""
