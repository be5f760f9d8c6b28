"""Find the camera that filmed a video.

`find_camera` uses the options that the user gave, if any, and otherwise the readers in `find_camera.READERS`,
in order. A new reader is one new file and one line in that list.
"""
