"""Find the camera that filmed a video.

`find_camera` asks the user's statement first, then the readers in `find_camera.READERS`, one file each. A new
reader is one new file and one line in that list.
"""
