"""Turn video into motion: `detect` finds and follows people, `lift` gives their poses, `infer` does both.

`options` checks the user's options without loading a network. `run_files` processes many files, as the
commands do. `animate` draws animations. Other rooms import these modules directly.
"""
