"""2D keypoints made by other programs, for `--keypoints`.

- `layouts`: which keypoints the programs give, in which order
- `sightings`: people's keypoints on the frames of a video, as a file has them
- `json_formats`, `array_formats`: one function a format; a new format is one function there and one line in
  `formats`
- `formats`: which format a file is in
- `match_video`: which file belongs to a video, whether it fits, and who is who
- `imported_people`: the people of one video, from such a file; it stands in for a detector
"""
