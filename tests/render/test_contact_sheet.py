import numpy as np
import pytest

from videopose.render.contact_sheet import contact_sheet
from videopose.render.theme import PAGE


def test_lays_frames_in_rows() -> None:
    frames = [np.full((20, 30, 3), shade, np.uint8) for shade in (10, 20, 30)]
    sheet = contact_sheet(frames, 2, gap=4)
    assert sheet.shape == (44, 64, 3)
    assert [int(sheet[y, x, 0]) for y, x in ((0, 0), (19, 63), (24, 29))] == [10, 20, 30]
    assert tuple(sheet[22, 5]) == PAGE
    assert tuple(sheet[40, 60]) == PAGE


def test_refuses_what_makes_no_sheet() -> None:
    frame = np.zeros((20, 30, 3), np.uint8)
    for frames, columns in (([], 2), ([frame], 0), ([frame, frame[1:]], 2)):
        with pytest.raises(ValueError, match="contact sheet"):
            contact_sheet(frames, columns)
