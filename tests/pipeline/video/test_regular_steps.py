"""Time stamps that damage changed, in files whose pictures are stored at a constant rate."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from odd_videos import encode

from videopose.pipeline.video.reader import open_video
from videopose.pipeline.video.regular_steps import RegularSteps


def placed(stamps: Sequence[int], *, decoding: Sequence[int] = range(0, 400, 10)) -> tuple[list[int], int]:
    steps = RegularSteps(10)
    for stamp in decoding:
        steps.sent(stamp)
    found = [steps.place(a, b) for a, b in zip(stamps, [*stamps[1:], None], strict=True)]
    return found, steps.moved


RIGHT = list(range(0, 200, 10))


@pytest.mark.parametrize(
    ("changed", "moved"),
    [
        ({}, 0),
        ({9: 93}, 1),
        ({9: 118}, 1),
        ({9: 400}, 1),
        ({9: 20}, 1),
        ({9: 100}, 1),  # as the next one
        ({16: 180, 18: 190}, 2),  # earlier than it is shown, and as the last one
    ],
)
def test_single_wrong_stamps_go_to_their_places(changed: dict[int, int], moved: int) -> None:
    stamps = [changed.get(n, stamp) for n, stamp in enumerate(RIGHT)]
    assert placed(stamps) == (RIGHT, moved)


def test_what_is_irregular_stays() -> None:
    pairs = [n // 2 * 20 + n % 2 for n in range(20)]
    assert placed(pairs) == (pairs, 0)
    pause = [*range(0, 100, 10), *range(500, 600, 10)]
    assert placed(pause) == (pause, 0)
    jitter = [*RIGHT[:9], 93, *RIGHT[10:]]
    assert placed(jitter, decoding=[0, 10, 20, 31]) == (jitter, 0)


def test_damaged_entries_of_an_mp4(tmp_path: Path) -> None:
    """The table of what is added to times of decoding has one wrong entry, and one by which libav leaves out
    the picture."""
    path = encode(
        tmp_path / "film.mp4", "libx264", {"bf": "2", "b-pyramid": "none", "b-adapt": "0"}, count=40
    )
    content = bytearray(path.read_bytes())
    table = content.index(b"ctts") + 12
    content[table + 8 * 11 + 6] ^= 1  # of the lowest two bytes
    content[table + 8 * 20 + 4] = 1  # of the highest byte: minutes later
    path.write_bytes(content)
    with open_video(path) as video:
        times = [frame.time for frame in video.frames()]
        told = str(video.damaged)
    assert len(times) == 39
    assert all(abs(time * 25 - round(time * 25)) < 1e-6 for time in times)
    [hole] = [n for n in range(1, 39) if times[n] - times[n - 1] > 0.05]
    assert told == (
        f"1 of its 40 packets could not be decoded (just before frame {hole}); 1 time stamp is wrong, and is "
        "taken from the frame rate"
    )
