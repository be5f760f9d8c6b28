"""What is damaged in a video: which frames, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

_MOST_RANGES = 8  # that a warning lists


@dataclass(frozen=True)
class Damage:
    """What is damaged in a video.

    Attributes:
        frames: Numbers of the decoded frames that show something else than was filmed, rising.
        reasons: What is wrong, each a clause.
    """

    frames: tuple[int, ...]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """Say what is wrong in one line."""
        return "; ".join(self.reasons)

    def describe(self) -> dict[str, object]:
        """Return it as the pose table records it."""
        return {"frames": list(self.frames), "warning": str(self)}


@dataclass
class DamageRecord:
    """Collects what is found damaged while a video is decoded.

    Attributes:
        corrupt: Frames that the decoder marks corrupt, and those that are predicted from them.
        behind_gaps: Frames that are predicted from pictures whose packets are missing or damaged.
        reshaped: Frames whose pictures have another shape than the first one.
        reasons: What else is wrong, each a clause.
    """

    corrupt: list[int] = field(default_factory=list)
    behind_gaps: list[int] = field(default_factory=list)
    reshaped: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def damage(self) -> Damage | None:
        """Return what was found so far, or None."""
        kinds = (
            (self.corrupt, "damaged, or predicted from damaged ones"),
            (self.behind_gaps, "predicted from pictures that are missing"),
            (self.reshaped, "of another shape than the first one"),
        )
        reasons = [f"{_count(len(frames))} {what} ({ranges(frames)})" for frames, what in kinds if frames]
        frames = sorted({*self.corrupt, *self.behind_gaps, *self.reshaped})
        reasons += self.reasons
        return Damage(tuple(frames), tuple(reasons)) if reasons else None


def damage_warning(recorded: object) -> str | None:
    """Return the warning about the damage that a pose table records; None if there is none.

    Args:
        recorded: `meta["damaged"]`; a text in tables of earlier versions.
    """
    if isinstance(recorded, dict):
        return str(recorded.get("warning") or "") or None
    return str(recorded) if recorded else None


def _count(frames: int) -> str:
    return "1 frame is" if frames == 1 else f"{frames} frames are"


def ranges(frames: Iterable[int]) -> str:
    """Return the numbers as ranges: 0–2, 7, 9–12."""
    found: list[list[int]] = []
    for frame in frames:
        if found and frame == found[-1][1] + 1:
            found[-1][1] = frame
        else:
            found.append([frame, frame])
    texts = [str(first) if first == last else f"{first}–{last}" for first, last in found]
    return ", ".join([*texts[:_MOST_RANGES], *(["…"] if len(texts) > _MOST_RANGES else [])])
