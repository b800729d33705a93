"""Knows persons again who left for a while, by what they wear: in memory, for minutes, and never written anywhere.

A description holds what the attribute model said and the colours of the clothes, and nothing of a face or a picture.
Somebody who changes their coat outside comes back as somebody else, and two people in the same uniform are told apart
by nothing: then nobody is known again, since the best answer must also be clearly better than the second.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.pages import Palette

__all__ = ["Description", "Gallery", "describe", "distance"]

Floats = NDArray[np.float64]

_LOGIT_LIMIT = 4.0
_MOST = 64
_PARTS: tuple[tuple[str, ...], ...] = (("top", "knit", "outer", "dress"), ("trousers", "skirt", "shorts", "dress"))
# Chosen on the train photos of Clothing Co-Parsing by `comfywear-export evaluate reid --choose`; see docs/vision.md.
_ATTRIBUTES, _COLOURS = 1.0, 1.0
_UNKNOWN = 0.35  # distance of colours where one of the two was not seen: about that of two strangers
THRESHOLD, MARGIN = 0.3, 0.05


class Description(NamedTuple):
    """What somebody looks like.

    Attributes:
        logits: `(A,)` of the attribute model, cut at ±4.
        colours: Of the upper and the lower body, by name a share; the shares of a part sum to about 1, none = unseen.
    """

    logits: Floats
    colours: tuple[Mapping[str, float], ...]


def describe(
    attributes: Floats | None, evidence: Mapping[str, float], palettes: Mapping[str, Palette]
) -> Description | None:
    """The description of a person.

    Args:
        attributes: `(A,)` probabilities, or None: then there is no description.
        evidence: By kind of garment, 0…1.
        palettes: The colours by kind of garment.
    """
    if attributes is None:
        return None
    p = np.clip(attributes, 1e-6, 1.0 - 1e-6)
    logits = np.clip(np.log(p / (1.0 - p)), -_LOGIT_LIMIT, _LOGIT_LIMIT)
    return Description(logits, tuple(_mixed(kinds, evidence, palettes) for kinds in _PARTS))


def _mixed(kinds: Sequence[str], evidence: Mapping[str, float], palettes: Mapping[str, Palette]) -> dict[str, float]:
    """The colours of one part of the body: those of its garments, each by how much it is believed."""
    out: dict[str, float] = {}
    for kind in kinds:
        weight = evidence.get(kind, 0.0)
        for name, share in palettes[kind].shares.items() if kind in palettes else ():
            out[name] = out.get(name, 0.0) + weight * share
    total = sum(out.values())
    return {name: share / total for name, share in out.items()} if total > 0.0 else {}


def distance(a: Description, b: Description) -> float:
    """How different two descriptions are, 0…1: of the attributes and of the colours of both parts of the body."""
    apart = float(np.abs(a.logits - b.logits).mean()) / (2.0 * _LOGIT_LIMIT)
    colours = sum(_apart(one, other) for one, other in zip(a.colours, b.colours, strict=True)) / len(_PARTS)
    return (_ATTRIBUTES * apart + _COLOURS * colours) / (_ATTRIBUTES + _COLOURS)


def _apart(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Half the sum of the differences of two sets of shares."""
    if not a or not b:
        return _UNKNOWN
    return 0.5 * sum(abs(a.get(name, 0.0) - b.get(name, 0.0)) for name in a.keys() | b.keys())


class Gallery:
    """Those who left, for a while.

    Args:
        keep_s: For how long.
        threshold: Largest distance at which somebody is known again.
        margin: The second best must be this much further away.
    """

    def __init__(self, keep_s: float = 300.0, *, threshold: float = THRESHOLD, margin: float = MARGIN) -> None:
        if not keep_s > 0.0:
            raise UsageError(f"a gallery is kept for a positive time, not {keep_s} s")
        self._keep_s, self._threshold, self._margin = keep_s, threshold, margin
        self._left: dict[int, tuple[float, Description]] = {}

    def __len__(self) -> int:
        """How many are remembered; those who left too long ago are dropped at the next `add` or `find`."""
        return len(self._left)

    def add(self, person: int, description: Description, now_s: float) -> None:
        """Remember who left at `now_s`; beyond 64 the one who left first is forgotten."""
        self._drop_old(now_s)
        self._left.pop(person, None)
        self._left[person] = (now_s, description)
        while len(self._left) > _MOST:
            del self._left[min(self._left, key=lambda each: self._left[each][0])]

    def find(self, description: Description, now_s: float, without: Collection[int] = ()) -> int | None:
        """The id of whoever came back, who is then no longer in the gallery; None for a stranger.

        Args:
            description: Of the newcomer.
            now_s: When.
            without: Ids that are present and hence cannot be meant.
        """
        self._drop_old(now_s)
        ranked = sorted(
            (distance(description, known), person)
            for person, (_, known) in self._left.items()
            if person not in without and len(known.logits) == len(description.logits)
        )
        if not ranked or ranked[0][0] > self._threshold:
            return None
        if len(ranked) > 1 and ranked[1][0] - ranked[0][0] < self._margin:
            return None
        person = ranked[0][1]
        del self._left[person]
        return person

    def _drop_old(self, now_s: float) -> None:
        self._left = {person: entry for person, entry in self._left.items() if now_s - entry[0] <= self._keep_s}
