"""Track people: assign the detections of successive frames to persons.

`follow_people` calls `link` and `fill_gaps`. `most_present` chooses the main people.
"""

from .appearance import with_appearance
from .follow_people import follow_people
from .gaps import fill_gaps
from .linking import link
from .missing_keypoints import place_missing
from .presence import most_present
from .similarity import keypoint_boxes, oks
from .track import Track

__all__ = [
    "Track",
    "fill_gaps",
    "follow_people",
    "keypoint_boxes",
    "link",
    "most_present",
    "oks",
    "place_missing",
    "with_appearance",
]
