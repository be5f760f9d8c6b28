"""Live: frames of a camera in, poses out as they come, by a causal lifter.

`run_live` is the command `videopose live`. `camera` reads frames, `grabber` drops those that come too fast,
`live_poses` turns them into poses, and the outputs show them: JSON lines, VMC by OSC, and a page.
"""
