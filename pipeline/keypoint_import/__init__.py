"""2D keypoints made by other programs, for `--keypoints`.

- `layouts`: the keypoint layouts of the programs
- `sightings`: people's keypoints on the frames of a video, as read from a file
- `json_formats`, `array_formats`: one reader for each format; a new format is one function there and one line
  in `formats`
- `formats`: recognition of a file's format
- `match_video`: finding the file of a video, and checking that it fits
- `who_is_who`: merging people who are written twice, and tracking them
- `imported_people`: the people of one video from such a file, in place of a detector
"""
