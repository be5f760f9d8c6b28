"""The top floor: the command line, the stages, video in and out, pinned assets."""
