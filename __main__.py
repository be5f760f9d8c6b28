"""`python -m videopose` is `videopose`."""

from .pipeline.cli import main

main()
