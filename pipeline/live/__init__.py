"""Live: frames of a camera in, poses out as they come, by a causal lifter.

`run_live` is the command `videopose live`. `session` opens a camera and loads the networks: `camera` reads
frames, `stream` those from the network, `pace` lets those of a file come at their times, `grabber` drops
those that come too fast, `live_poses` turns them into poses. The outputs show them: JSON lines, VMC by OSC,
and a page.
"""
