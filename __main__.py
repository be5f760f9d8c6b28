"""Run the command line by `python -m videopose`."""

from .pipeline.cli.main import main

main()
