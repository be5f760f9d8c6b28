import numpy as np
import pytest
from walking import table_of, walking

from videopose.pipeline.inference.notes.times import time_notes


@pytest.mark.parametrize(
    ("times", "notes"),
    [
        (np.arange(40) / 30, []),
        (np.arange(40) / 240, []),
        (60.0 * np.arange(40), []),
        (
            np.arange(40) / 1000,
            ["its time stamps say 1000 frames a second; --fps would tell if that is wrong"],
        ),
        (
            np.arange(40) / 30 + 7200 * (np.arange(40) > 19),
            ["its time stamps jump by 2.0 hours after frame 19"],
        ),
        (
            np.arange(40) / 30 + 90 * (np.arange(40) // 10),
            ["its time stamps jump by 1.5 minutes after frame 9, and 2 times more"],
        ),
    ],
    ids=["30 a second", "240 a second", "a frame a minute", "1000 a second", "a jump", "jumps"],
)
def test_time_notes(times: np.ndarray, notes: list[str]) -> None:
    assert time_notes(table_of({0: walking(40)["joints"]}, time=times)) == notes
