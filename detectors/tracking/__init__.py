"""People through time: who on one frame is who on the next.

`follow_people` does all of it in one call: `link`, `most_present`, `fill_gaps`. A person who is out of
sight for a while is one track after `link`, and becomes several only in `fill_gaps`. So people are chosen
before gaps are split. `choose_and_fill` is for people whose tracks are known already.
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
