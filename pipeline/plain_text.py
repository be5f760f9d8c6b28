"""Text for a terminal that holds names from outside: of files, of people, of actions."""

from __future__ import annotations

from ..files import escaped_controls


def plain(text: str) -> str:
    """Return a text whose lines hold no characters that steer a terminal; these are escaped.

    Markup of rich is not touched: print the result with `markup=False`, or as rich's `Text`.
    """
    return "\n".join(map(escaped_controls, text.split("\n")))
