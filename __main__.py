"""`python -m videopose` is `videopose`."""

from .pipeline.cli.main import main

main()
