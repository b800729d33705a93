"""A gap in time between chosen frames of one clip: neighbouring frames teach nearly the same; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Moment", "spaced"]


@dataclass(frozen=True)
class Moment:
    """When a photo was taken.

    Attributes:
        clip: Of which clip or camera; photos of different ones are never too close.
        time_s: Seconds from any moment that the whole clip shares.
    """

    clip: str
    time_s: float


def spaced(order: Iterable[int], moments: Sequence[Moment | None], gap_s: float, count: int) -> list[int]:
    """The first `count` numbers of `order` of which no two lie closer than `gap_s` in one clip.

    Args:
        order: Numbers of photos, the most wanted first.
        moments: Of every photo; None where it is not known (never too close).
        gap_s: Seconds.
        count: At most so many.
    """
    chosen: list[int] = []
    taken: dict[str, list[float]] = {}
    for number in order:
        if len(chosen) >= count:
            break
        moment = moments[number]
        if moment is not None:
            times = taken.setdefault(moment.clip, [])
            if any(abs(moment.time_s - other) < gap_s for other in times):
                continue
            times.append(moment.time_s)
        chosen.append(number)
    return chosen
