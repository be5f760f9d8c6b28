"""Run the command line by `python -m videopose`."""

from .pipeline.cli.main import main

if __name__ == "__main__":  # a process of `--jobs` imports this file under another name
    main()
