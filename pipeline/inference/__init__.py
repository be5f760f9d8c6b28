"""Turn video into motion: `detect` finds and follows people, `lift` gives their poses, `infer` does both.

`options` checks what the user asks for and loads no network. `run_files` does the work of the commands for
many files, `animate` draws. Other rooms import these modules themselves.
"""
