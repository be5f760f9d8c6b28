"""Turn video into motion: `detect` finds and follows people, `lift` gives their poses, `infer` does both."""
