"""People through time: who on one frame is who on the next.

The usual order is `link`, `most_present`, `fill_gaps`. A person who is out of sight for a while is one track
after `link`, and becomes several only in `fill_gaps`. So people are chosen before gaps are split.
"""

from .gaps import fill_gaps
from .linking import link
from .missing_keypoints import place_missing
from .presence import most_present
from .similarity import keypoint_boxes, oks
from .track import Track

__all__ = ["Track", "fill_gaps", "keypoint_boxes", "link", "most_present", "oks", "place_missing"]
