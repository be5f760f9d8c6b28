from typing import Any

import pytest
from walking import table_of, walking

from videopose.render.animation import Animation
from videopose.render.info_strip import clock
from videopose.render.strokes import Font


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00.000"),
        (4.1, "00:04.100"),
        (59.9996, "01:00.000"),
        (61.0334, "01:01.033"),
        (3599.9999, "1:00:00.000"),
        (7384.5, "2:03:04.500"),
        (-0.04, "00:00.000"),
    ],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_frames_are_counted_from_0_as_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = Animation(table_of({0: walking(12)["joints"]}), video=False)
    written: list[str] = []
    write = Font.write

    def note(font: Font, image: Any, at: Any, text: str, colour: Any) -> None:
        written.append(text)
        write(font, image, at, text, colour)

    monkeypatch.setattr(Font, "write", note)
    drawing.draw(0)
    drawing.draw(11)
    assert [text for text in written if " / " in text] == ["0 / 11", "11 / 11"]
