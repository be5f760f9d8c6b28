"""Track people: assign the detections of successive frames to persons.

`follow_people` calls `link`, `most_present` and `fill_gaps`. A person who is not detected for a while is one
track after `link`, and several tracks after `fill_gaps`. Therefore people are chosen before tracks are split
at gaps. `choose_and_fill` starts from tracks that are known already.
"""

from .follow_people import choose_and_fill, follow_people
from .gaps import fill_gaps
from .linking import link
from .missing_keypoints import place_missing
from .presence import most_present
from .similarity import keypoint_boxes, oks
from .track import Track

__all__ = [
    "Track",
    "choose_and_fill",
    "fill_gaps",
    "follow_people",
    "keypoint_boxes",
    "link",
    "most_present",
    "oks",
    "place_missing",
]
