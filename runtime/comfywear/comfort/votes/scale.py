"""The scale of the button: five faces, and the words that stand under them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["SCALE", "VoteScale", "level_of"]


@dataclass(frozen=True, slots=True)
class VoteScale:
    """A scale of votes: its id, which is stored with every vote, and the words shown for each level."""

    id: str
    words: Mapping[int, str]


SCALE = VoteScale(
    "comfywear-5-comfort",
    MappingProxyType(
        {1: "very uncomfortable", 2: "uncomfortable", 3: "just comfortable", 4: "comfortable", 5: "very comfortable"}
    ),
)
"""The scale of the five buttons. It is comfort, not thermal sensation: a 1 does not say whether it is hot or cold."""

# Mean votes (in absolute value) up to which a level holds: the categories A, B and C of ISO 7730:2005 annex A
# (0.2, 0.5, 0.7), and a step as wide as a vote beyond them.
_BOUNDS = ((0.2, 5), (0.5, 4), (0.7, 3), (1.5, 2))


def level_of(expected_vote: float) -> int:
    """Level 1…5 for a mean thermal sensation vote: 5 within category A of ISO 7730, 4 in B, 3 in C, 2 and 1 beyond.

    A first guess for people in general: how comfort goes with sensation differs from study to study (the means of the
    ASHRAE database do not carry over), so that a device learns its own from its votes.
    """
    size = abs(expected_vote)
    return next((level for bound, level in _BOUNDS if size <= bound), 1)
