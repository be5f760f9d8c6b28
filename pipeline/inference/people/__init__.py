"""`people`: a contact sheet of who is in a video.

`pictures` chooses a picture of each person, `sheet` lays them out, and `work` does all of it for one file.
"""
